#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "alknet/graph/graph.h"
#include "alknet/graph/shape_rule.h"

namespace alknet::graph {
namespace {

using Shapes = std::vector<SymbolicShape>;

std::span<const Dim> leading(const SymbolicShape& shape, std::size_t trailing) {
  return std::span(shape).first(shape.size() - trailing);
}

/// All inputs broadcast together.
Shapes elementwise(const RuleCall& call) {
  SymbolicShape shape;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (call.has(i)) shape = broadcast(call, shape, call.input(i));
  }
  return {shape};
}

/// `dim` (null or empty: all) goes away, or becomes 1 with `keepdim`.
Shapes reduce(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  std::vector<std::size_t> axes;
  if (!call.attribute("dim").is_null()) axes = call.axes("dim", input.size());
  const bool all = axes.empty();
  const bool keepdim = call.boolean("keepdim");
  SymbolicShape shape;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const bool reduced = all || std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced) shape.push_back(input[i]);
    if (reduced && keepdim) shape.emplace_back(1);
  }
  return {shape};
}

/// As `reduce`, for what nothing has no value of.
Shapes reduce_nonempty(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  std::vector<std::size_t> axes;
  if (!call.attribute("dim").is_null()) axes = call.axes("dim", input.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    const bool reduced = axes.empty() || std::find(axes.begin(), axes.end(), i) != axes.end();
    if (reduced && input[i] == Dim(0)) {
      call.fail_shape(
          fmt::format("{}: a size of 0 cannot be reduced; give dimensions that have elements", shape_text(input)));
    }
  }
  return reduce(call);
}

/// The input's shape; `dim` must be one of its dimensions.
Shapes along_dim(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  // As in PyTorch, a rank-0 input has one dimension here.
  call.axis("dim", call.integer("dim"), std::max<std::size_t>(input.size(), 1));
  return {input};
}

Shapes linear_scan(const RuleCall& call) {
  if (call.input(0) != call.input(1)) {
    call.fail_shape(fmt::format("decay {} and input {} differ", shape_text(call.input(0)), shape_text(call.input(1))));
  }
  return along_dim(call);
}

/// The parameter `size`.
Shapes size(const RuleCall& call) { return {call.dims("size")}; }

/// One element per `step` from `start` to before `end`; integers or dimensions, or whole numbers of floats.
Shapes arange(const RuleCall& call) {
  const auto whole = [](const Json& value) { return value.is_string() || value.is_int64() || value.is_uint64(); };
  const Json& start = call.attribute("start");
  const Json& end = call.attribute("end");
  const Json& step = call.attribute("step");
  if (step.to_number<double>() == 0) call.fail_attribute("step", "must not be 0");
  if (whole(start) && whole(end) && whole(step)) {
    const auto by = step.to_number<std::int64_t>();
    const Dim span = dim_from_attribute(end) - dim_from_attribute(start);
    const Dim count = Dim::floor_divide(span + Dim(by > 0 ? by - 1 : by + 1), Dim(by));
    if (count.constant().value_or(0) < 0) call.fail_attribute("step", "leads away from `end`");
    return {{count}};
  }
  if (end.is_string()) call.fail_attribute("end", "is a dimension: start and step must be integers");
  const double count = std::ceil((end.to_number<double>() - start.to_number<double>()) / step.to_number<double>());
  constexpr double kMost = 9007199254740992.0;
  if (!(count >= 0)) call.fail_attribute("step", "leads away from `end`");
  if (count > kMost) call.fail_attribute("step", "is too small: there would be more than 2^53 elements");
  return {{Dim(static_cast<std::int64_t>(count))}};
}

Shapes linspace(const RuleCall& call) { return {{Dim(call.integer("steps"))}}; }

/// [n, m], or [n, n] when `m` is null.
Shapes eye(const RuleCall& call) {
  const Dim rows = dim_from_attribute(call.attribute("n"));
  const Json& columns = call.attribute("m");
  return {{rows, columns.is_null() ? rows : dim_from_attribute(columns)}};
}

/// The shape of the input, whose rank is at least 2.
Shapes matrix(const RuleCall& call) {
  if (call.input(0).size() < 2) {
    call.fail_shape(fmt::format("the input has the shape {}; its rank must be at least 2", shape_text(call.input(0))));
  }
  return {call.input(0)};
}

/// PyTorch's matmul: a vector on the left is a row, on the right a column, and its dimension goes away again.
Shapes matmul(const RuleCall& call) {
  SymbolicShape a = call.input(0);
  SymbolicShape b = call.input(1);
  const auto fail = [&](std::string_view why) {
    call.fail_shape(fmt::format("{} and {}: {}", shape_text(call.input(0)), shape_text(call.input(1)), why));
  };
  if (a.empty() || b.empty()) fail("both inputs need a rank of at least 1");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.emplace_back(1);
  const Dim& inner = a.back();
  const Dim& other_inner = b[b.size() - 2];
  if (inner != other_inner) fail(fmt::format("the inner sizes {} and {} differ", inner.text(), other_inner.text()));
  SymbolicShape shape = broadcast(call, leading(a, 2), leading(b, 2));
  if (!row) shape.push_back(a[a.size() - 2]);
  if (!column) shape.push_back(b.back());
  return {shape};
}

Shapes layer_norm(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  const SymbolicShape normalized = call.dims("normalized_shape");
  if (normalized.size() > input.size() ||
      !std::equal(normalized.begin(), normalized.end(), input.end() - static_cast<std::ptrdiff_t>(normalized.size()))) {
    call.fail_shape(
        fmt::format("the input {} does not end in normalized_shape {}", shape_text(input), shape_text(normalized)));
  }
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (call.has(i) && call.input(i) != normalized) {
      call.fail_shape(fmt::format("{} has the shape {}; normalized_shape is {}", i == 1 ? "weight" : "bias",
                                  shape_text(call.input(i)), shape_text(normalized)));
    }
  }
  return {input};
}

Shapes embedding(const RuleCall& call) {
  const SymbolicShape& weight = call.input(0);
  if (weight.size() != 2)
    call.fail_shape(fmt::format("weight has the shape {}; its rank must be 2", shape_text(weight)));
  SymbolicShape shape = call.input(1);
  shape.push_back(weight[1]);
  return {shape};
}

Shapes slice_backward(const RuleCall& call) {
  const SymbolicShape sizes = call.dims("input_sizes");
  const SymbolicShape slice = slice_shape(call, sizes);
  if (call.input(0) != slice) {
    call.fail_shape(fmt::format("the slice of {} has the shape {}, but the gradient {}", shape_text(sizes),
                                shape_text(slice), shape_text(call.input(0))));
  }
  return {sizes};
}

/// grad_output [indices..., D] -> [num_weights, D].
Shapes embedding_dense_backward(const RuleCall& call) {
  const SymbolicShape& gradient = call.input(0);
  const SymbolicShape& indices = call.input(1);
  if (gradient.empty() || !std::ranges::equal(leading(gradient, 1), indices)) {
    call.fail_shape(fmt::format("the gradient {} does not have the shape {} of the indices and one dimension more",
                                shape_text(gradient), shape_text(indices)));
  }
  return {{dim_from_attribute(call.attribute("num_weights")), gradient.back()}};
}

/// The state's shape, which the value has too, or with `at` fits into.
Shapes assign(const RuleCall& call) {
  const SymbolicShape& state = call.input(0);
  const SymbolicShape& value = call.input(1);
  if (call.attribute("at").is_null()) {
    if (state != value) {
      call.fail_shape(fmt::format("the state is {}, but the value {}; give \"at\" to write a part of it",
                                  shape_text(state), shape_text(value)));
    }
    return {state};
  }
  const SymbolicShape at = call.dims("at");
  if (at.size() != state.size() || value.size() != state.size()) {
    call.fail_shape(fmt::format("the state {}, the value {} and \"at\" {} need one rank", shape_text(state),
                                shape_text(value), shape_text(at)));
  }
  for (std::size_t d = 0; d < at.size(); ++d) {
    const auto end = (at[d] + value[d]).constant();
    const auto size = state[d].constant();
    if ((at[d].constant() && *at[d].constant() < 0) || (end && size && *end > *size)) {
      call.fail_attribute("at", fmt::format("is {}: a value {} does not lie inside the state {}", shape_text(at),
                                            shape_text(value), shape_text(state)));
    }
  }
  return {state};
}

/// query [..., L, E], key [..., S, E], value [..., S, V] -> [..., L, V], with equal leading sizes.
Shapes attention(const RuleCall& call) {
  const SymbolicShape& query = call.input(0);
  const SymbolicShape& key = call.input(1);
  const SymbolicShape& value = call.input(2);
  const auto fail = [&](std::string_view why) {
    call.fail_shape(
        fmt::format("query {}, key {}, value {}: {}", shape_text(query), shape_text(key), shape_text(value), why));
  };
  const std::size_t rank = query.size();
  if (rank < 2 || key.size() != rank || value.size() != rank) fail("all need one rank of at least 2");
  const auto batch = leading(query, 2);
  if (!std::ranges::equal(batch, leading(key, 2)) || !std::ranges::equal(batch, leading(value, 2))) {
    fail("the sizes before the last two differ");
  }
  if (query[rank - 1] != key[rank - 1]) fail("query and key differ in the last size");
  if (key[rank - 2] != value[rank - 2]) fail("key and value differ in the size before the last");
  SymbolicShape shape = query;
  if (call.has(3)) {
    if (call.boolean("is_causal")) call.fail_attribute("is_causal", "and attn_mask exclude each other");
    shape[rank - 1] = key[rank - 2];
    const SymbolicShape& mask = call.input(3);
    if (mask.size() > rank || broadcast(call, shape, mask) != shape) {
      call.fail_shape(fmt::format("attn_mask {} does not broadcast to {}", shape_text(mask), shape_text(shape)));
    }
  }
  shape[rank - 1] = value[rank - 1];
  return {shape};
}

constexpr std::array kComputingRules = {
    ShapeRule{"elementwise", elementwise, nullptr, false, false},
    ShapeRule{"size", size, nullptr, false, false},
    ShapeRule{"arange", arange, nullptr, false, false},
    ShapeRule{"linspace", linspace, nullptr, false, false},
    ShapeRule{"eye", eye, nullptr, false, false},
    ShapeRule{"matrix", matrix, nullptr, false, false},
    ShapeRule{"reduce", reduce, nullptr, false, false},
    ShapeRule{"reduce_nonempty", reduce_nonempty, nullptr, false, false},
    ShapeRule{"linear_scan", linear_scan, nullptr, false, false},
    ShapeRule{"along_dim", along_dim, nullptr, false, false},
    ShapeRule{"matmul", matmul, nullptr, false, false},
    ShapeRule{"layer_norm", layer_norm, nullptr, false, false},
    ShapeRule{"embedding", embedding, nullptr, false, false},
    ShapeRule{"assign", assign, nullptr, false, false},
    ShapeRule{"attention", attention, nullptr, false, false},
    ShapeRule{"slice_backward", slice_backward, nullptr, false, false},
    ShapeRule{"embedding_dense_backward", embedding_dense_backward, nullptr, false, false},
};

}  // namespace

std::span<const ShapeRule> computing_shape_rules() { return kComputingRules; }

}  // namespace alknet::graph
