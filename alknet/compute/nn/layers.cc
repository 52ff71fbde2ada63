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

Ref BatchNorm::operator()(const Module& at, const Ref& x) const {
  const Ref running_mean = at.buffer("running_mean", Dtype::kF32, {num_features}, "zeros");
  const Ref running_var = at.buffer("running_var", Dtype::kF32, {num_features}, "ones");
  std::vector<graph::GraphBuilder::Operand> inputs = {x, running_mean, running_var};
  if (affine) {
    inputs.push_back(at.parameter("weight", {num_features}, "ones"));
    inputs.push_back(at.parameter("bias", {num_features}, "zeros"));
  }
  const Ref y = at.node("batch_norm", inputs, {{"training", at.training()}, {"momentum", momentum}, {"eps", eps}});
  if (at.training()) {
    at.node("assign", {running_mean, Ref{y.name, 1, {}}});
    at.node("assign", {running_var, Ref{y.name, 2, {}}});
  }
  return y;
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
  return at.node(
      "rms_norm", {x, at.parameter("weight", shape, "ones")},
      {{"normalized_shape", JsonArray(shape.begin(), shape.end())}, {"eps", eps ? Json(*eps) : Json(nullptr)}});
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
