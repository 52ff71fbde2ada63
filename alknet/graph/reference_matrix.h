#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/graph/reference_run.h"

namespace alknet::graph {

/// For tests: decompositions by elimination in extended precision, by the name of their template; nothing when there is
/// no such template. Inputs whose batch is smaller repeat. cholesky takes the symmetric part of its input.
std::optional<ReferenceTensor> matrix_reference(std::string_view name, const JsonObject& attrs,
                                                std::span<const ReferenceTensor* const> inputs, const Shape& shape);

}  // namespace alknet::graph
