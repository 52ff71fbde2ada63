#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "alknet/compute/nn/module.h"

namespace alknet::compute::nn {

/// Keys and values of earlier calls, in states of the session: position by position, from 0.
struct AttentionCache {
  Ref position;  ///< i32 or i64 input of rank 0: where this call's positions begin.
  Dim batch;
  Dim capacity;  ///< Positions that there is room for.
  Dim length;    ///< Positions of this call.
};

/// What attention reads: [batch, positions, embed_dim].
struct AttentionInputs {
  Ref query;
  Ref key = {};    ///< Absent: the query.
  Ref value = {};  ///< Absent: the key.
  /// Bool (true: may be looked at) or float (added to the scores), broadcast to [batch, heads, positions, keys].
  Ref mask = {};
  std::optional<AttentionCache> cache = {};
};

/// Multi-head attention with `q_proj`, `k_proj`, `v_proj` and `out_proj`. PyTorch keeps the first three in one
/// `in_proj_weight`; apart they can be grouped: with fewer key heads, each serves several query heads. Initial values
/// are PyTorch's: Glorot's bound is that of the three as one matrix.
struct MultiHeadAttention {
  std::int64_t embed_dim = 0;
  std::int64_t num_heads = 1;
  std::int64_t num_key_heads = 0;  ///< 0: as many as heads. Divides the heads.
  bool bias = true;
  double dropout = 0;                    ///< Of the weights, in training.
  bool causal = false;                   ///< No position looks at later ones. With a cache give a mask instead.
  std::optional<double> rope_base = {};  ///< Rotary positions of queries and keys, of this base.
  Ref operator()(const Module& at, const AttentionInputs& inputs) const;
};

/// Attention, then two linear layers, each added to its input and normalised after (`norm_first`: before). Defaults are
/// PyTorch's; `dropout` is of the layers' outputs and of the attention's weights.
struct TransformerEncoderLayer {
  std::int64_t d_model = 0;
  std::int64_t nhead = 1;
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  std::string activation = "relu";  ///< Or "gelu".
  double layer_norm_eps = 1e-5;
  bool norm_first = false;
  bool causal = false;
  Ref operator()(const Module& at, const Ref& x, const Ref& mask = {}) const;
};

/// The same with attention to `memory` in between; self-attention is causal.
struct TransformerDecoderLayer {
  std::int64_t d_model = 0;
  std::int64_t nhead = 1;
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  std::string activation = "relu";
  double layer_norm_eps = 1e-5;
  bool norm_first = false;
  Ref operator()(const Module& at, const Ref& x, const Ref& memory, const Ref& memory_mask = {}) const;
};

}  // namespace alknet::compute::nn
