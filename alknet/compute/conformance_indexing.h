#pragma once

#include <vector>

#include "alknet/compute/conformance_cases.h"

namespace alknet::compute::conformance {

/// Cases of what picks, places, orders and scans elements.
std::vector<TemplateCase> indexing_cases();

}  // namespace alknet::compute::conformance
