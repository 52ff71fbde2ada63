#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "alknet/graph/dtype.h"
#include "alknet/graph/expr/program.h"
#include "alknet/graph/op_table.h"

namespace alknet::compute {

using graph::Dtype;

/// Elements of a tile; small enough that the tiles of a fused group stay in the L1 cache.
inline constexpr std::size_t kTileElements = 1024;

/// Tile kernels process whole vectors: `count` is a multiple of this.
inline constexpr std::size_t kTileMultiple = 16;

/// Scalar parameters of an operation by their place among its scalar parameters.
struct TileParameters {
  std::array<double, 4> number{};         ///< For variables of a float dtype.
  std::array<std::int64_t, 4> integer{};  ///< For the others.
};

/// Computes `count` elements, each from the elements at its place in `inputs`. Tiles hold register dtypes (see
/// register_dtype) and need no alignment; outputs may be inputs.
using TileFunction = void (*)(const void* const* inputs, void* const* outputs, std::size_t count,
                              const TileParameters& parameters);

/// An argument of a step: a tile, or one vector of kTileMultiple equal elements that stands for one.
struct TileOperand {
  const void* data;
  std::size_t mask;  ///< Element i is at `i & mask`: ~0 for a tile, 0 for a vector.
};
inline constexpr std::size_t kTileMask = ~std::size_t{0};

/// Computes `count` elements of one step of an expression. Like TileFunction; `output` may be an input's tile.
using OpcodeFunction = void (*)(const TileOperand* inputs, void* output, std::size_t count);

/// The generated kernel of a step on operands of a compute dtype (of kSelect: of its values).
struct OpcodeKernel {
  graph::expr::Opcode opcode;
  Dtype dtype;
  OpcodeFunction run;
};

/// Two arithmetic steps of f32 in one pass: `outer` of the result of `inner` and, unless it is unary, one operand more.
/// Operands: those of `inner`, then the other, or the other first when not `inner_first`.
struct PairKernel {
  graph::expr::Opcode outer, inner;
  bool inner_first;
  OpcodeFunction run;
};

/// Generated kernels of a reduction whose accumulator has the given compute dtype. Counts are arbitrary here.
struct ReductionKernel {
  std::string_view op;
  Dtype accumulator;
  Dtype output;
  /// Reduces `count` contiguous elements to the one `*result`.
  void (*fold)(const void* input, std::size_t count, void* result);
  /// Sets `count` accumulators to the value of nothing.
  void (*clear)(void* accumulators, std::size_t count);
  /// Folds one element into each accumulator.
  void (*fold_columns)(const void* input, void* accumulators, std::size_t count);
  /// Folds accumulators into accumulators.
  void (*merge)(const void* from, void* accumulators, std::size_t count);
  TileFunction finish;  ///< accumulator -> output; parameter 0 is the number of elements reduced.
};

/// The dtype in which an element lives in a tile: f32 for f16 and bf16, i32 for i8 and u8, else its own.
Dtype register_dtype(Dtype dtype);

/// The kernel for the best instruction set of this machine, or null when the expression language has no such step.
const OpcodeKernel* find_opcode_kernel(graph::expr::Opcode opcode, Dtype dtype);

/// The kernel of `outer` whose argument number `place` (0 or 1) is the result of `inner`, or null.
const PairKernel* find_pair_kernel(graph::expr::Opcode outer, graph::expr::Opcode inner, std::size_t place);

/// The kernel that reduces elements of a dtype, which it takes as its accumulator's; or null.
const ReductionKernel* find_reduction_kernel(const graph::OpSpec& op, Dtype input);

}  // namespace alknet::compute
