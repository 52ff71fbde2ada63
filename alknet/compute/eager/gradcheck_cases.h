#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alknet/compute/conformance_tensor.h"
#include "alknet/graph/op_table.h"

namespace alknet::compute {

/// One call of an operation whose gradient is checked.
struct GradcheckCase {
  struct Input {
    Shape shape;
    conformance::Arrangement arrangement = conformance::Arrangement::kContiguous;
    std::optional<Dtype> dtype = {};  ///< Of what is no f64.
    bool absent = false;
  };
  std::vector<Input> inputs;  ///< Of lists one by one.
  JsonObject attrs = {};
};

/// Cases for an operation of the table: element-wise ones and reductions from their entry, those with templates from
/// the conformance test, others from a table of their own, or by shapes that suit most. Empty: there are none.
std::vector<GradcheckCase> gradcheck_cases(const graph::OpSpec& op);

/// Whether a gradient can pass the operation.
bool is_differentiable(const graph::OpSpec& op);

}  // namespace alknet::compute
