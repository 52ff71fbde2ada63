#include "alknet/tensor/import/gguf.h"
#include "fuzz/import_fuzzer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  alknet::tensor::fuzz_import(alknet::tensor::open_gguf, data, size);
  return 0;
}
