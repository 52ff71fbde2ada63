#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// Elements, or arrays of them, beyond which a document of numbers is the wrong form.
inline constexpr std::int64_t kMaxValues = 1'000'000;

/// How many a tensor's document has. Throws Error `invalid_input` (call) when that is more than `room`.
std::int64_t require_few_values(const graph::Shape& shape, std::int64_t room = kMaxValues);

/// Elements as JSON: nested arrays by the shape, one number for rank 0. bool is true and false; floats that are no
/// numbers are "NaN", "Infinity", "-Infinity"; integers beyond 2^53 - 1 are texts of digits. For tensors that people
/// write and read; programs send bytes.
Json nested_values(graph::Dtype dtype, const graph::Shape& shape, std::span<const std::byte> bytes);

/// The row-major bytes of such a value. Throws Error `invalid_input` (call) that names the place of what does not fit
/// the dtype or the shape.
std::vector<std::byte> bytes_of_values(graph::Dtype dtype, const graph::Shape& shape, const Json& values);

}  // namespace alknet::compute
