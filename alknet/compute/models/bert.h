#pragma once

#include <cstdint>
#include <string>

#include "alknet/base/json.h"
#include "alknet/graph/graph.h"

namespace alknet::compute {

/// Sizes of a BERT encoder, as in the `config.json` of Hugging Face `transformers`.
struct BertConfig {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t type_vocab_size = 0;
  double layer_norm_eps = 1e-12;

  /// Throws Error `model_invalid` naming the member that is missing, wrong or not supported (only absolute positions
  /// and exact GELU are).
  static BertConfig from_json(const Json& config);
};

/// Adds the encoder to a graph under the parameter names of `transformers.BertModel`, as states of the store.
/// `input_ids`: i32 [batch, seq]; `attention_mask`: f32 [batch, seq], 1 for tokens and 0 for padding; token types are
/// 0. Returns the last hidden state, f32 [batch, seq, hidden].
graph::Ref add_bert_encoder(graph::GraphBuilder& graph, const BertConfig& config, const graph::Ref& input_ids,
                            const graph::Ref& attention_mask);

}  // namespace alknet::compute
