// The measured side of the benchmarks, which bench/run alternates with the peers.
#include "bench/cases.h"
#include "bench/protocol.h"

int main() {
  using namespace alknet::bench;
  Cases all;
  for (auto family : {compute_cases, file_cases, gpu_cases, quantized_cases, validation_cases}) all.merge(family());
  serve(all, "alknet " ALKNET_VERSION);
}
