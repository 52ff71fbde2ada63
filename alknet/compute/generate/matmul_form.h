#pragma once

#include <cstdint>

#include "alknet/base/json.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// How a hardware GPU's matrix product is cut up. `rows` and `columns` are a workgroup's tile of the result,
/// `thread_rows` and `thread_columns` an invocation's part of it, multiples of 4; `depth` is the step along the inner
/// dimension that passes through workgroup memory. The tile is a multiple of the parts, and the numbers of elements of
/// both operands' steps are multiples of 4 x the invocations.
struct MatmulTile {
  std::uint32_t rows = 128, columns = 128, depth = 16;
  std::uint32_t thread_rows = 16, thread_columns = 8;

  std::uint32_t invocations() const { return (rows / thread_rows) * (columns / thread_columns); }
  friend bool operator==(const MatmulTile&, const MatmulTile&) = default;
};

/// The same on matrix units. A fragment is what one instruction of a subgroup multiplies: f16 with sums in f32, or i8
/// with sums in i32, in a size that the adapter lists. A workgroup of 2 x 2 subgroups computes a tile; a subgroup
/// `parts` x `parts` fragments of it, in steps of two fragments' depth.
struct MatrixTile {
  std::uint32_t fragment_rows = 16, fragment_columns = 16, fragment_depth = 16;
  std::uint32_t parts = 4;      ///< Even.
  std::uint32_t subgroup = 32;  ///< Invocations, always as many.
  bool in_words = false;        ///< Fragments of i8 are loaded from places counted in words of 4, not in elements.

  std::uint32_t rows() const { return 2 * parts * fragment_rows; }
  std::uint32_t columns() const { return 2 * parts * fragment_columns; }
  std::uint32_t depth() const { return 2 * fragment_depth; }
  std::uint32_t invocations() const { return 4 * subgroup; }
  friend bool operator==(const MatrixTile&, const MatrixTile&) = default;
};

/// How an operand of a product lies in memory.
enum class MatmulReading : std::uint8_t {
  kElements,  ///< Anyhow: element by element.
  kInner,     ///< Contiguous along the inner dimension, in whole vectors of 4.
  kOuter,     ///< Contiguous along the other dimension, in whole vectors of 4.
};

/// The form of a product's kernel on hardware: one for each combination that the shapes bound ask for.
struct MatmulForm {
  enum class Kind : std::uint8_t {
    kTiled,   ///< Tiles of the result, by the template "matmul_tiled".
    kSplit,   ///< Few results over a long inner dimension: slices of it within a workgroup.
    kMatrix,  ///< On matrix units, f16 and i8 only.
  };
  Kind kind = Kind::kTiled;
  MatmulTile tile = {};
  MatrixTile matrix = {};
  MatmulReading left = MatmulReading::kElements, right = MatmulReading::kElements;
  /// For few tiles over a long inner dimension: workgroups compute slices of it into scratch memory, then another
  /// kernel adds them in order.
  enum class Stage : std::uint8_t { kAll, kSlices, kSum };
  Stage stage = Stage::kAll;
  bool whole = false;  ///< Rows, columns and inner size are multiples of the tile's: nothing is out of bounds.
  /// Of i8 in tiles or on matrix units: words of 4 elements pass through workgroup memory, in tiles those of 4 steps of
  /// the inner dimension, so that its depth counts words.
  bool bytes = false;
  bool dot4 = false;  ///< Products of words by WGSL's dot4I8Packed; else by its arithmetic.
  friend bool operator==(const MatmulForm&, const MatmulForm&) = default;
};

/// In what products of an operand's dtype are summed.
graph::Dtype matmul_sum_dtype(graph::Dtype operand);

/// Elements of the inner dimension that pass through workgroup memory together.
std::uint32_t matmul_step(const MatmulForm& form);

/// The placeholders of the template "matmul_tiled": sizes, and those parts of its text that are written out once a
/// register. Vectors of 4 along the rows of the left operand and along the columns of the right one are read from
/// workgroup memory; an invocation's vectors lie apart, so that neighbours read neighbouring ones.
JsonObject matmul_tiled_values(const MatmulForm& form, graph::Dtype operand);

/// The same of "matmul_matrix", written out once a fragment.
JsonObject matmul_matrix_values(const MatmulForm& form);

/// Elements of each operand's step in workgroup memory, in vectors of 4; each step of the depth is padded by one so
/// that stores along the depth meet different banks.
std::uint32_t matmul_left_vectors(const MatmulTile& tile);
std::uint32_t matmul_right_vectors(const MatmulTile& tile);

/// The same in elements for matrix units: rows are padded by 16 bytes.
std::uint32_t matmul_left_elements(const MatmulForm& form);
std::uint32_t matmul_right_elements(const MatmulForm& form);

}  // namespace alknet::compute
