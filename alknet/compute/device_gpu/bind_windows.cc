#include "alknet/compute/device_gpu/bind_windows.h"

#include <fmt/format.h>

#include "alknet/graph/resample.h"
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

namespace {

/// NAME_0 .. NAME_2 are the last `spatial` sizes.
void set_sizes(const char* name, const Shape& shape, std::size_t spatial, ParameterBlock& block) {
  for (std::size_t d = 0; d < 3; ++d) {
    const auto own = spatial_dimension(d, spatial);
    block.set(fmt::format("{}_{}", name, d), own ? shape[shape.size() - spatial + *own] : 1);
  }
}

/// kernel, stride, padding and dilation of a pool; those of one that does nothing where it has none.
void set_pool_windows(const JsonObject& attrs, std::size_t spatial, bool dilated, ParameterBlock& block) {
  for (std::size_t d = 0; d < 3; ++d) {
    const auto own = spatial_dimension(d, spatial);
    const auto value = [&](const char* name, std::int64_t otherwise) {
      const Json* given = attrs.if_contains(name);
      return own && given != nullptr && !given->is_null() ? graph::window_parameter(*given, *own) : otherwise;
    };
    const std::int64_t kernel = value("kernel_size", 1);
    block.set(fmt::format("kernel_{}", d), kernel);
    block.set(fmt::format("stride_{}", d), value("stride", kernel));
    block.set(fmt::format("padding_{}", d), value("padding", 0));
    if (dilated) block.set(fmt::format("dilation_{}", d), value("dilation", 1));
  }
}

std::int64_t channels_of(const Shape& shape, std::size_t spatial) { return shape[shape.size() - spatial - 1]; }

}  // namespace

void bind_max_pool_parameters(const Computation& computation, const Binding& binding, ParameterBlock& block) {
  const Shape& result = binding.outputs.front().layout.shape;
  const std::size_t spatial = graph::spatial_rank(*computation.op, result.size());
  const bool backward = std::get<graph::TemplateForward>(computation.op->forward).name == "max_pool_backward";
  const Strided& values = binding.inputs[0]->layout;
  const Strided& source = binding.inputs[computation.op->inputs.size() - 1]->layout;
  set_images("values", values, spatial, block);
  set_images("source", source, spatial, block);
  set_sizes("input", source.shape, spatial, block);
  set_sizes("output", backward ? values.shape : result, spatial, block);
  set_sizes("result", result, spatial, block);
  set_pool_windows(binding.attrs, spatial, true, block);
  block.set("channels", channels_of(result, spatial));
}

void bind_resample_parameters(const Computation& computation, const Binding& binding, ParameterBlock& block) {
  const Shape& result = binding.outputs.front().layout.shape;
  const std::size_t spatial = graph::spatial_rank(*computation.op, result.size());
  const bool backward = std::get<graph::TemplateForward>(computation.op->forward).name == "resample_backward";
  const Strided& source = binding.inputs[0]->layout;
  const Shape& input = backward ? result : source.shape;
  const Shape& output = backward ? source.shape : result;
  set_images("source", source, spatial, block);
  set_sizes("input", input, spatial, block);
  set_sizes("output", output, spatial, block);
  set_sizes("result", result, spatial, block);
  set_pool_windows(binding.attrs, spatial, false, block);
  block.set("channels", channels_of(result, spatial));
  const Json* divisor = binding.attrs.if_contains("divisor_override");
  block.set_number("total", divisor != nullptr && !divisor->is_null() ? 1 / divisor->to_number<double>() : 1);
  const Json* corners = binding.attrs.if_contains("align_corners");
  for (std::size_t d = 0; d < 3; ++d) {
    const auto own = spatial_dimension(d, spatial);
    double scale = 1;
    if (own && binding.attrs.contains("mode")) {
      const std::int64_t from = input[input.size() - spatial + *own], to = output[output.size() - spatial + *own];
      scale = graph::interpolate_scale(binding.attrs, *own, from, to);
      if (corners->is_bool() && corners->get_bool()) {
        scale = to > 1 ? static_cast<double>(from - 1) / static_cast<double>(to - 1) : 0;
      }
    } else if (corners != nullptr && corners->is_bool() && corners->get_bool()) {
      scale = 0;
    }
    block.set_number(fmt::format("scale_{}", d), scale);
  }
}

}  // namespace alknet::compute
