#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "alknet/base/files.h"
#include "alknet/compute/models/bert.h"
#include "alknet/compute/models/model_files.h"
#include "alknet/graph/graph.h"

/// For tests: a sentence encoder of two small layers with random weights.

namespace alknet::compute {

inline constexpr std::string_view kTinyBertConfig =
    R"({"model_type":"bert","vocab_size":64,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,
        "intermediate_size":16,"max_position_embeddings":32,"type_vocab_size":2})";

/// With the vocabulary of tokenizer/testdata/tiny.json, and at most 12 tokens a sentence.
inline ModelFiles tiny_bert_files() {
  ModelFiles files{"tiny", {}};
  files.texts["config.json"] = kTinyBertConfig;
  files.texts["sentence_bert_config.json"] = R"({"max_seq_length":12})";
  files.texts["tokenizer.json"] =
      read_file(std::filesystem::path(ALKNET_SOURCE_DIR) / "alknet/compute/tokenizer/testdata/tiny.json", 1 << 20);
  return files;
}

/// Its model.safetensors, drawn from a seed.
inline std::vector<std::byte> tiny_bert_weights() {
  graph::GraphBuilder g;
  const auto ids = g.input("ids", graph::Dtype::kI32, {2, 4}), mask = g.input("mask", graph::Dtype::kF32, {2, 4});
  g.output("hidden", add_bert_encoder(g, BertConfig::from_json(parse_json(kTinyBertConfig)), ids, mask));
  const graph::Graph graph = std::move(g).build();
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 0.5F);
  std::vector<float> numbers;
  JsonObject header;
  for (const graph::State& state : graph.states) {
    const graph::Shape shape = graph::evaluate(state.shape, {});
    const std::size_t begin = numbers.size() * sizeof(float);
    for (std::int64_t i = 0; i < graph::element_count(shape); ++i) numbers.push_back(normal(random));
    header.emplace(state.name, JsonObject{{"dtype", "F32"},
                                          {"shape", JsonArray(shape.begin(), shape.end())},
                                          {"data_offsets", JsonArray{begin, numbers.size() * sizeof(float)}}});
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(8 + text.size() + numbers.size() * sizeof(float));
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, text.data(), text.size());
  std::memcpy(bytes.data() + 8 + text.size(), numbers.data(), numbers.size() * sizeof(float));
  return bytes;
}

}  // namespace alknet::compute
