#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/graph/graph.h"
#include "alknet/graph/shape_rule.h"
#include "alknet/graph/window.h"

namespace alknet::graph {
namespace {

using WindowShapes = std::vector<SymbolicShape>;

/// A parameter that is one integer or a list must have an item for each spatial dimension.
void check_window_parameter(const RuleCall& call, std::string_view name, std::size_t rank) {
  const auto* list = call.attribute(name).if_array();
  if (list != nullptr && list->size() != 1 && list->size() != rank) {
    call.fail_attribute(name, fmt::format("has {} items for {} spatial dimensions", list->size(), rank));
  }
}

std::int64_t at(const RuleCall& call, std::string_view name, std::size_t d) {
  return window_parameter(call.attribute(name), d);
}

/// Checks input and weight against each other. Returns the index of the first spatial dimension of the input.
std::size_t check_convolution(const RuleCall& call, const SymbolicShape& input, const SymbolicShape& weight,
                              std::size_t rank) {
  if (weight.size() != rank + 2 || (input.size() != rank + 2 && input.size() != rank + 1)) {
    call.fail_shape(
        fmt::format("input {} and weight {}: the weight needs a rank of {}, the input that or one less "
                    "(without a batch)",
                    shape_text(input), shape_text(weight), rank + 2));
  }
  for (const char* name : {"stride", "padding", "dilation"}) check_window_parameter(call, name, rank);
  const Json& padding = call.attribute("padding");
  if (padding.is_string() && padding.get_string() == "same") {
    for (std::size_t d = 0; d < rank; ++d) {
      if (at(call, "stride", d) != 1) call.fail_attribute("padding", "\"same\" takes no stride other than 1");
    }
  }
  return input.size() - rank;
}

void check_bias(const RuleCall& call, std::size_t index, const Dim& channels) {
  if (call.has(index) && call.input(index) != SymbolicShape{channels}) {
    call.fail_shape(fmt::format("the bias has the shape {}; there are {} output channels",
                                shape_text(call.input(index)), channels.text()));
  }
}

void check_groups(const RuleCall& call, const Dim& channels, const Dim& per_group, std::string_view what) {
  const std::int64_t groups = call.integer("groups");
  if (channels != per_group * Dim(groups)) {
    call.fail_shape(fmt::format("there are {} {} channels, but the weight has {} for each of {} group(s)",
                                channels.text(), what, per_group.text(), groups));
  }
}

void check_divides(const RuleCall& call, const Dim& channels) {
  const std::int64_t groups = call.integer("groups");
  if (const auto count = channels.constant(); count && *count % groups != 0) {
    call.fail_attribute("groups", fmt::format("is {}, which does not divide {} channels", groups, *count));
  }
}

Dim convolved(const RuleCall& call, const Dim& input, const Dim& kernel, std::size_t d) {
  const Json& padding = call.attribute("padding");
  if (padding.is_string() && padding.get_string() == "same") return input;
  const Dim both = padding.is_string() ? Dim(0) : Dim(2) * Dim(window_parameter(padding, d));
  const Dim room = input + both - Dim(at(call, "dilation", d)) * (kernel - Dim(1)) - Dim(1);
  if (const auto size = room.constant(); size && *size < 0) {
    call.fail_shape(fmt::format("the kernel of {} with dilation {} is larger than the padded input of {}",
                                kernel.text(), at(call, "dilation", d), (input + both).text()));
  }
  return Dim::floor_divide(room, Dim(at(call, "stride", d))) + Dim(1);
}

/// input [N?, C, ...], weight [O, C / groups, ...], bias [O] -> [N?, O, ...].
SymbolicShape convolution_shape(const RuleCall& call, std::size_t rank) {
  const SymbolicShape& input = call.input(0);
  const SymbolicShape& weight = call.input(1);
  const std::size_t first = check_convolution(call, input, weight, rank);
  check_groups(call, input[first - 1], weight[1], "input");
  check_divides(call, weight[0]);
  check_bias(call, 2, weight[0]);
  SymbolicShape shape = input;
  shape[first - 1] = weight[0];
  for (std::size_t d = 0; d < rank; ++d) shape[first + d] = convolved(call, input[first + d], weight[2 + d], d);
  return shape;
}

template <std::size_t kRank>
WindowShapes convolution_of(const RuleCall& call) {
  return {convolution_shape(call, kRank)};
}

/// Any rank; the result has the shape that a gradient needs.
WindowShapes convolution(const RuleCall& call) {
  SymbolicShape shape = call.dims("output_size");
  const SymbolicShape& weight = call.input(1);
  if (weight.size() < 3) call.fail_shape(fmt::format("the weight {} needs a rank of 3 or more", shape_text(weight)));
  const std::size_t first = check_convolution(call, call.input(0), weight, weight.size() - 2);
  check_groups(call, call.input(0)[first - 1], weight[1], "input");
  if (shape.size() != call.input(0).size() || shape[first - 1] != weight[0]) {
    call.fail_attribute("output_size", fmt::format("is {}, which the input {} and the weight {} cannot give",
                                                   shape_text(shape), shape_text(call.input(0)), shape_text(weight)));
  }
  return {shape};
}

/// input [N?, C, ...], weight [C, O / groups, ...], bias [O] -> [N?, O, ...].
template <std::size_t kRank>
WindowShapes convolution_transpose_of(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  const SymbolicShape& weight = call.input(1);
  const std::size_t first = check_convolution(call, input, weight, kRank);
  check_window_parameter(call, "output_padding", kRank);
  if (input[first - 1] != weight[0]) {
    call.fail_shape(
        fmt::format("there are {} input channels, but the weight has {}", input[first - 1].text(), weight[0].text()));
  }
  check_divides(call, weight[0]);
  SymbolicShape shape = input;
  shape[first - 1] = weight[1] * Dim(call.integer("groups"));
  check_bias(call, 2, shape[first - 1]);
  for (std::size_t d = 0; d < kRank; ++d) {
    const std::int64_t more = at(call, "output_padding", d), stride = at(call, "stride", d);
    const std::int64_t dilation = at(call, "dilation", d);
    if (more >= std::max(stride, dilation)) {
      call.fail_attribute("output_padding",
                          fmt::format("is {}, but must be less than stride {} or dilation {}", more, stride, dilation));
    }
    shape[first + d] = (input[first + d] - Dim(1)) * Dim(stride) - Dim(2) * Dim(at(call, "padding", d)) +
                       Dim(dilation) * (weight[2 + d] - Dim(1)) + Dim(more) + Dim(1);
  }
  return {shape};
}

/// grad_output [N?, O, ...], weight [O, C / groups, ...] -> input_size.
WindowShapes convolution_backward_input(const RuleCall& call) {
  const SymbolicShape shape = call.dims("input_size");
  const SymbolicShape& weight = call.input(1);
  if (weight.size() < 3) call.fail_shape(fmt::format("the weight {} needs a rank of 3 or more", shape_text(weight)));
  const std::size_t first = check_convolution(call, shape, weight, weight.size() - 2);
  check_groups(call, shape[first - 1], weight[1], "input");
  if (call.input(0).size() != shape.size() || call.input(0)[first - 1] != weight[0]) {
    call.fail_shape(fmt::format("the gradient {} is not that of a convolution with the weight {}",
                                shape_text(call.input(0)), shape_text(weight)));
  }
  return {shape};
}

/// grad_output [N?, O, ...], input [N?, C, ...] -> weight_size.
WindowShapes convolution_backward_weight(const RuleCall& call) {
  const SymbolicShape shape = call.dims("weight_size");
  const SymbolicShape& input = call.input(1);
  if (shape.size() < 3) call.fail_attribute("weight_size", "needs three items or more");
  const std::size_t first = check_convolution(call, input, shape, shape.size() - 2);
  check_groups(call, input[first - 1], shape[1], "input");
  if (call.input(0).size() != input.size() || call.input(0)[first - 1] != shape[0]) {
    call.fail_shape(fmt::format("the gradient {} is not that of a convolution with a weight {}",
                                shape_text(call.input(0)), shape_text(shape)));
  }
  return {shape};
}

constexpr std::array kWindowRules = {
    ShapeRule{"conv1d", convolution_of<1>, nullptr, false, false},
    ShapeRule{"conv2d", convolution_of<2>, nullptr, false, false},
    ShapeRule{"conv3d", convolution_of<3>, nullptr, false, false},
    ShapeRule{"convolution", convolution, nullptr, false, false},
    ShapeRule{"conv_transpose1d", convolution_transpose_of<1>, nullptr, false, false},
    ShapeRule{"conv_transpose2d", convolution_transpose_of<2>, nullptr, false, false},
    ShapeRule{"conv_transpose3d", convolution_transpose_of<3>, nullptr, false, false},
    ShapeRule{"convolution_backward_input", convolution_backward_input, nullptr, false, false},
    ShapeRule{"convolution_backward_weight", convolution_backward_weight, nullptr, false, false},
};

}  // namespace

std::span<const ShapeRule> window_shape_rules() { return kWindowRules; }

}  // namespace alknet::graph
