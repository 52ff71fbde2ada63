#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// Throws Error `invalid_input` (call) when a tensor has more elements than a document of numbers should.
void require_few_values(const graph::Shape& shape);

/// Elements as JSON: nested arrays by the shape, one number for rank 0. bool is true and false; floats that are no
/// numbers are "NaN", "Infinity", "-Infinity"; integers beyond 2^53 - 1 are texts of digits. For tensors that people
/// write and read; programs send bytes.
Json nested_values(graph::Dtype dtype, const graph::Shape& shape, std::span<const std::byte> bytes);

/// The row-major bytes of such a value. Throws Error `invalid_input` (call) that names the place of what does not fit
/// the dtype or the shape.
std::vector<std::byte> bytes_of_values(graph::Dtype dtype, const graph::Shape& shape, const Json& values);

}  // namespace alknet::compute
