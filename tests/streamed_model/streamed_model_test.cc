#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "alknet/base/files.h"
#include "alknet/call/dispatcher.h"
#include "alknet/compute/models/bert.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/operations/compute_operations.h"
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

std::filesystem::path minilm() { return cache_folder() / "models" / "all-MiniLM-L6-v2"; }

/// A bench whose server holds the last tensor that MiniLM needs back behind its header, until `let_go`.
class HoldingBench {
 public:
  static constexpr std::string_view kLast = "encoder.layer.5.output.LayerNorm.weight";

  HoldingBench() : bench(tensor::File::open((minilm() / "model.safetensors").string())) {
    bench.link_options.most_at_once = std::size_t{1} << 20;
    bench.prepare = [this](stream::MemoryLink& link) {
      link.held = [this](stream::StreamId stream) { return stream == held_; };
      link.tamper = [this](stream::StreamId stream, std::uint64_t offset, std::span<std::byte> bytes) {
        if (stream % 4 != 3 || offset != 0) return;
        std::span<const std::byte> front = bytes;
        stream::StreamHeaderReader reader;
        if (bench.file.entries()[reader.read(front)->index].name == kLast) held_ = stream;
      };
    };
    auto options = bench.with_token();
    options.on_progress = [this](std::uint64_t bytes, std::uint64_t all) {
      arrived = bytes;
      total = all;
    };
    client = bench.open(options);
  }

  void let_go() {
    held_ = SIZE_MAX;
    bench.link->kick();
  }
  std::uint64_t last_bytes() const { return bench.file.entry(kLast).bytes(); }

  stream::StreamBench bench;
  std::shared_ptr<stream::TensorClient> client;
  std::uint64_t arrived = 0, total = 0;

 private:
  stream::StreamId held_ = SIZE_MAX;
};

TEST(StreamedModel, ComputesTheFirstLayerOfMiniLmBeforeTheLastByteHasArrived) {
  if (!std::filesystem::exists(minilm() / "model.safetensors")) {
    GTEST_SKIP() << "the model is not installed; run: bin/alknet model pull";
  }
  const auto config =
      compute::BertConfig::from_json(parse_json(read_file(minilm() / "config.json", std::uint64_t{1} << 20)));
  const Context context("cpu");
  HoldingBench holding;
  auto& bench = holding.bench;
  compute::StagedModel model(encoder(config, 6), context, holding.client);
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
  EXPECT_EQ(holding.arrived, holding.total - holding.last_bytes()) << "bytes are still to come";
  // Layer 0 gives its hidden state, and beside it what later layers need of the mask is of the first stage.
  expect_near(layers[1], reference(context, bench.file, encoder(config, 1)));

  holding.let_go();
  bench.executor.run_ready();
  ASSERT_TRUE(outcome.has_value());
  const auto outputs = outcome->take();
  expect_near(outputs.front().to_vector<float>(), reference(context, bench.file, encoder(config, 6)));
}

/// The same through the operation that callers use.
TEST(StreamedModel, IsServedWhileItArrives) {
  if (!std::filesystem::exists(minilm() / "model.safetensors")) {
    GTEST_SKIP() << "the model is not installed; run: bin/alknet model pull";
  }
  HoldingBench holding;
  auto& executor = holding.bench.executor;
  compute::ComputeServiceOptions options;
  options.device = "cpu";
  options.measure_kernels = true;
  compute::ComputeService service(options);
  const auto registry = std::make_shared<call::Registry>();
  registry->curated().add(compute::compute_operations(service));
  registry->curated().add(compute::sentence_model_operations(
      service, "minilm", compute::ModelFiles::of_folder(minilm()), std::exchange(holding.client, nullptr)));
  call::Dispatcher dispatcher(executor, registry, {});
  const auto owner = std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "caller",
                                                   call::Identity{"caller", {"compute", "model"}, {}, false});
  const auto run_all = [&] {
    do service.settle();
    while (executor.run_ready() > 0);
  };
  using Answer = std::optional<Outcome<Message>>;
  const auto begin = [&](std::string operation, std::string_view input, Answer& answer) {
    call::CallRequest request;
    request.operation = std::move(operation);
    request.input = {parse_json(input), {}};
    start(executor, dispatcher.call(owner, std::move(request)),
          [&answer](Outcome<Message> outcome) { answer.emplace(std::move(outcome)); });
    run_all();
  };
  const auto layers_done = [&] {
    Answer stats;
    begin("compute/stats", R"({"kernels":true})", stats);
    std::uint64_t count = 0;
    const Message answer = stats->take();
    for (const Json& row : answer.value.at("kernels").as_array()) {
      const bool attention = row.at("name").as_string().starts_with("attention");
      if (attention) count += row.at("count").to_number<std::uint64_t>();
    }
    return count;
  };

  Answer embedded;
  begin("model/minilm/embed", R"({"sentences":["A dog runs in the park."]})", embedded);
  EXPECT_FALSE(embedded.has_value());
  EXPECT_EQ(layers_done(), 5U) << "all layers but the one whose last tensor is held back";
  EXPECT_EQ(holding.arrived, holding.total - holding.last_bytes()) << "bytes are still to come";
  holding.let_go();
  run_all();
  ASSERT_TRUE(embedded.has_value());
  EXPECT_EQ(layers_done(), 6U);

  auto encoder = compute::SentenceEncoder::load(minilm(), Context("cpu"), compute::SentenceEncoder::Options{});
  const std::vector<std::string> texts = {"A dog runs in the park."};
  const auto expected = encoder.embed(texts).front().vector;
  std::vector<float> vector;
  const Message answer = embedded->take();
  for (const Json& number : answer.value.at("vectors").at(0).as_array()) vector.push_back(number.to_number<float>());
  expect_near(vector, expected);
  owner->end();
  registry->curated().clear();
  run_all();
}

}  // namespace
}  // namespace alknet
