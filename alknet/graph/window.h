#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {

/// A window that slides along one spatial dimension: output o reads input `o * stride - padding + k * dilation` for
/// k = 0 .. kernel - 1, where that is inside.
struct WindowDim {
  std::int64_t input = 1, kernel = 1, output = 1;
  std::int64_t stride = 1, padding = 0, dilation = 1;
};

/// Item `dimension` of a parameter that is one integer for all spatial dimensions, a list of one, or a list of each.
std::int64_t window_parameter(const Json& value, std::size_t dimension);

/// What a convolution and its two gradients have in common: sizes of input [batch, input_channels, ...], weight
/// [output_channels, input_channels / groups, ...] and output [batch, output_channels, ...].
struct ConvolutionSizes {
  bool batched = true;  ///< Otherwise input and output have no batch dimension.
  std::int64_t batch = 1, groups = 1, input_channels = 0, output_channels = 0;
  std::vector<WindowDim> dims;
};

/// Of a call that shape inference took. `attrs` are complete and hold stride, padding (also "same" and "valid"),
/// dilation and groups.
ConvolutionSizes convolution_sizes(const JsonObject& attrs, const Shape& input, const Shape& weight,
                                   const Shape& output);

/// Padding before the input: of "same" the smaller half.
std::int64_t convolution_padding(const JsonObject& attrs, std::size_t dimension, std::int64_t kernel);

}  // namespace alknet::graph
