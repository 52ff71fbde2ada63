#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// How many spatial dimensions an operation has: the digit in its shape rule's name ("pool2d"), else all behind the
/// first two of `rank`.
std::size_t spatial_rank(const OpSpec& op, std::size_t rank);

/// The elements of the source that one place of a pool looks at: first, first + step, ..., all inside.
struct WindowRange {
  std::int64_t first = 0, count = 0, step = 1;
};

/// Ranges of every place along one dimension. `attrs` are those of a pool, or of an adaptive one (without
/// `kernel_size`): part o of n is floor(o * input / n) up to ceil((o + 1) * input / n).
std::vector<WindowRange> pool_ranges(const JsonObject& attrs, std::size_t dimension, std::int64_t input,
                                     std::int64_t output);

/// Average pools and interpolation are linear and separable: an element of the result is a sum over taps, a tap's
/// weight the product of those along each dimension.
struct ResampleTap {
  std::int64_t source = 0;
  double weight = 0;
};

/// Taps of every place along one dimension of `rank`. `attrs` are those of an average pool, an adaptive one or
/// interpolate.
std::vector<std::vector<ResampleTap>> resample_taps(const JsonObject& attrs, std::size_t dimension, std::size_t rank,
                                                    std::int64_t input, std::int64_t output);

/// The same map turned round: for every element of the source, the places that it adds to.
std::vector<std::vector<ResampleTap>> transposed_taps(const std::vector<std::vector<ResampleTap>>& taps,
                                                      std::int64_t input);

/// Input elements from one place of interpolate to the next (not with `align_corners`).
double interpolate_scale(const JsonObject& attrs, std::size_t dimension, std::int64_t input, std::int64_t output);

}  // namespace alknet::graph
