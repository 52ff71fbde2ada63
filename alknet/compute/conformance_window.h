#pragma once

#include "alknet/compute/conformance_cases.h"

namespace alknet::compute::conformance {

/// The cases of convolutions and pools.
std::vector<TemplateCase> window_cases();

}  // namespace alknet::compute::conformance
