#pragma once

#include "alknet/compute/conformance_cases.h"

namespace alknet::compute::conformance {

/// The cases of convolutions and pools.
std::vector<TemplateCase> window_cases();

/// The cases of inverse, solve, cholesky and det.
std::vector<TemplateCase> decomposition_cases();

}  // namespace alknet::compute::conformance
