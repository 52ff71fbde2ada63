#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace alknet::operations {

/// Compares the gradients of every differentiable operation (or of `ops`) with central differences in f64 on the CPU,
/// one line an operation. False when one is off.
bool check_gradients(const std::vector<std::string>& ops, std::ostream& out);

}  // namespace alknet::operations
