#pragma once

#include <cstdint>
#include <vector>

#include "alknet/compute/nn/module.h"

namespace alknet::compute::nn {

/// x W^T + b over the last dimension; `weight` [out, in], `bias` [out].
struct Linear {
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;
  bool bias = true;
  Ref operator()(const Module& at, const Ref& x) const;
};

/// Rows of `weight` [num_embeddings, embedding_dim], from N(0, 1), by integer index.
struct Embedding {
  std::int64_t num_embeddings = 0;
  std::int64_t embedding_dim = 0;
  Ref operator()(const Module& at, const Ref& indices) const;
};

/// Normalises [N, C, ...] by channel: in training by the batch, of whose statistics `running_mean` and `running_var`
/// are exponential averages; else by these. `affine`: `weight` and `bias` [C].
struct BatchNorm {
  std::int64_t num_features = 0;
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = true;
  Ref operator()(const Module& at, const Ref& x) const;
};

/// Over the last dimensions, of sizes `normalized_shape`.
struct LayerNorm {
  std::vector<std::int64_t> normalized_shape;
  double eps = 1e-5;
  bool bias = true;
  Ref operator()(const Module& at, const Ref& x) const;
};

/// Over groups of channels of [N, C, ...].
struct GroupNorm {
  std::int64_t num_groups = 1;
  std::int64_t num_channels = 0;
  double eps = 1e-5;
  bool affine = true;
  Ref operator()(const Module& at, const Ref& x) const;
};

/// x / sqrt(mean(x^2) + eps) * weight over the last dimensions. Without `eps` it is as in PyTorch the difference
/// between 1 and the next number of the dtype.
struct RMSNorm {
  std::vector<std::int64_t> normalized_shape;
  std::optional<double> eps = {};
  Ref operator()(const Module& at, const Ref& x) const;
};

/// In training, zeroes each element with probability `p` and scales the others by 1 / (1 - p); else x.
struct Dropout {
  double p = 0.5;
  Ref operator()(const Module& at, const Ref& x) const;
};

/// Joins dimensions `start` .. `end` into one.
struct Flatten {
  std::int64_t start = 1;
  std::int64_t end = -1;
  Ref operator()(const Module& at, const Ref& x) const;
};

Ref relu(const Module& at, const Ref& x);
Ref gelu(const Module& at, const Ref& x);

/// [N, C, ...] with sizes multiplied by `scale_factor`; `mode` as `interpolate` has it.
struct Upsample {
  std::vector<double> scale_factor;
  std::string mode = "nearest";
  Ref operator()(const Module& at, const Ref& x) const;
};

}  // namespace alknet::compute::nn
