#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/graph/shape.h"

namespace alknet::graph {

/// What a shape rule sees of one call, with the checks that rules share. Errors start with "[op]".
class RuleCall {
 public:
  RuleCall(const OpSpec& op, std::span<const std::optional<SymbolicShape>> inputs, const JsonObject& attrs)
      : op_(op), inputs_(inputs), attrs_(attrs) {}

  std::size_t input_count() const { return inputs_.size(); }
  bool has(std::size_t input) const { return input < inputs_.size() && inputs_[input].has_value(); }
  /// A required input's shape.
  const SymbolicShape& input(std::size_t index) const;

  bool has_attribute(std::string_view parameter) const { return attrs_.contains(parameter); }
  const Json& attribute(std::string_view parameter) const;
  std::int64_t integer(std::string_view parameter) const;
  bool boolean(std::string_view parameter) const;
  std::vector<std::int64_t> integers(std::string_view parameter) const;
  SymbolicShape dims(std::string_view parameter) const;

  /// `dim` of -rank .. rank-1 as 0 .. rank-1; a rank of 0 counts as 1 where `scalar_has_one`.
  std::size_t axis(std::string_view parameter, std::int64_t dim, std::size_t rank) const;
  /// Distinct axes of a list parameter.
  std::vector<std::size_t> axes(std::string_view parameter, std::size_t rank) const;

  [[noreturn]] void fail_shape(std::string_view message) const;
  /// Of an operation whose shape depends on elements.
  [[noreturn]] void fail_data_dependent() const;
  [[noreturn]] void fail_attribute(std::string_view parameter, std::string_view message) const;

 private:
  const OpSpec& op_;
  std::span<const std::optional<SymbolicShape>> inputs_;
  const JsonObject& attrs_;
};

/// One row of the table of rules in shape.cc.
struct ShapeRule {
  std::string_view name;
  std::vector<SymbolicShape> (*infer)(const RuleCall& call);
  /// Strides of a view whose result has the shape `output`; null for what is no view.
  std::optional<Strided> (*view)(const RuleCall& call, const Strided& input, const Shape& output);
  bool keeps_contiguous;  ///< A view of a contiguous input is contiguous, whatever the sizes.
  bool any_shape;         ///< Any shape with the same number of elements will do: inference may have known more.
};

/// Sizes of two shapes broadcast together, aligned at the end.
SymbolicShape broadcast(const RuleCall& call, std::span<const Dim> a, std::span<const Dim> b);

/// The shape of the slice of `input` that the parameters dim, start, end and step say (view_rules.cc).
SymbolicShape slice_shape(const RuleCall& call, const SymbolicShape& input);

/// Rules of operations that compute (shape_rules.cc).
std::span<const ShapeRule> computing_shape_rules();

/// Rules of operations that pick, place and order elements (indexing_shape_rules.cc).
std::span<const ShapeRule> indexing_shape_rules();

/// Rules of convolutions (window_rules.cc).
std::span<const ShapeRule> window_shape_rules();

/// Rules of pools and interpolation (pool_rules.cc).
std::span<const ShapeRule> pool_shape_rules();

/// Rules of decompositions (matrix_rules.cc).
std::span<const ShapeRule> matrix_shape_rules();

/// Rules of views (view_rules.cc).
std::span<const ShapeRule> view_shape_rules();

}  // namespace alknet::graph
