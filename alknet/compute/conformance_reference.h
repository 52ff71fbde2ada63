#pragma once

#include <optional>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/compute/conformance_tensor.h"

namespace alknet::compute::conformance {

/// An exact result and what its error is measured with: the sum of the absolute values of the terms it comes from.
struct Reference {
  Shape shape;
  std::vector<double> values;
  std::vector<double> terms;
};

/// An element-wise operation on broadcast operands, by the interpreter of expressions.
Reference elementwise_reference(const OpSpec& op, const JsonObject& attrs, const std::vector<Reference>& operands,
                                const std::vector<Dtype>& dtypes, Dtype output, const Shape& shape);

/// A reduction, folding in double in order.
Reference reduction_reference(const OpSpec& op, const JsonObject& attrs, const TestTensor& input, Dtype output);

/// The outputs of a template's operation by plain loops; nothing when there is no reference for it.
std::vector<Reference> template_reference(const OpSpec& op, const JsonObject& attrs,
                                          const std::vector<std::optional<TestTensor>>& inputs);

/// A tensor as an operand of a reference.
Reference reference_of(const TestTensor& tensor);

}  // namespace alknet::compute::conformance
