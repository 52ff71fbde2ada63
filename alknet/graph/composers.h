#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/graph/composite.h"
#include "alknet/graph/shape_rule.h"

namespace alknet::graph {

/// What a composer sees of one call, and how it writes: the checks of shape rules, the nodes of NodeWriter.
class Composition {
 public:
  Composition(NodeWriter& writer, const CompositeCall& call);

  const RuleCall& rule() const { return rule_; }
  NodeWriter& writer() { return writer_; }

  bool has(std::size_t input) const { return !call_.inputs[input].empty(); }
  /// A given input; absent when it is not.
  Ref input(std::size_t index) const { return has(index) ? call_.inputs[index].front() : Ref{}; }
  /// A variadic input.
  const std::vector<Ref>& list(std::size_t index) const { return call_.inputs[index]; }

  const SymbolicShape& shape(const Ref& ref) const { return writer_.type(ref).shape; }
  Dtype dtype(const Ref& ref) const { return writer_.type(ref).dtype; }
  std::int64_t rank(const Ref& ref) const { return std::ssize(shape(ref)); }

  const Json& attribute(std::string_view parameter) const { return rule_.attribute(parameter); }
  std::int64_t integer(std::string_view parameter) const { return rule_.integer(parameter); }
  bool boolean(std::string_view parameter) const { return rule_.boolean(parameter); }
  double number(std::string_view parameter) const { return attribute(parameter).to_number<double>(); }
  std::string_view text(std::string_view parameter) const { return attribute(parameter).get_string(); }
  /// `integer(parameter)` as a dimension of `ref`.
  std::size_t axis(std::string_view parameter, const Ref& ref) const {
    return rule_.axis(parameter, integer(parameter), shape(ref).size());
  }

  /// The first output of a node.
  Ref node(std::string_view op, const std::vector<Ref>& inputs, JsonObject attrs = {}) {
    return writer_.node(op, inputs, std::move(attrs));
  }
  /// A number parameter as a weak scalar of its kind.
  Ref scalar_of(std::string_view parameter) const;
  static Ref scalar(double value) { return {{}, 0, Scalar::of(value)}; }
  static Ref scalar(std::int64_t value) { return {{}, 0, Scalar::of(value)}; }

 private:
  static std::vector<std::optional<SymbolicShape>> shapes_of(const NodeWriter& writer, const CompositeCall& call);

  NodeWriter& writer_;
  const CompositeCall& call_;
  std::vector<std::optional<SymbolicShape>> shapes_;
  RuleCall rule_;
};

/// One row of the tables below: writes a call and returns its outputs.
struct Composer {
  std::string_view name;
  std::vector<Ref> (*write)(Composition& composition);
};

/// Whether an op table entry may name this composer.
bool has_composer(std::string_view name);
/// Op tables only hold names of composers that exist.
const Composer& composer(std::string_view name);

/// Views and what is made of them (compose/shapes.cc).
std::span<const Composer> shape_composers();
/// Products of matrices and vectors (compose/linear_algebra.cc).
std::span<const Composer> linear_algebra_composers();
/// compose/einsum.cc.
std::span<const Composer> einsum_composers();
/// Normalisation, positions, classes (compose/nn.cc).
std::span<const Composer> nn_composers();
/// Attention as users call it (compose/attention.cc).
std::span<const Composer> attention_composers();
/// compose/losses.cc.
std::span<const Composer> loss_composers();
/// compose/random.cc.
std::span<const Composer> random_composers();
/// Normalisations of several outputs (compose/batch_norm.cc).
std::span<const Composer> normalization_composers();

/// What picks and places elements (compose/indexing.cc).
std::span<const Composer> indexing_composers();

/// Running extremes and places of what is true (compose/places.cc).
std::span<const Composer> place_composers();

/// Reductions and what is made of sorting (compose/reductions.cc).
std::span<const Composer> reduction_composers();

}  // namespace alknet::graph
