#include "alknet/graph/reference_window.h"

#include <algorithm>
#include <array>
#include <utility>

#include "alknet/graph/window.h"

namespace alknet::graph {
namespace {

using WindowInputs = std::span<const ReferenceTensor* const>;

/// Counts `at` up in row-major order; false behind the last.
bool next_position(Shape& at, const Shape& sizes) {
  for (std::size_t d = sizes.size(); d-- > 0;) {
    if (++at[d] < sizes[d]) return true;
    at[d] = 0;
  }
  return false;
}

std::size_t linear(const Shape& at, const Shape& sizes) {
  std::int64_t index = 0;
  for (std::size_t d = 0; d < sizes.size(); ++d) index = index * sizes[d] + at[d];
  return static_cast<std::size_t>(index);
}

/// Calls `use(input, weight, output)` with the indices of each product that a convolution adds up.
template <typename Use>
void for_each_product(const ConvolutionSizes& sizes, Use&& use) {
  Shape inputs, kernels, outputs;
  for (const WindowDim& dim : sizes.dims) {
    inputs.push_back(dim.input);
    kernels.push_back(dim.kernel);
    outputs.push_back(dim.output);
  }
  const std::int64_t depth = sizes.input_channels / sizes.groups, rows = sizes.output_channels / sizes.groups;
  const auto input_size = static_cast<std::size_t>(element_count(inputs));
  const auto kernel_size = static_cast<std::size_t>(element_count(kernels));
  const auto output_size = static_cast<std::size_t>(element_count(outputs));
  if (input_size == 0 || kernel_size == 0 || output_size == 0) return;
  Shape k(kernels.size()), o(kernels.size()), i(kernels.size());
  do {
    do {
      bool inside = true;
      for (std::size_t d = 0; d < k.size(); ++d) {
        i[d] = o[d] * sizes.dims[d].stride - sizes.dims[d].padding + k[d] * sizes.dims[d].dilation;
        inside = inside && i[d] >= 0 && i[d] < inputs[d];
      }
      if (!inside) continue;
      for (std::int64_t n = 0; n < sizes.batch; ++n) {
        for (std::int64_t m = 0; m < sizes.output_channels; ++m) {
          for (std::int64_t c = 0; c < depth; ++c) {
            const std::int64_t from = n * sizes.input_channels + m / rows * depth + c;
            use(static_cast<std::size_t>(from) * input_size + linear(i, inputs),
                static_cast<std::size_t>(m * depth + c) * kernel_size + linear(k, kernels),
                static_cast<std::size_t>(n * sizes.output_channels + m) * output_size + linear(o, outputs));
          }
        }
      }
    } while (next_position(o, outputs));
  } while (next_position(k, kernels));
}

/// Zeros, or the bias of each channel.
ReferenceTensor started(const Shape& shape, std::size_t spatial, WindowInputs inputs) {
  ReferenceTensor result{shape, {}};
  result.data.assign(static_cast<std::size_t>(element_count(shape)), 0);
  if (inputs.size() < 3 || inputs[2] == nullptr) return result;
  const std::size_t channels = inputs[2]->data.size();
  const auto size = static_cast<std::size_t>(element_count(Shape(shape.end() - std::ptrdiff_t(spatial), shape.end())));
  for (std::size_t i = 0; i < result.data.size(); ++i) result.data[i] = inputs[2]->data[i / size % channels];
  return result;
}

ReferenceTensor convolution(const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  const auto sizes = convolution_sizes(attrs, inputs[0]->shape, inputs[1]->shape, shape);
  ReferenceTensor result = started(shape, sizes.dims.size(), inputs);
  for_each_product(sizes, [&](std::size_t input, std::size_t weight, std::size_t output) {
    result.data[output] += inputs[0]->data[input] * inputs[1]->data[weight];
  });
  return result;
}

ReferenceTensor convolution_backward_input(const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  const auto sizes = convolution_sizes(attrs, shape, inputs[1]->shape, inputs[0]->shape);
  ReferenceTensor result = started(shape, sizes.dims.size(), inputs);
  for_each_product(sizes, [&](std::size_t input, std::size_t weight, std::size_t output) {
    result.data[input] += inputs[0]->data[output] * inputs[1]->data[weight];
  });
  return result;
}

ReferenceTensor convolution_backward_weight(const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  const auto sizes = convolution_sizes(attrs, inputs[1]->shape, shape, inputs[0]->shape);
  ReferenceTensor result = started(shape, sizes.dims.size(), inputs);
  for_each_product(sizes, [&](std::size_t input, std::size_t weight, std::size_t output) {
    result.data[weight] += inputs[1]->data[input] * inputs[0]->data[output];
  });
  return result;
}

constexpr std::array kWindowReferences = {
    std::pair<std::string_view, WindowReference>{"convolution", convolution},
    std::pair<std::string_view, WindowReference>{"convolution_backward_input", convolution_backward_input},
    std::pair<std::string_view, WindowReference>{"convolution_backward_weight", convolution_backward_weight},
};

}  // namespace

WindowReference find_window_reference(std::string_view template_name) {
  for (const auto& [name, reference] : kWindowReferences) {
    if (name == template_name) return reference;
  }
  return nullptr;
}

}  // namespace alknet::graph
