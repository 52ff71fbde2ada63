#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/graph/graph.h"
#include "alknet/graph/shape_rule.h"

namespace alknet::graph {
namespace {

using Shapes = std::vector<SymbolicShape>;

/// The axis that the parameter `dim` names; a rank-0 input has one dimension here.
std::size_t named_axis(const RuleCall& call, std::size_t rank) {
  return call.axis("dim", call.integer("dim"), std::max<std::size_t>(rank, 1));
}

/// Every size of `inner` is at most that of `outer`, but for the dimension `except`.
bool covers(const SymbolicShape& outer, const SymbolicShape& inner, std::optional<std::size_t> except) {
  if (outer.size() != inner.size()) return false;
  for (std::size_t d = 0; d < inner.size(); ++d) {
    if (d == except || inner[d] == outer[d]) continue;
    const auto a = outer[d].constant(), b = inner[d].constant();
    if (!a || !b || *b > *a) return false;
  }
  return true;
}

Shapes gather(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  const SymbolicShape& index = call.input(1);
  if (!covers(input, index, named_axis(call, input.size()))) {
    call.fail_shape(fmt::format("index {} needs the rank of the input {} and may be larger in `dim` only",
                                shape_text(index), shape_text(input)));
  }
  return {index};
}

Shapes scatter(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  const SymbolicShape& index = call.input(1);
  const SymbolicShape& source = call.input(2);
  if (!covers(input, index, named_axis(call, input.size())) || !covers(source, index, std::nullopt)) {
    call.fail_shape(fmt::format("index {} must fit into src {}, and into the input {} but for `dim`", shape_text(index),
                                shape_text(source), shape_text(input)));
  }
  return {input};
}

Shapes gather_backward(const RuleCall& call) {
  const SymbolicShape sizes = call.dims("input_sizes");
  if (call.input(0) != call.input(1) || !covers(sizes, call.input(1), named_axis(call, sizes.size()))) {
    call.fail_shape(fmt::format("the gradient {} and the index {} do not go with the sizes {}",
                                shape_text(call.input(0)), shape_text(call.input(1)), shape_text(sizes)));
  }
  return {sizes};
}

/// PyTorch's order: before and after the last dimension, then the one before it.
Shapes pad(const RuleCall& call) {
  SymbolicShape shape = call.input(0);
  const SymbolicShape padding = call.dims("pad");
  if (padding.size() % 2 != 0 || padding.size() > 2 * shape.size()) {
    call.fail_attribute("pad", fmt::format("has {} items; it takes two for each of the last dimensions of {}",
                                           padding.size(), shape_text(shape)));
  }
  for (std::size_t i = 0; i < padding.size(); i += 2) {
    Dim& size = shape[shape.size() - 1 - i / 2];
    size = size + padding[i] + padding[i + 1];
  }
  return {shape};
}

Shapes concatenate(const RuleCall& call) {
  SymbolicShape shape = call.input(0);
  const std::size_t axis = call.axis("dim", call.integer("dim"), shape.size());
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    if (!call.has(i)) continue;
    SymbolicShape part = call.input(i);
    if (part.size() == shape.size()) {
      shape[axis] = shape[axis] + part[axis];
      part[axis] = shape[axis];
    }
    if (part != shape) {
      call.fail_shape(fmt::format("{} does not go beside {}: only the sizes of dimension {} may differ",
                                  shape_text(call.input(i)), shape_text(call.input(0)), axis));
    }
  }
  return {shape};
}

Shapes sort(const RuleCall& call) {
  named_axis(call, call.input(0).size());
  return {call.input(0), call.input(0)};
}

/// One dimension, or with `dim` null all of them, becomes a place in it.
template <std::size_t kOutputs>
Shapes reduce_dim(const RuleCall& call) {
  SymbolicShape shape = call.input(0);
  const bool keepdim = call.boolean("keepdim");
  const auto refuse_empty = [&](const Dim& size) {
    if (size == Dim(0)) call.fail_shape(fmt::format("{}: a size of 0 has no such element", shape_text(call.input(0))));
  };
  if (call.attribute("dim").is_null()) {
    for (const Dim& size : shape) refuse_empty(size);
    shape = SymbolicShape(keepdim ? shape.size() : 0, 1);
  } else if (const std::size_t axis = named_axis(call, shape.size()); !shape.empty()) {
    refuse_empty(shape[axis]);
    if (keepdim) {
      shape[axis] = 1;
    } else {
      shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
    }
  }
  return Shapes(kOutputs, shape);
}

Shapes data_dependent(const RuleCall& call) { call.fail_data_dependent(); }

constexpr std::array kIndexingRules = {
    ShapeRule{"data_dependent", data_dependent, nullptr, false, false},
    ShapeRule{"gather", gather, nullptr, false, false},
    ShapeRule{"scatter", scatter, nullptr, false, false},
    ShapeRule{"gather_backward", gather_backward, nullptr, false, false},
    ShapeRule{"pad", pad, nullptr, false, false},
    ShapeRule{"concatenate", concatenate, nullptr, false, false},
    ShapeRule{"sort", sort, nullptr, false, false},
    ShapeRule{"reduce_dim", reduce_dim<1>, nullptr, false, false},
    ShapeRule{"reduce_dim_pair", reduce_dim<2>, nullptr, false, false},
};

}  // namespace

std::span<const ShapeRule> indexing_shape_rules() { return kIndexingRules; }

}  // namespace alknet::graph
