#pragma once

#include <cstdint>
#include <optional>

#include "alknet/compute/nn/module.h"

namespace alknet::compute::nn {

/// Convolution of [N, C, spatial...]: `weight` [out, in / groups, kernel...], `bias` [out].
template <std::size_t kDims>
struct Conv {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Sizes kernel_size = 1;
  Sizes stride = 1;
  Sizes padding = 0;
  Sizes dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  Ref operator()(const Module& at, const Ref& x) const;
};
using Conv1d = Conv<1>;
using Conv2d = Conv<2>;
using Conv3d = Conv<3>;

/// Transposed convolution: `weight` [in, out / groups, kernel...], `bias` [out].
template <std::size_t kDims>
struct ConvTranspose {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Sizes kernel_size = 1;
  Sizes stride = 1;
  Sizes padding = 0;
  Sizes output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  Sizes dilation = 1;
  Ref operator()(const Module& at, const Ref& x) const;
};
using ConvTranspose1d = ConvTranspose<1>;
using ConvTranspose2d = ConvTranspose<2>;
using ConvTranspose3d = ConvTranspose<3>;

/// The largest of each window; the stride is the window's size unless given.
template <std::size_t kDims>
struct MaxPool {
  Sizes kernel_size = 1;
  std::optional<Sizes> stride = {};
  Sizes padding = 0;
  Sizes dilation = 1;
  Ref operator()(const Module& at, const Ref& x) const;
};
using MaxPool1d = MaxPool<1>;
using MaxPool2d = MaxPool<2>;
using MaxPool3d = MaxPool<3>;

/// The mean of each window.
template <std::size_t kDims>
struct AvgPool {
  Sizes kernel_size = 1;
  std::optional<Sizes> stride = {};
  Sizes padding = 0;
  bool count_include_pad = true;
  Ref operator()(const Module& at, const Ref& x) const;
};
using AvgPool1d = AvgPool<1>;
using AvgPool2d = AvgPool<2>;
using AvgPool3d = AvgPool<3>;

/// Means of as many windows as `output_size` says.
template <std::size_t kDims>
struct AdaptiveAvgPool {
  Sizes output_size = 1;
  Ref operator()(const Module& at, const Ref& x) const;
};
using AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
using AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
using AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

}  // namespace alknet::compute::nn
