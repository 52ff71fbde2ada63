#include "alknet/compute/nn/convolution.h"

#include <fmt/format.h>

namespace alknet::compute::nn {
namespace {

using Operands = std::vector<graph::GraphBuilder::Operand>;

/// leading..., then the kernel's sizes.
graph::Shape weight_shape(std::int64_t first, std::int64_t second, const Sizes& kernel, std::size_t dims) {
  graph::Shape shape{first, second};
  for (std::size_t d = 0; d < dims; ++d) shape.push_back(kernel.at(d));
  return shape;
}

/// Weight, and bias where wanted. As in PyTorch, the fan-in is that of the weight's second dimension, also of a
/// transposed convolution.
Operands with_parameters(const Module& at, const Ref& x, const graph::Shape& weight, std::int64_t out, bool bias) {
  const Json init = kaiming_uniform(weight[0] == 0 ? 0 : graph::element_count(weight) / weight[0]);
  Operands operands{x, at.parameter("weight", weight, init)};
  if (bias) operands.emplace_back(at.parameter("bias", {out}, init));
  return operands;
}

JsonObject window(const Sizes& kernel, const std::optional<Sizes>& stride, const Sizes& padding, std::size_t dims) {
  return {{"kernel_size", kernel.attribute(dims)},
          {"stride", stride.value_or(kernel).attribute(dims)},
          {"padding", padding.attribute(dims)}};
}

}  // namespace

template <std::size_t kDims>
Ref Conv<kDims>::operator()(const Module& at, const Ref& x) const {
  const graph::Shape weight = weight_shape(out_channels, in_channels / groups, kernel_size, kDims);
  return at.node(fmt::format("conv{}d", kDims), with_parameters(at, x, weight, out_channels, bias),
                 {{"stride", stride.attribute(kDims)},
                  {"padding", padding.attribute(kDims)},
                  {"dilation", dilation.attribute(kDims)},
                  {"groups", groups}});
}

template <std::size_t kDims>
Ref ConvTranspose<kDims>::operator()(const Module& at, const Ref& x) const {
  const graph::Shape weight = weight_shape(in_channels, out_channels / groups, kernel_size, kDims);
  return at.node(fmt::format("conv_transpose{}d", kDims), with_parameters(at, x, weight, out_channels, bias),
                 {{"stride", stride.attribute(kDims)},
                  {"padding", padding.attribute(kDims)},
                  {"output_padding", output_padding.attribute(kDims)},
                  {"groups", groups},
                  {"dilation", dilation.attribute(kDims)}});
}

template <std::size_t kDims>
Ref MaxPool<kDims>::operator()(const Module& at, const Ref& x) const {
  JsonObject attrs = window(kernel_size, stride, padding, kDims);
  attrs["dilation"] = dilation.attribute(kDims);
  return at.node(fmt::format("max_pool{}d", kDims), {x}, std::move(attrs));
}

template <std::size_t kDims>
Ref AvgPool<kDims>::operator()(const Module& at, const Ref& x) const {
  JsonObject attrs = window(kernel_size, stride, padding, kDims);
  attrs["count_include_pad"] = count_include_pad;
  return at.node(fmt::format("avg_pool{}d", kDims), {x}, std::move(attrs));
}

template <std::size_t kDims>
Ref AdaptiveAvgPool<kDims>::operator()(const Module& at, const Ref& x) const {
  return at.node(fmt::format("adaptive_avg_pool{}d", kDims), {x}, {{"output_size", output_size.attribute(kDims)}});
}

template struct Conv<1>;
template struct Conv<2>;
template struct Conv<3>;
template struct ConvTranspose<1>;
template struct ConvTranspose<2>;
template struct ConvTranspose<3>;
template struct MaxPool<1>;
template struct MaxPool<2>;
template struct MaxPool<3>;
template struct AvgPool<1>;
template struct AvgPool<2>;
template struct AvgPool<3>;
template struct AdaptiveAvgPool<1>;
template struct AdaptiveAvgPool<2>;
template struct AdaptiveAvgPool<3>;

}  // namespace alknet::compute::nn
