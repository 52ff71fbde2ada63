#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/compute/conformance_reference.h"

namespace alknet::compute::conformance {

/// A computation with its operands and what is expected of it.
struct Case {
  Computation computation;
  JsonObject attrs;
  std::vector<std::optional<TestTensor>> inputs;
  Reference expected;
  std::vector<Reference> others = {};  ///< Of the outputs after the first.
  double bound = 0;                    ///< In ulp of the result, or in eps of the terms.
  bool bound_in_ulp = true;
};

/// The backend's outputs, row-major. Each lies between guard bytes; throws Error `internal` when they are touched, else
/// what the backend throws.
std::vector<std::vector<double>> execute(Backend& backend, const Case& made);

/// "element 3 is ..., expected ... within ..." for the first element that is off; empty when all agree.
std::string first_difference(const Case& made, const std::vector<std::vector<double>>& got, bool flushes_denormals);

/// Operation, dtypes, attributes, shapes and strides.
std::string describe(const Case& made);

}  // namespace alknet::compute::conformance
