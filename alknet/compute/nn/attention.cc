#include "alknet/compute/nn/attention.h"

#include <fmt/format.h>

#include <functional>

#include "alknet/base/error.h"
#include "alknet/compute/nn/layers.h"

namespace alknet::compute::nn {
namespace {

/// [batch, positions, heads * depth] -> [batch, heads, positions, depth].
Ref split_heads(const Module& at, const Ref& x, std::int64_t heads, std::int64_t depth) {
  const Ref split = at.node("unflatten", {x}, {{"dim", -1}, {"sizes", JsonArray{heads, depth}}});
  return at.node("transpose", {split}, {{"dim0", 1}, {"dim1", 2}});
}

/// The cache's state with the new positions written, up to the last of them.
Ref with_cached(const Module& at, std::string_view name, const Ref& fresh, const AttentionCache& cache,
                std::int64_t heads, std::int64_t depth) {
  const Ref state = at.graph().state({.name = at[name].name(),
                                      .dtype = Dtype::kF32,
                                      .shape = {cache.batch, heads, cache.capacity, depth},
                                      .scope = graph::StateScope::kSession,
                                      .init = "zeros"});
  const Ref written = at.node("assign", {state, fresh}, {{"at", JsonArray{0, 0, Json(cache.position.name), 0}}});
  const Dim end = Dim::symbol(cache.position.name) + cache.length;
  return at.node("slice", {written}, {{"dim", 2}, {"start", 0}, {"end", graph::dim_attribute(end)}});
}

/// i32 [length]: the positions of this call.
Ref rope_positions(const Module& at, const AttentionCache& cache) {
  const Ref counted = at.node("arange", {}, {{"end", graph::dim_attribute(cache.length)}, {"dtype", "i32"}});
  return at.node("add", {counted, cache.position});
}

Ref project(const Module& at, const Ref& x, std::int64_t in, std::int64_t out, bool bias, const Json& init) {
  const Ref weight = at.parameter("weight", {out, in}, init);
  const Ref product = at.node("matmul", {x, at.node("transpose", {weight}, {{"dim0", 0}, {"dim1", 1}})});
  return bias ? at.node("add", {product, at.parameter("bias", {out}, "zeros")}) : product;
}

/// One sub-layer with its residual.
template <typename Layer>
Ref residual(const Layer& layer, const Module& at, const char* norm, const Ref& x,
             const std::function<Ref(const Ref&)>& body) {
  const LayerNorm normalise{.normalized_shape = {layer.d_model}, .eps = layer.layer_norm_eps};
  const Dropout dropout{.p = layer.dropout};
  const Ref inner = body(layer.norm_first ? normalise(at[norm], x) : x);
  const Ref sum = at.node("add", {x, dropout(at, inner)});
  return layer.norm_first ? sum : normalise(at[norm], sum);
}

template <typename Layer>
Ref feed_forward(const Layer& layer, const Module& at, const Ref& x) {
  if (layer.activation != "relu" && layer.activation != "gelu") {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("{}: activation \"{}\": give relu or gelu", at.name(), layer.activation));
  }
  const Ref wide = Linear{.in_features = layer.d_model, .out_features = layer.dim_feedforward}(at["linear1"], x);
  const Ref active = layer.activation == "gelu" ? gelu(at, wide) : relu(at, wide);
  return Linear{.in_features = layer.dim_feedforward, .out_features = layer.d_model}(
      at["linear2"], Dropout{.p = layer.dropout}(at, active));
}

}  // namespace

Ref MultiHeadAttention::operator()(const Module& at, const AttentionInputs& inputs) const {
  const std::int64_t key_heads = num_key_heads == 0 ? num_heads : num_key_heads;
  if (num_heads < 1 || embed_dim % num_heads != 0 || key_heads < 1 || num_heads % key_heads != 0) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("{}: {} heads must divide the {} features, and {} key heads the heads", at.name(),
                            num_heads, embed_dim, key_heads));
  }
  const std::int64_t depth = embed_dim / num_heads;
  const Json init = xavier_uniform(embed_dim, embed_dim + 2 * key_heads * depth);
  const Ref& key_input = inputs.key.absent() ? inputs.query : inputs.key;
  const Ref& value_input = inputs.value.absent() ? key_input : inputs.value;
  Ref query = split_heads(at, project(at["q_proj"], inputs.query, embed_dim, embed_dim, bias, init), num_heads, depth);
  Ref key =
      split_heads(at, project(at["k_proj"], key_input, embed_dim, key_heads * depth, bias, init), key_heads, depth);
  Ref value =
      split_heads(at, project(at["v_proj"], value_input, embed_dim, key_heads * depth, bias, init), key_heads, depth);
  if (rope_base) {
    const Ref positions = inputs.cache ? rope_positions(at, *inputs.cache) : Ref{};
    query = at.node("rope", {query, positions}, {{"base", *rope_base}});
    key = at.node("rope", {key, positions}, {{"base", *rope_base}});
  }
  if (inputs.cache) {
    key = with_cached(at, "cache_key", key, *inputs.cache, key_heads, depth);
    value = with_cached(at, "cache_value", value, *inputs.cache, key_heads, depth);
  }
  JsonObject attrs{{"is_causal", causal}, {"enable_gqa", key_heads != num_heads}};
  Ref rng;
  if (at.training() && dropout != 0) {
    rng = at.rng();
    attrs["dropout_p"] = dropout;
    attrs["stream"] = at.new_stream();
  }
  const Ref heads = at.node("scaled_dot_product_attention", {query, key, value, inputs.mask, rng}, std::move(attrs));
  const Ref joined = at.node("flatten", {at.node("transpose", {heads}, {{"dim0", 1}, {"dim1", 2}})},
                             {{"start_dim", -2}, {"end_dim", -1}});
  return project(at["out_proj"], joined, embed_dim, embed_dim, bias, kaiming_uniform(embed_dim));
}

Ref TransformerEncoderLayer::operator()(const Module& at, const Ref& x, const Ref& mask) const {
  const MultiHeadAttention attention{.embed_dim = d_model, .num_heads = nhead, .dropout = dropout, .causal = causal};
  const Ref attended = residual(*this, at, "norm1", x, [&](const Ref& input) {
    AttentionInputs read;
    read.query = input;
    read.mask = mask;
    return attention(at["self_attn"], read);
  });
  return residual(*this, at, "norm2", attended, [&](const Ref& input) { return feed_forward(*this, at, input); });
}

Ref TransformerDecoderLayer::operator()(const Module& at, const Ref& x, const Ref& memory,
                                        const Ref& memory_mask) const {
  const MultiHeadAttention self{.embed_dim = d_model, .num_heads = nhead, .dropout = dropout, .causal = true};
  const MultiHeadAttention cross{.embed_dim = d_model, .num_heads = nhead, .dropout = dropout};
  const Ref attended = residual(*this, at, "norm1", x, [&](const Ref& input) {
    AttentionInputs read;
    read.query = input;
    return self(at["self_attn"], read);
  });
  const Ref crossed = residual(*this, at, "norm2", attended, [&](const Ref& input) {
    AttentionInputs read;
    read.query = input;
    read.key = memory;
    read.mask = memory_mask;
    return cross(at["multihead_attn"], read);
  });
  return residual(*this, at, "norm3", crossed, [&](const Ref& input) { return feed_forward(*this, at, input); });
}

}  // namespace alknet::compute::nn
