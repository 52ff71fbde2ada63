#include "alknet/compute/device_gpu/bind_windows.h"

#include <fmt/format.h>

#include "alknet/graph/window.h"

namespace alknet::compute {
namespace {

/// A spatial dimension of three: nothing for one that the tensors lack.
std::optional<std::size_t> spatial_dimension(std::size_t d, std::size_t rank) {
  return d + rank < 3 ? std::nullopt : std::optional(d + rank - 3);
}

/// A stride as kernels add it, modulo 2^32.
std::int64_t word(std::int64_t stride) { return static_cast<std::uint32_t>(stride); }

void set_windows(const graph::ConvolutionSizes& sizes, ParameterBlock& block) {
  for (std::size_t d = 0; d < 3; ++d) {
    const auto own = spatial_dimension(d, sizes.dims.size());
    const graph::WindowDim dim = own ? sizes.dims[*own] : graph::WindowDim{};
    block.set(fmt::format("kernel_{}", d), dim.kernel);
    block.set(fmt::format("stride_{}", d), dim.stride);
    block.set(fmt::format("padding_{}", d), dim.padding);
    block.set(fmt::format("dilation_{}", d), dim.dilation);
  }
}

/// NAME_0.. are the spatial sizes, NAME_step_0.. their strides, NAME_channel and NAME_image the others' strides.
void set_images(const std::string& name, const Strided& layout, std::size_t spatial, ParameterBlock& block) {
  const std::size_t first = layout.shape.size() - spatial;
  block.set(name + "_image", first == 2 ? word(layout.strides[0]) : 0);
  block.set(name + "_channel", word(layout.strides[first - 1]));
  for (std::size_t d = 0; d < 3; ++d) {
    const auto own = spatial_dimension(d, spatial);
    block.set(fmt::format("{}_{}", name, d), own ? layout.shape[first + *own] : 1);
    block.set(fmt::format("{}_step_{}", name, d), own ? word(layout.strides[first + *own]) : 0);
  }
}

}  // namespace

void bind_convolution_parameters(const Computation& computation, const Binding& binding, ParameterBlock& block) {
  const bool backward = std::get<graph::TemplateForward>(computation.op->forward).name != "convolution";
  const Strided& source = binding.inputs[0]->layout;
  const Strided& weight = binding.inputs[1]->layout;
  const Shape& result = binding.outputs.front().layout.shape;
  const auto sizes = graph::convolution_sizes(binding.attrs, backward ? result : source.shape, weight.shape,
                                              backward ? source.shape : result);
  const std::size_t spatial = sizes.dims.size();
  const std::int64_t outputs = sizes.output_channels / sizes.groups, inputs = sizes.input_channels / sizes.groups;
  set_windows(sizes, block);
  set_images("source", source, spatial, block);
  block.set("channels", sizes.groups * (backward ? inputs : outputs));
  block.set("rows", backward ? inputs : outputs);
  block.set("depth", backward ? outputs : inputs);
  block.set("weight_group", word(outputs * weight.strides[0]));
  block.set("weight_row", word(weight.strides[backward ? 1 : 0]));
  block.set("weight_depth", word(weight.strides[backward ? 0 : 1]));
  for (std::size_t d = 0; d < 3; ++d) {
    const auto own = spatial_dimension(d, spatial);
    block.set(fmt::format("weight_step_{}", d), own ? word(weight.strides[2 + *own]) : 0);
    block.set(fmt::format("result_{}", d), own ? result[result.size() - spatial + *own] : 1);
  }
  if (computation.op->inputs.size() > 2 && binding.inputs[2]) {
    block.set("bias_step", word(binding.inputs[2]->layout.strides[0]));
  }
}

void bind_convolution_weight_parameters(const Binding& binding, ParameterBlock& block) {
  const Strided& gradient = binding.inputs[0]->layout;
  const Strided& input = binding.inputs[1]->layout;
  const auto sizes =
      graph::convolution_sizes(binding.attrs, input.shape, binding.outputs.front().layout.shape, gradient.shape);
  set_windows(sizes, block);
  set_images("input", input, sizes.dims.size(), block);
  set_images("gradient", gradient, sizes.dims.size(), block);
  block.set("images", sizes.batch);
  block.set("rows", sizes.output_channels / sizes.groups);
  block.set("depth", sizes.input_channels / sizes.groups);
}

}  // namespace alknet::compute
