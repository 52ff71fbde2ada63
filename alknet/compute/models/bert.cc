#include "alknet/compute/models/bert.h"

#include <fmt/format.h>

#include <cmath>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::Dtype;
using graph::GraphBuilder;
using graph::Ref;
using graph::Scalar;

[[noreturn]] void invalid(const std::string& message) {
  throw Error(ComputeError::kModelInvalid, "config.json: " + message);
}

std::int64_t size_member(const JsonObject& config, std::string_view name) {
  const Json* member = config.if_contains(name);
  if (!member || !member->is_int64() || member->get_int64() <= 0 || member->get_int64() > (1 << 24)) {
    invalid(fmt::format("\"{}\" must be an integer from 1 to 16777216", name));
  }
  return member->get_int64();
}

void require_text(const JsonObject& config, std::string_view name, std::string_view supported) {
  const Json* member = config.if_contains(name);
  if (member && *member != Json(supported)) {
    invalid(fmt::format("\"{}\" is {}; only \"{}\" is supported", name, json_text(*member), supported));
  }
}

/// Builds one encoder; members are what its parts share.
class Encoder {
 public:
  Encoder(GraphBuilder& graph, const BertConfig& config) : graph_(graph), config_(config) {}

  Ref embeddings(const Ref& input_ids) {
    const auto scope = graph_.scope("embeddings");
    const std::int64_t hidden = config_.hidden_size;
    const Ref words = parameter("embeddings.word_embeddings.weight", {config_.vocab_size, hidden});
    const Ref positions = parameter("embeddings.position_embeddings.weight", {config_.max_position_embeddings, hidden});
    const Ref types = parameter("embeddings.token_type_embeddings.weight", {config_.type_vocab_size, hidden});
    const Ref word = graph_.node("embedding", {words, input_ids});
    const Ref position = graph_.node("slice", {positions}, {{"dim", 0}, {"start", 0}, {"end", "seq"}});
    const Ref type = graph_.node("slice", {types}, {{"dim", 0}, {"start", 0}, {"end", 1}});
    return layer_norm("embeddings.LayerNorm", add(add(word, type), position));
  }

  /// Added to attention scores: 0 for tokens, the lowest float for padding, which softmax turns into exactly 0.
  Ref attention_bias(const Ref& attention_mask) {
    const auto scope = graph_.scope("attention_bias");
    const Ref shifted = graph_.node("sub", {attention_mask, Scalar::of(1.0)});
    const Ref bias = graph_.node("mul", {shifted, Scalar::of(static_cast<double>(std::numeric_limits<float>::max()))});
    return graph_.node("unsqueeze", {graph_.node("unsqueeze", {bias}, {{"dim", 1}})}, {{"dim", 1}});
  }

  Ref layer(std::int64_t index, const Ref& input, const Ref& bias) {
    const std::string name = fmt::format("encoder.layer.{}", index);
    const auto scope = graph_.scope(name);
    const Ref context = attention(name + ".attention.self", input, bias);
    const Ref attended = linear(name + ".attention.output.dense", context, config_.hidden_size, config_.hidden_size);
    const Ref middle = layer_norm(name + ".attention.output.LayerNorm", add(attended, input));
    const Ref wide = linear(name + ".intermediate.dense", middle, config_.hidden_size, config_.intermediate_size);
    const Ref active = graph_.node("gelu", {wide});
    const Ref narrow = linear(name + ".output.dense", active, config_.intermediate_size, config_.hidden_size);
    return layer_norm(name + ".output.LayerNorm", add(narrow, middle));
  }

 private:
  Ref parameter(const std::string& name, std::vector<std::int64_t> shape) {
    return graph_.state(name, Dtype::kF32, graph::SymbolicShape(shape.begin(), shape.end()));
  }

  Ref add(const Ref& a, const Ref& b) { return graph_.node("add", {a, b}); }

  /// x W^T + b with the weight stored [out, in].
  Ref linear(const std::string& name, const Ref& input, std::int64_t in, std::int64_t out) {
    const auto scope = graph_.scope(name.substr(name.find_last_of('.', name.find_last_of('.') - 1) + 1));
    const Ref weight = parameter(name + ".weight", {out, in});
    const Ref transposed = graph_.node("transpose", {weight}, {{"dim0", 0}, {"dim1", 1}});
    return add(graph_.node("matmul", {input, transposed}), parameter(name + ".bias", {out}));
  }

  Ref layer_norm(const std::string& name, const Ref& input) {
    const Ref weight = parameter(name + ".weight", {config_.hidden_size});
    const Ref bias = parameter(name + ".bias", {config_.hidden_size});
    return graph_.node("layer_norm", {input, weight, bias},
                       {{"normalized_shape", JsonArray{config_.hidden_size}}, {"eps", config_.layer_norm_eps}});
  }

  /// [batch, seq, hidden] -> [batch, heads, seq, hidden / heads], as views.
  Ref split_heads(const Ref& input) {
    const std::int64_t heads = config_.num_attention_heads;
    const Ref split =
        graph_.node("reshape", {input}, {{"shape", JsonArray{"batch", "seq", heads, config_.hidden_size / heads}}});
    return graph_.node("transpose", {split}, {{"dim0", 1}, {"dim1", 2}});
  }

  Ref attention(const std::string& name, const Ref& input, const Ref& bias) {
    const std::int64_t hidden = config_.hidden_size;
    const auto project = [&](const char* part) { return split_heads(linear(name + part, input, hidden, hidden)); };
    const Ref query = project(".query"), key = project(".key"), value = project(".value");
    const auto scope = graph_.scope("attention");
    const Ref heads = graph_.node("scaled_dot_product_attention", {query, key, value, bias});
    const Ref joined = graph_.node("transpose", {heads}, {{"dim0", 1}, {"dim1", 2}});
    return graph_.node("reshape", {joined}, {{"shape", JsonArray{"batch", "seq", hidden}}});
  }

  GraphBuilder& graph_;
  const BertConfig& config_;
};

}  // namespace

BertConfig BertConfig::from_json(const Json& json) {
  const JsonObject* object = json.if_object();
  if (!object) invalid("must be an object");
  require_text(*object, "model_type", "bert");
  require_text(*object, "hidden_act", "gelu");
  require_text(*object, "position_embedding_type", "absolute");
  BertConfig config;
  config.vocab_size = size_member(*object, "vocab_size");
  config.hidden_size = size_member(*object, "hidden_size");
  config.num_hidden_layers = size_member(*object, "num_hidden_layers");
  config.num_attention_heads = size_member(*object, "num_attention_heads");
  config.intermediate_size = size_member(*object, "intermediate_size");
  config.max_position_embeddings = size_member(*object, "max_position_embeddings");
  config.type_vocab_size = size_member(*object, "type_vocab_size");
  if (config.num_hidden_layers > 1000) invalid("\"num_hidden_layers\" must be at most 1000");
  if (config.hidden_size % config.num_attention_heads != 0) {
    invalid("\"hidden_size\" must be a multiple of \"num_attention_heads\"");
  }
  if (const Json* eps = object->if_contains("layer_norm_eps")) {
    if (!eps->is_number() || !(eps->to_number<double>() > 0)) invalid("\"layer_norm_eps\" must be a number above 0");
    config.layer_norm_eps = eps->to_number<double>();
  }
  return config;
}

Ref add_bert_encoder(GraphBuilder& graph, const BertConfig& config, const Ref& input_ids, const Ref& attention_mask) {
  Encoder encoder(graph, config);
  Ref hidden = encoder.embeddings(input_ids);
  const Ref bias = encoder.attention_bias(attention_mask);
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) hidden = encoder.layer(i, hidden, bias);
  return hidden;
}

}  // namespace alknet::compute
