#include "alknet/graph/window.h"

namespace alknet::graph {

std::int64_t window_parameter(const Json& value, std::size_t dimension) {
  if (const auto* list = value.if_array()) {
    return list->at(list->size() == 1 ? 0 : dimension).to_number<std::int64_t>();
  }
  return value.to_number<std::int64_t>();
}

std::int64_t convolution_padding(const JsonObject& attrs, std::size_t dimension, std::int64_t kernel) {
  const Json& padding = attrs.at("padding");
  if (!padding.is_string()) return window_parameter(padding, dimension);
  if (padding.get_string() == "valid") return 0;
  return window_parameter(attrs.at("dilation"), dimension) * (kernel - 1) / 2;
}

ConvolutionSizes convolution_sizes(const JsonObject& attrs, const Shape& input, const Shape& weight,
                                   const Shape& output) {
  ConvolutionSizes sizes;
  const std::size_t rank = weight.size() - 2;
  sizes.batched = input.size() == weight.size();
  const std::size_t first = sizes.batched ? 2 : 1;
  sizes.groups = attrs.at("groups").to_number<std::int64_t>();
  sizes.batch = sizes.batched ? input[0] : 1;
  sizes.input_channels = input[first - 1];
  sizes.output_channels = weight[0];
  for (std::size_t d = 0; d < rank; ++d) {
    sizes.dims.push_back({input[first + d], weight[2 + d], output[first + d], window_parameter(attrs.at("stride"), d),
                          convolution_padding(attrs, d, weight[2 + d]), window_parameter(attrs.at("dilation"), d)});
  }
  return sizes;
}

}  // namespace alknet::graph
