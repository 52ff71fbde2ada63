#pragma once

#include <span>
#include <vector>

#include "alknet/compute/eager/arguments.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// An operation whose result is as large as its operands' elements say (graph::EagerForward): made of operations of the
/// table, between which a count is read back. `inputs` are parallel to the op's, `attrs` complete. Gradients are those
/// of the operations that it is made of. Throws what those throw.
std::vector<Tensor> apply_data_dependent(const OpSpec& op, std::span<const Argument> inputs, const JsonObject& attrs);

}  // namespace alknet::compute
