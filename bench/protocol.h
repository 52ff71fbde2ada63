#pragma once

#include <string>

#include "bench/cases.h"

namespace alknet::bench {

/// Answers the requests of bench/run, JSON lines on standard input, until they end:
///
///   {"prepare": {"case": "matmul", "n": 256, "threads": 2}}   ->  {"ready": true, "version": "..."}
///   {"run": 10}                                               ->  {"seconds": 0.0123, "peak_bytes": 4096}
///
/// Preparing includes one run. `peak_bytes` is what became resident at most beyond the memory before the first run.
/// What goes wrong is answered as {"error": "..."}. Peers in other languages speak the same.
void serve(const Cases& cases, const std::string& version);

}  // namespace alknet::bench
