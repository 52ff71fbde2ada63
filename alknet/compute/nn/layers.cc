#include "alknet/compute/nn/layers.h"

namespace alknet::compute::nn {

using graph::Scalar;

Ref Linear::operator()(const Module& at, const Ref& x) const {
  const Ref weight = at.parameter("weight", {out_features, in_features}, kaiming_uniform(in_features));
  const Ref transposed = at.node("transpose", {weight}, {{"dim0", 0}, {"dim1", 1}});
  const Ref product = at.node("matmul", {x, transposed});
  if (!bias) return product;
  return at.node("add", {product, at.parameter("bias", {out_features}, kaiming_uniform(in_features))});
}

Ref Embedding::operator()(const Module& at, const Ref& indices) const {
  return at.node("embedding", {at.parameter("weight", {num_embeddings, embedding_dim}, normal(0, 1)), indices});
}

namespace {

/// [C] as [C, 1, ...], to broadcast over [N, C, ...].
Ref channels(const Module& at, Ref vector, std::size_t spatial_dims) {
  for (std::size_t d = 0; d < spatial_dims; ++d) vector = at.node("unsqueeze", {vector}, {{"dim", -1}});
  return vector;
}

/// Elements of [N, C, ...] by channel: a value of rank 0, whatever N is.
Ref channel_count(const Module& at, const Ref& x, const JsonArray& dims) {
  const Ref one_channel = at.node("slice", {x}, {{"dim", 1}, {"start", 0}, {"end", 1}});
  const Ref ones = at.node("where", {at.node("isnan", {one_channel}), Scalar::of(1.0), Scalar::of(1.0)});
  return at.node("sum", {ones}, {{"dim", dims}});
}

}  // namespace

Ref BatchNorm::operator()(const Module& at, const Ref& x) const {
  const auto by_channel = [&](const Ref& vector) { return channels(at, vector, spatial_dims); };
  const Ref running_mean = at.buffer("running_mean", Dtype::kF32, {num_features}, "zeros");
  const Ref running_var = at.buffer("running_var", Dtype::kF32, {num_features}, "ones");
  Ref mean = running_mean, variance = running_var;
  if (at.training()) {
    JsonArray dims{0};
    for (std::size_t d = 0; d < spatial_dims; ++d) dims.push_back(static_cast<std::int64_t>(d + 2));
    mean = at.node("mean", {x}, {{"dim", dims}});
    const Ref centred = at.node("sub", {x, by_channel(mean)});
    variance = at.node("mean", {at.node("mul", {centred, centred})}, {{"dim", dims}});
    const Ref count = channel_count(at, x, dims);
    const Ref unbiased = at.node("mul", {variance, at.node("div", {count, at.node("sub", {count, Scalar::of(1.0)})})});
    const auto average = [&](const Ref& state, const Ref& value) {
      const Ref kept = at.node("mul", {state, Scalar::of(1 - momentum)});
      at.node("assign", {state, at.node("add", {kept, at.node("mul", {value, Scalar::of(momentum)})})});
    };
    average(running_mean, mean);
    average(running_var, unbiased);
  }
  Ref scale = at.node("rsqrt", {at.node("add", {variance, Scalar::of(eps)})});
  if (affine) scale = at.node("mul", {scale, at.parameter("weight", {num_features}, "ones")});
  const Ref y = at.node("mul", {at.node("sub", {x, by_channel(mean)}), by_channel(scale)});
  if (!affine) return y;
  return at.node("add", {y, by_channel(at.parameter("bias", {num_features}, "zeros"))});
}

Ref LayerNorm::operator()(const Module& at, const Ref& x) const {
  const graph::Shape shape(normalized_shape.begin(), normalized_shape.end());
  const Ref weight = at.parameter("weight", shape, "ones");
  const JsonObject attrs{{"normalized_shape", JsonArray(shape.begin(), shape.end())}, {"eps", eps}};
  if (!bias) return at.node("layer_norm", {x, weight}, attrs);
  return at.node("layer_norm", {x, weight, at.parameter("bias", shape, "zeros")}, attrs);
}

Ref GroupNorm::operator()(const Module& at, const Ref& x) const {
  const JsonObject attrs{{"num_groups", num_groups}, {"eps", eps}};
  if (!affine) return at.node("group_norm", {x}, attrs);
  return at.node("group_norm",
                 {x, at.parameter("weight", {num_channels}, "ones"), at.parameter("bias", {num_channels}, "zeros")},
                 attrs);
}

Ref RMSNorm::operator()(const Module& at, const Ref& x) const {
  const graph::Shape shape(normalized_shape.begin(), normalized_shape.end());
  return at.node("rms_norm", {x, at.parameter("weight", shape, "ones")},
                 {{"normalized_shape", JsonArray(shape.begin(), shape.end())}, {"eps", eps}});
}

Ref Dropout::operator()(const Module& at, const Ref& x) const {
  if (!at.training() || p == 0) return x;
  const Ref probability = at.node("mul", {at.node("ones_like", {x}), Scalar::of(1 - p)});
  const Ref keep = at.node("bernoulli", {probability, at.rng()}, {{"stream", at.new_stream()}});
  return at.node("mul", {at.node("mul", {x, keep}), Scalar::of(p < 1 ? 1 / (1 - p) : 0.0)});
}

Ref Flatten::operator()(const Module& at, const Ref& x) const {
  return at.node("flatten", {x}, {{"start_dim", start}, {"end_dim", end}});
}

Ref relu(const Module& at, const Ref& x) { return at.node("relu", {x}); }
Ref gelu(const Module& at, const Ref& x) { return at.node("gelu", {x}); }

Ref Upsample::operator()(const Module& at, const Ref& x) const {
  return at.node("interpolate", {x},
                 {{"scale_factor", JsonArray(scale_factor.begin(), scale_factor.end())}, {"mode", mode}});
}

}  // namespace alknet::compute::nn
