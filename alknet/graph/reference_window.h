#pragma once

#include <span>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/reference_run.h"

namespace alknet::graph {

/// An attribute that no operation has: takes the absolute values of interpolate's weights, to measure errors with.
inline constexpr const char* kAbsoluteWeights = "absolute_weights";

/// For tests: operations of convolutions and pools by plain loops in double, by the name of their template. Absent
/// inputs are null; `shape` is that of the result. Null when there is no such template.
using WindowReference = ReferenceTensor (*)(const OpSpec& op, const JsonObject& attrs,
                                            std::span<const ReferenceTensor* const> inputs, const Shape& shape);
WindowReference find_window_reference(std::string_view template_name);

}  // namespace alknet::graph
