#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "alknet/compute/backend.h"

namespace alknet::operations {

struct PerfOptions {
  std::vector<std::string> ops;  ///< Only these; empty: all.
  graph::Dtype dtype = graph::Dtype::kF32;
  double seconds = 0.1;  ///< Of runs of each.
};

/// Runs each operation at a typical size (calls.h) and prints the fastest run, the bytes of its inputs and results in
/// that time, and for products the floating-point operations.
void measure(const std::shared_ptr<compute::Backend>& backend, const PerfOptions& options, std::ostream& out);

}  // namespace alknet::operations
