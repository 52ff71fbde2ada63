#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

inline constexpr std::size_t kMaxRank = 32;

/// dtype and shape of a value in a graph.
struct ValueType {
  Dtype dtype = Dtype::kF32;
  SymbolicShape shape;
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

/// Output shapes of an operation by the rule that its entry names (broadcast, reduce, matmul, ...).
/// `inputs` is parallel to the op's inputs (an absent one is nullopt, a scalar is rank 0); `attrs` are complete.
/// Symbolic sizes are equal when their expressions are; a size of 1 broadcasts; two different expressions are an error.
/// Ranks go up to kMaxRank.
/// Throws Error `shape_mismatch` or `bad_attribute`: "[matmul] ...", with the shapes.
std::vector<SymbolicShape> infer_shapes(const OpSpec& op, std::span<const std::optional<SymbolicShape>> inputs,
                                        const JsonObject& attrs);

/// Whether an op table entry may name this shape rule.
bool has_shape_rule(std::string_view name);

/// Where a value's elements lie in its memory, in elements. Strides may be 0 (expanded).
struct Strided {
  Shape shape;
  Shape strides;
  std::int64_t offset = 0;
  friend bool operator==(const Strided&, const Strided&) = default;
};

bool is_contiguous(const Strided& layout);

/// Applies a view operation (reshape, permute, expand, slice, ...) to a concrete layout without touching memory.
/// Nothing when the elements cannot be so arranged (reshape of a transposed tensor): the caller copies first.
/// `attrs` are complete and hold no symbols (see `bind_attributes`).
///
/// Pass the inferred shape as `expected` when it was inferred with symbols: inference then assumed that a slice lies
/// inside and that -1 in a reshape is known, which the sizes of one run may break (throws Error `shape_mismatch`).
std::optional<Strided> apply_view(const OpSpec& op, const Strided& input, const JsonObject& attrs,
                                  const Shape* expected = nullptr);

/// Whether a view of a *contiguous* input stays contiguous whatever the sizes (reshape, unsqueeze: yes).
bool view_keeps_contiguous(const OpSpec& op);

/// Replaces dimension expressions in attributes (texts where the parameter's schema has `"dim": true`) by integers.
JsonObject bind_attributes(const OpSpec& op, const JsonObject& attrs, const DimValues& values);

}  // namespace alknet::graph
