#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "alknet/base/files.h"
#include "alknet/compute/models/bert.h"
#include "alknet/compute/session.h"
#include "alknet/compute/staged_model.h"
#include "alknet/stream/stream_test_support.h"
#include "alknet/stream/wire.h"

// A model that is computed while a peer streams it.

namespace alknet {
namespace {

using compute::Context;
using compute::Tensor;
using graph::Dim;
using graph::Dtype;

/// The encoder of MiniLM with its hidden state as output; `layers` of its layers.
graph::Graph encoder(compute::BertConfig config, std::int64_t layers) {
  config.num_hidden_layers = layers;
  graph::GraphBuilder g;
  g.dim("batch", 1, std::nullopt);
  g.dim("seq", 1, config.max_position_embeddings);
  const graph::SymbolicShape shape = {Dim::symbol("batch"), Dim::symbol("seq")};
  const graph::Ref ids = g.input("input_ids", Dtype::kI32, shape);
  const graph::Ref mask = g.input("attention_mask", Dtype::kF32, shape);
  g.output("hidden", compute::add_bert_encoder(g, config, ids, mask));
  return std::move(g).build();
}

std::vector<Tensor> sentence(const Context& context) {
  std::vector<std::int32_t> ids(12);
  std::iota(ids.begin(), ids.end(), 1000);
  const std::vector<float> mask(12, 1.0F);
  const std::vector<Tensor> inputs = {context.from<std::int32_t>(ids, {1, 12}), context.from<float>(mask, {1, 12})};
  return inputs;
}

/// What one session over the whole file gives.
std::vector<float> reference(const Context& context, const tensor::File& file, const graph::Graph& graph) {
  compute::Store store(context);
  store.add_file(file);
  compute::Session session(compute::Plan::compile(graph, context.backend()), store);
  return session.run(sentence(context)).front().to_vector<float>();
}

void expect_near(const std::vector<float>& values, const std::vector<float>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 1e-4F) << i;
}

TEST(StreamedModel, ComputesTheFirstLayerOfMiniLmBeforeTheLastByteHasArrived) {
  const std::filesystem::path folder = cache_folder() / "models" / "all-MiniLM-L6-v2";
  if (!std::filesystem::exists(folder / "model.safetensors")) {
    GTEST_SKIP() << "the model is not installed; run: bin/alknet model pull";
  }
  const auto config =
      compute::BertConfig::from_json(parse_json(read_file(folder / "config.json", std::uint64_t{1} << 20)));
  const Context context("cpu");
  stream::StreamBench bench(tensor::File::open((folder / "model.safetensors").string()));
  bench.link_options.most_at_once = std::size_t{1} << 20;

  // The last tensor that the model needs is held back behind its header.
  constexpr std::string_view kLast = "encoder.layer.5.output.LayerNorm.weight";
  stream::StreamId held = SIZE_MAX;
  bench.prepare = [&](stream::MemoryLink& link) {
    link.held = [&held](stream::StreamId stream) { return stream == held; };
    link.tamper = [&](stream::StreamId stream, std::uint64_t offset, std::span<std::byte> bytes) {
      if (stream % 4 != 3 || offset != 0) return;
      std::span<const std::byte> front = bytes;
      stream::StreamHeaderReader reader;
      if (bench.file.entries()[reader.read(front)->index].name == kLast) held = stream;
    };
  };
  std::uint64_t arrived = 0, total = 0;
  auto options = bench.with_token();
  options.on_progress = [&](std::uint64_t bytes, std::uint64_t all) {
    arrived = bytes;
    total = all;
  };
  const std::shared_ptr<stream::TensorClient> client = bench.open(options);
  compute::StagedModel model(encoder(config, 6), context, client);
  ASSERT_EQ(model.stages(), 7U) << "embeddings and six layers";

  std::vector<std::vector<float>> layers;
  const auto on_stage = [&](std::size_t stage, const std::vector<Tensor>& outputs) {
    EXPECT_EQ(stage, layers.size());
    layers.push_back(outputs.front().to_vector<float>());
  };
  std::optional<Outcome<std::vector<Tensor>>> outcome;
  start(bench.executor, model.run(sentence(context), on_stage),
        [&](Outcome<std::vector<Tensor>> result) { outcome.emplace(std::move(result)); });
  bench.executor.run_ready();

  EXPECT_FALSE(outcome.has_value());
  ASSERT_EQ(layers.size(), 6U) << "all but the last layer are done";
  EXPECT_EQ(arrived, total - bench.file.entry(kLast).bytes()) << "bytes are still to come";
  // Layer 0 gives its hidden state, and beside it what later layers need of the mask is of the first stage.
  expect_near(layers[1], reference(context, bench.file, encoder(config, 1)));

  held = SIZE_MAX;
  bench.link->kick();
  bench.executor.run_ready();
  ASSERT_TRUE(outcome.has_value());
  const auto outputs = outcome->take();
  expect_near(outputs.front().to_vector<float>(), reference(context, bench.file, encoder(config, 6)));
}

}  // namespace
}  // namespace alknet
