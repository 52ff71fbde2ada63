#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/graph/graph.h"
#include "alknet/graph/shape_rule.h"

namespace alknet::graph {
namespace {

using Shapes = std::vector<SymbolicShape>;

Shapes infer_reshape(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  SymbolicShape shape = call.dims("shape");
  const Dim total = element_count(input);
  Dim known = 1;
  std::optional<std::size_t> unknown;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == Dim(-1)) {
      if (unknown) call.fail_attribute("shape", "has more than one -1");
      unknown = i;
    } else {
      if (const auto size = shape[i].constant(); size && *size < 0) call.fail_attribute("shape", "has a negative size");
      known = known * shape[i];
    }
  }
  const auto fail = [&](std::string_view why) {
    call.fail_shape(fmt::format("{} cannot become {}: {}", shape_text(input), shape_text(shape), why));
  };
  if (!unknown) {
    if (total != known) fail(fmt::format("{} elements are not {}", total.text(), known.text()));
    return {shape};
  }
  if (known == Dim(0)) fail("-1 could be any size beside a size of 0");
  if (Dim::remainder(total, known) != Dim(0)) fail(fmt::format("{} does not divide {}", known.text(), total.text()));
  shape[*unknown] = Dim::floor_divide(total, known);
  return {shape};
}

/// Splits and joins dimensions as long as the elements of each run of input dimensions are evenly spaced (the rule of
/// PyTorch's `view`).
std::optional<Strided> view_reshape(const RuleCall&, const Strided& input, const Shape& output) {
  if (input.shape.empty() || element_count(input.shape) == 0) {
    return Strided{output, contiguous_strides(output), input.offset};
  }
  Strided view{output, Shape(output.size(), 1), input.offset};
  std::size_t next = output.size();
  std::int64_t input_elements = 1;
  std::int64_t view_elements = 1;
  std::int64_t base = input.strides.back();
  for (std::size_t i = input.shape.size(); i-- > 0;) {
    input_elements *= input.shape[i];
    const bool run_ends = i == 0 || (input.shape[i - 1] != 1 && input.strides[i - 1] != input_elements * base);
    if (!run_ends) continue;
    while (next > 0 && (view_elements < input_elements || output[next - 1] == 1)) {
      --next;
      view.strides[next] = view_elements * base;
      view_elements *= output[next];
    }
    if (view_elements != input_elements) return std::nullopt;
    if (i > 0) base = input.strides[i - 1];
    input_elements = 1;
    view_elements = 1;
  }
  if (next != 0) return std::nullopt;
  return view;
}

/// Axis of the input for each dimension of the result.
std::vector<std::size_t> permutation(const RuleCall& call) {
  const std::size_t rank = call.input(0).size();
  auto order = call.axes("dims", rank);
  if (order.size() != rank) {
    call.fail_attribute("dims", fmt::format("has {} items for an input of rank {}", order.size(), rank));
  }
  return order;
}

std::vector<std::size_t> transposition(const RuleCall& call) {
  const std::size_t rank = call.input(0).size();
  std::vector<std::size_t> order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = i;
  const std::size_t a = call.axis("dim0", call.integer("dim0"), std::max<std::size_t>(rank, 1));
  const std::size_t b = call.axis("dim1", call.integer("dim1"), std::max<std::size_t>(rank, 1));
  if (rank > 0) std::swap(order[a], order[b]);
  return order;
}

template <std::vector<std::size_t> (*order)(const RuleCall&)>
Shapes infer_reorder(const RuleCall& call) {
  SymbolicShape shape;
  for (const std::size_t axis : order(call)) shape.push_back(call.input(0)[axis]);
  return {shape};
}

template <std::vector<std::size_t> (*order)(const RuleCall&)>
std::optional<Strided> view_reorder(const RuleCall& call, const Strided& input, const Shape& output) {
  Strided view{output, {}, input.offset};
  for (const std::size_t axis : order(call)) view.strides.push_back(input.strides[axis]);
  return view;
}

Shapes infer_unsqueeze(const RuleCall& call) {
  SymbolicShape shape = call.input(0);
  const std::size_t axis = call.axis("dim", call.integer("dim"), shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  return {shape};
}

std::optional<Strided> view_unsqueeze(const RuleCall& call, const Strided& input, const Shape& output) {
  const std::size_t axis = call.axis("dim", call.integer("dim"), input.shape.size() + 1);
  const std::int64_t stride = axis < input.shape.size() ? input.shape[axis] * input.strides[axis] : 1;
  Strided view{output, input.strides, input.offset};
  view.strides.insert(view.strides.begin() + static_cast<std::ptrdiff_t>(axis), stride);
  return view;
}

/// The axes that `squeeze` keeps.
std::vector<std::size_t> unsqueezed_axes(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  const bool all = call.attribute("dim").is_null();
  std::vector<std::size_t> named;
  if (!all) named = call.axes("dim", input.size());
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const bool candidate = all || std::find(named.begin(), named.end(), i) != named.end();
    if (candidate && !input[i].constant()) {
      call.fail_shape(
          fmt::format("the size {} of {} may or may not be 1; use reshape", input[i].text(), shape_text(input)));
    }
    if (!candidate || input[i] != Dim(1)) kept.push_back(i);
  }
  return kept;
}

Shapes infer_expand(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  SymbolicShape shape = call.dims("size");
  if (shape.size() < input.size()) {
    call.fail_shape(fmt::format("{} has more dimensions than the size {}", shape_text(input), shape_text(shape)));
  }
  const std::size_t added = shape.size() - input.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool keep = shape[i] == Dim(-1);
    if (i < added) {
      if (keep) call.fail_attribute("size", fmt::format("has -1 for the new dimension {}", i));
    } else if (keep) {
      shape[i] = input[i - added];
    } else if (input[i - added] != Dim(1) && input[i - added] != shape[i]) {
      call.fail_shape(fmt::format("{} does not expand to {}: {} is neither 1 nor {}", shape_text(input),
                                  shape_text(shape), input[i - added].text(), shape[i].text()));
    }
  }
  return {shape};
}

std::optional<Strided> view_expand(const RuleCall&, const Strided& input, const Shape& output) {
  Strided view{output, Shape(output.size(), 0), input.offset};
  const std::size_t added = output.size() - input.shape.size();
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    if (input.shape[i] == output[added + i]) view.strides[added + i] = input.strides[i];
  }
  return view;
}

/// Where a slice starts, and how many elements it spans before its step.
struct Span {
  std::size_t axis;
  Dim start, length;
  std::int64_t step;
};

Dim position(const RuleCall& call, std::string_view parameter, const Dim& size, const Dim& otherwise) {
  const Json& value = call.attribute(parameter);
  if (value.is_null()) return otherwise;
  const Dim at = dim_from_attribute(value);
  const auto known = at.constant();
  return known && *known < 0 ? size + at : at;
}

Span slice_span(const RuleCall& call, const SymbolicShape& input) {
  const std::size_t axis = call.axis("dim", call.integer("dim"), input.size());
  const Dim& size = input[axis];
  Dim start = position(call, "start", size, 0);
  Dim end = position(call, "end", size, size);
  const auto known_size = size.constant();
  const auto clamp = [&](Dim& at, std::int64_t least) {
    if (const auto known = at.constant(); known && known_size) at = std::clamp(*known, least, *known_size);
  };
  clamp(start, 0);
  clamp(end, start.constant().value_or(0));
  Dim length = end - start;
  if (const auto known = length.constant(); known && *known < 0) length = 0;
  return {axis, start, length, call.integer("step")};
}

Shapes infer_slice(const RuleCall& call) { return {slice_shape(call, call.input(0))}; }

std::optional<Strided> view_slice(const RuleCall& call, const Strided& input, const Shape& output) {
  const Span span = slice_span(call, call.input(0));
  Strided view{output, input.strides, input.offset};
  view.offset += span.start.evaluate({}) * input.strides[span.axis];
  // A step beyond the only element would overflow for nothing.
  if (output[span.axis] > 1) view.strides[span.axis] *= span.step;
  return view;
}

constexpr std::array kViewRules = {
    ShapeRule{"reshape", infer_reshape, view_reshape, true, true},
    ShapeRule{"permute", infer_reorder<permutation>, view_reorder<permutation>, false, false},
    ShapeRule{"transpose", infer_reorder<transposition>, view_reorder<transposition>, false, false},
    ShapeRule{"unsqueeze", infer_unsqueeze, view_unsqueeze, true, false},
    ShapeRule{"squeeze", infer_reorder<unsqueezed_axes>, view_reorder<unsqueezed_axes>, true, false},
    ShapeRule{"expand", infer_expand, view_expand, false, false},
    ShapeRule{"slice", infer_slice, view_slice, false, false},
};

}  // namespace

SymbolicShape slice_shape(const RuleCall& call, const SymbolicShape& input) {
  const Span span = slice_span(call, input);
  SymbolicShape shape = input;
  if (const auto known = span.length.constant()) {
    shape[span.axis] = *known == 0 ? 0 : (*known - 1) / span.step + 1;
  } else {
    shape[span.axis] = Dim::floor_divide(span.length + Dim(span.step - 1), span.step);
  }
  return shape;
}

std::span<const ShapeRule> view_shape_rules() { return kViewRules; }

}  // namespace alknet::graph
