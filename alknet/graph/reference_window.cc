#include "alknet/graph/reference_window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "alknet/graph/resample.h"
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

ReferenceTensor convolution(const OpSpec&, const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  const auto sizes = convolution_sizes(attrs, inputs[0]->shape, inputs[1]->shape, shape);
  ReferenceTensor result = started(shape, sizes.dims.size(), inputs);
  for_each_product(sizes, [&](std::size_t input, std::size_t weight, std::size_t output) {
    result.data[output] += inputs[0]->data[input] * inputs[1]->data[weight];
  });
  return result;
}

ReferenceTensor convolution_backward_input(const OpSpec&, const JsonObject& attrs, WindowInputs inputs,
                                           const Shape& shape) {
  const auto sizes = convolution_sizes(attrs, shape, inputs[1]->shape, inputs[0]->shape);
  ReferenceTensor result = started(shape, sizes.dims.size(), inputs);
  for_each_product(sizes, [&](std::size_t input, std::size_t weight, std::size_t output) {
    result.data[input] += inputs[0]->data[output] * inputs[1]->data[weight];
  });
  return result;
}

ReferenceTensor convolution_backward_weight(const OpSpec&, const JsonObject& attrs, WindowInputs inputs,
                                            const Shape& shape) {
  const auto sizes = convolution_sizes(attrs, inputs[1]->shape, shape, inputs[0]->shape);
  ReferenceTensor result = started(shape, sizes.dims.size(), inputs);
  for_each_product(sizes, [&](std::size_t input, std::size_t weight, std::size_t output) {
    result.data[weight] += inputs[1]->data[input] * inputs[0]->data[output];
  });
  return result;
}

using Positions = std::vector<std::vector<std::int64_t>>;

/// A pool's window by its definition: places of the input under each place of the output along one dimension, and how
/// many an average counts.
struct PoolLine {
  Positions places;
  std::vector<double> counts;
};

PoolLine pool_line(const JsonObject& attrs, std::size_t d, std::int64_t input, std::int64_t output) {
  PoolLine line;
  const bool adaptive = !attrs.contains("kernel_size");
  const auto at = [&](const char* name) { return window_parameter(attrs.at(name), d); };
  for (std::int64_t o = 0; o < output; ++o) {
    std::vector<std::int64_t> places;
    double count = 0;
    if (adaptive) {
      for (std::int64_t i = 0; i < input; ++i) {
        if ((i + 1) * output > o * input && i * output < (o + 1) * input) places.push_back(i);
      }
      count = static_cast<double>(places.size());
    } else {
      const std::int64_t kernel = at("kernel_size"), stride = attrs.at("stride").is_null() ? kernel : at("stride");
      const std::int64_t step = attrs.contains("dilation") ? at("dilation") : 1;
      const bool padding_counts = attrs.contains("count_include_pad") && attrs.at("count_include_pad").as_bool();
      for (std::int64_t k = 0; k < kernel; ++k) {
        const std::int64_t i = o * stride - at("padding") + k * step;
        const bool inside = i >= 0 && i < input;
        if (inside) places.push_back(i);
        if (inside || (padding_counts && i < input + at("padding"))) count += 1;
      }
    }
    line.places.push_back(places);
    line.counts.push_back(count);
  }
  return line;
}

/// The spatial sizes of an image and of its pool, and how many images there are.
struct PoolSizes {
  Shape input, output;
  std::int64_t images = 1;
  std::vector<PoolLine> lines;
};

PoolSizes pool_sizes(const OpSpec& op, const JsonObject& attrs, const Shape& input, const Shape& output) {
  const std::size_t rank = spatial_rank(op, input.size());
  PoolSizes sizes;
  for (std::size_t d = 0; d < input.size(); ++d) {
    if (d + rank < input.size()) {
      sizes.images *= input[d];
      continue;
    }
    sizes.input.push_back(input[d]);
    sizes.output.push_back(output[d]);
    if (!attrs.contains("mode") || attrs.at("mode").get_string() == "area") {
      sizes.lines.push_back(pool_line(attrs, d + rank - input.size(), input[d], output[d]));
    }
  }
  return sizes;
}

/// Calls use(input, output, divisor) for each element under each window.
template <typename Use>
void for_each_pooled(const JsonObject& attrs, const PoolSizes& sizes, Use&& use) {
  const auto input_size = static_cast<std::size_t>(element_count(sizes.input));
  const auto output_size = static_cast<std::size_t>(element_count(sizes.output));
  if (output_size == 0) return;
  const Json* override = attrs.if_contains("divisor_override");
  for (std::size_t image = 0; image < static_cast<std::size_t>(sizes.images); ++image) {
    Shape o(sizes.output.size());
    do {
      double divisor = 1;
      Shape counts;
      for (std::size_t d = 0; d < o.size(); ++d) {
        divisor *= sizes.lines[d].counts[static_cast<std::size_t>(o[d])];
        counts.push_back(std::ssize(sizes.lines[d].places[static_cast<std::size_t>(o[d])]));
      }
      if (override != nullptr && !override->is_null()) divisor = override->to_number<double>();
      if (element_count(counts) == 0) continue;
      Shape k(o.size()), i(o.size());
      do {
        for (std::size_t d = 0; d < o.size(); ++d) {
          i[d] = sizes.lines[d].places[static_cast<std::size_t>(o[d])][static_cast<std::size_t>(k[d])];
        }
        use(image * input_size + linear(i, sizes.input), image * output_size + linear(o, sizes.output), divisor);
      } while (next_position(k, counts));
    } while (next_position(o, sizes.output));
  }
}

/// The index in `input` of the largest element under each place of the output.
std::vector<std::size_t> largest(const JsonObject& attrs, const PoolSizes& sizes, const ReferenceTensor& input,
                                 std::size_t outputs) {
  std::vector<std::size_t> found(outputs, input.data.size());
  for_each_pooled(attrs, sizes, [&](std::size_t from, std::size_t to, double) {
    if (found[to] == input.data.size() || !(input.data[from] <= input.data[found[to]])) found[to] = from;
  });
  return found;
}

ReferenceTensor zeros(const Shape& shape) {
  return {shape, std::vector<double>(static_cast<std::size_t>(element_count(shape)), 0)};
}

ReferenceTensor max_pool(const OpSpec& op, const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  ReferenceTensor result = zeros(shape);
  const ReferenceTensor& values = *inputs[0];
  const ReferenceTensor& input = *inputs.back();
  const auto places = largest(attrs, pool_sizes(op, attrs, input.shape, shape), input, result.data.size());
  for (std::size_t i = 0; i < places.size(); ++i) result.data[i] = values.data[places[i]];
  return result;
}

ReferenceTensor max_pool_indices(const OpSpec& op, const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  ReferenceTensor result = zeros(shape);
  const PoolSizes sizes = pool_sizes(op, attrs, inputs[0]->shape, shape);
  const auto places = largest(attrs, sizes, *inputs[0], result.data.size());
  const auto plane = static_cast<std::size_t>(element_count(sizes.input));
  for (std::size_t i = 0; i < places.size(); ++i) result.data[i] = static_cast<double>(places[i] % plane);
  return result;
}

ReferenceTensor max_pool_backward(const OpSpec& op, const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  ReferenceTensor result = zeros(shape);
  const auto sizes = pool_sizes(op, attrs, shape, inputs[0]->shape);
  const auto places = largest(attrs, sizes, *inputs[1], inputs[0]->data.size());
  for (std::size_t i = 0; i < places.size(); ++i) result.data[places[i]] += inputs[0]->data[i];
  return result;
}

/// One dimension of interpolate as a matrix, by its definition.
std::vector<std::vector<double>> interpolation_matrix(const JsonObject& attrs, std::size_t d, std::int64_t input,
                                                      std::int64_t output) {
  const std::string mode(attrs.at("mode").get_string());
  const bool corners = attrs.at("align_corners").is_bool() && attrs.at("align_corners").get_bool();
  const double scale = interpolate_scale(attrs, d, input, output);
  std::vector<std::vector<double>> matrix;
  for (std::int64_t o = 0; o < output; ++o) {
    std::vector<double> row(static_cast<std::size_t>(input));
    const auto add = [&](double i, double weight) {
      if (attrs.contains(kAbsoluteWeights)) weight = std::fabs(weight);
      row[static_cast<std::size_t>(std::clamp(i, 0.0, static_cast<double>(input - 1)))] += weight;
    };
    const auto at = static_cast<double>(o);
    const double centre =
        corners ? (output > 1 ? at * double(input - 1) / double(output - 1) : 0) : (at + 0.5) * scale - 0.5;
    if (mode == "nearest") {
      add(std::floor(at * scale + 1e-9), 1);
    } else if (mode == "nearest-exact") {
      add(std::floor((at + 0.5) * scale + 1e-9), 1);
    } else if (mode == "bicubic") {
      for (double i = std::floor(centre) - 1; i <= std::floor(centre) + 2; ++i) {
        const double x = std::fabs(centre - i), a = -0.75;
        add(i, x <= 1 ? (a + 2) * x * x * x - (a + 3) * x * x + 1 : a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a);
      }
    } else {
      const double source = std::max(centre, 0.0);
      for (double i = std::floor(source); i <= std::floor(source) + 1; ++i) add(i, 1 - std::fabs(source - i));
    }
    matrix.push_back(std::move(row));
  }
  return matrix;
}

/// Calls use(input, output, weight) for a linear map of images.
template <typename Use>
void for_each_weight(const OpSpec& op, const JsonObject& attrs, const Shape& input, const Shape& output, Use&& use) {
  const PoolSizes sizes = pool_sizes(op, attrs, input, output);
  if (!sizes.lines.empty()) {
    for_each_pooled(attrs, sizes, [&](std::size_t i, std::size_t o, double divisor) { use(i, o, 1 / divisor); });
    return;
  }
  std::vector<std::vector<std::vector<double>>> matrices;
  for (std::size_t d = 0; d < sizes.input.size(); ++d) {
    matrices.push_back(interpolation_matrix(attrs, d, sizes.input[d], sizes.output[d]));
  }
  const auto inputs = static_cast<std::size_t>(element_count(sizes.input));
  const auto outputs = static_cast<std::size_t>(element_count(sizes.output));
  for (std::size_t image = 0; image < static_cast<std::size_t>(sizes.images); ++image) {
    Shape o(sizes.output.size());
    do {
      Shape i(sizes.input.size());
      do {
        double weight = 1;
        for (std::size_t d = 0; d < i.size(); ++d) {
          weight *= matrices[d][static_cast<std::size_t>(o[d])][static_cast<std::size_t>(i[d])];
        }
        if (weight != 0)
          use(image * inputs + linear(i, sizes.input), image * outputs + linear(o, sizes.output), weight);
      } while (next_position(i, sizes.input));
    } while (next_position(o, sizes.output));
  }
}

ReferenceTensor resample(const OpSpec& op, const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  ReferenceTensor result = zeros(shape);
  for_each_weight(op, attrs, inputs[0]->shape, shape, [&](std::size_t input, std::size_t output, double weight) {
    result.data[output] += inputs[0]->data[input] * weight;
  });
  return result;
}

ReferenceTensor resample_backward(const OpSpec& op, const JsonObject& attrs, WindowInputs inputs, const Shape& shape) {
  ReferenceTensor result = zeros(shape);
  for_each_weight(op, attrs, shape, inputs[0]->shape, [&](std::size_t input, std::size_t output, double weight) {
    result.data[input] += inputs[0]->data[output] * weight;
  });
  return result;
}

constexpr std::array kWindowReferences = {
    std::pair<std::string_view, WindowReference>{"convolution", convolution},
    std::pair<std::string_view, WindowReference>{"convolution_backward_input", convolution_backward_input},
    std::pair<std::string_view, WindowReference>{"convolution_backward_weight", convolution_backward_weight},
    std::pair<std::string_view, WindowReference>{"max_pool", max_pool},
    std::pair<std::string_view, WindowReference>{"max_pool_indices", max_pool_indices},
    std::pair<std::string_view, WindowReference>{"max_pool_backward", max_pool_backward},
    std::pair<std::string_view, WindowReference>{"max_pool_gather", max_pool},
    std::pair<std::string_view, WindowReference>{"resample", resample},
    std::pair<std::string_view, WindowReference>{"resample_backward", resample_backward},
};

}  // namespace

WindowReference find_window_reference(std::string_view template_name) {
  for (const auto& [name, reference] : kWindowReferences) {
    if (name == template_name) return reference;
  }
  return nullptr;
}

}  // namespace alknet::graph
