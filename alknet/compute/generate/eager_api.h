#pragma once

#include <vector>

#include "alknet/compute/generate/cpp.h"

namespace alknet::compute {

/// The eager API of an op table, in C++: tensor_methods.h (the methods of Tensor), operations.h (functions, operators
/// and the structs of several results) and operations.cc, each function one call of `apply`.
///
/// Arguments are in PyTorch's order: inputs that must be given, parameters that must, other inputs, other parameters
/// with their defaults. Aliases are functions and methods of their own. What Tensor writes by hand keeps its name.
std::vector<GeneratedFile> generate_eager_api(const graph::OpTable& ops);

}  // namespace alknet::compute
