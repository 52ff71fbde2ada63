#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/dtype.h"

namespace alknet::graph {

/// How a state begins where no store has it; the `init` of a state as JSON:
///
///   "zeros", "ones", a number
///   {"name": "full", "value": 0.5}
///   {"name": "uniform", "low": -0.1, "high": 0.1}        low = 0, high = 1 unless given
///   {"name": "normal", "mean": 0, "std": 0.02}           mean = 0, std = 1 unless given
///   "rng"                                                the state of random nodes, u32 [4]: seed, then step, low
///   first
struct Initializer {
  enum class Kind : std::uint8_t { kFull, kUniform, kNormal, kRng };
  Kind kind = Kind::kFull;
  double first = 0;   ///< Value, low or mean.
  double second = 0;  ///< High or std.

  /// Throws Error `graph_invalid` with a JSON pointer.
  static Initializer parse(const Json& init);
};

/// The row-major elements. Random ones are drawn by Philox from `seed` and `stream` (initializer_stream), in f64, and
/// rounded to the dtype. Throws Error `dtype_mismatch` for random integers, or "rng" of another dtype or shape.
std::vector<std::byte> initial_elements(const Initializer& initializer, Dtype dtype, const Shape& shape,
                                        std::uint64_t seed, std::uint32_t stream);

}  // namespace alknet::graph
