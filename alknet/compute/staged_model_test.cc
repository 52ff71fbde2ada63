#include "alknet/compute/staged_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/tensor/error.h"

namespace alknet::compute {
namespace {

using ::testing::ElementsAre;

/// Entries arrive when the test says so.
class HeldSource final : public tensor::Source {
 public:
  explicit HeldSource(tensor::File file) : file_(std::move(file)) {}

  const tensor::File& file() const override { return file_; }
  Task<tensor::TensorView> arrived(const tensor::Entry& entry) override {
    const Completion<> wait = waits[std::string(entry.name)];
    co_await wait.wait();
    co_return file_.tensor(entry);
  }
  void prioritize(std::span<const std::string> names) override { order.assign(names.begin(), names.end()); }

  std::map<std::string, Completion<>> waits;
  std::vector<std::string> order;

 private:
  tensor::File file_;
};

/// layer.0.w = [1, 2], layer.1.w = [10, 20].
tensor::File two_layers() {
  std::string header =
      R"({"layer.0.w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"layer.1.w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::vector<std::byte> bytes(8 + header.size() + 16);
  const std::uint64_t length = header.size();
  const float values[] = {1, 2, 10, 20};
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  std::memcpy(bytes.data() + 8 + header.size(), values, sizeof values);
  return tensor::File::from_bytes(SharedBytes::take(std::move(bytes)));
}

graph::Graph scaled_twice() {
  graph::GraphBuilder g;
  const auto x = g.input("x", Dtype::kF32, {2});
  const auto a = g.state("layer.0.w", Dtype::kF32, {2});
  const auto b = g.state("layer.1.w", Dtype::kF32, {2});
  const auto middle = g.node("mul", {x, a});
  g.output("middle", middle);
  g.output("y", g.node("add", {g.node("mul", {middle, b}), x}));
  return std::move(g).build();
}

TEST(StagedModel, StartsALayerWhenItsTensorsAreThere) {
  ManualExecutor executor;
  const Context context("cpu");
  const auto source = std::make_shared<HeldSource>(two_layers());
  StagedModel model(scaled_twice(), context, source);
  EXPECT_THAT(source->order, ElementsAre("layer.0.w", "layer.1.w"));
  ASSERT_EQ(model.stages(), 2U);
  EXPECT_THAT(model.entries(1), ElementsAre("layer.1.w"));

  const std::vector<float> x = {3, 4};
  std::size_t done = 0;
  std::optional<Outcome<std::vector<Tensor>>> outcome;
  const auto begin = [&] {
    done = 0;
    outcome.reset();
    const std::vector<Tensor> inputs = {context.from<float>(x, {2})};
    start(executor, model.run(inputs, [&](std::size_t, const std::vector<Tensor>&) { ++done; }),
          [&](Outcome<std::vector<Tensor>> result) { outcome.emplace(std::move(result)); });
    executor.run_ready();
  };
  begin();
  EXPECT_EQ(done, 0U);
  source->waits["layer.0.w"].set_value();
  executor.run_ready();
  EXPECT_EQ(done, 1U);
  EXPECT_FALSE(outcome);
  source->waits["layer.1.w"].set_value();
  executor.run_ready();
  ASSERT_TRUE(outcome);
  const auto outputs = outcome->take();
  EXPECT_THAT(outputs[0].to_vector<float>(), ElementsAre(3, 8));
  EXPECT_THAT(outputs[1].to_vector<float>(), ElementsAre(33, 164));
  begin();
  EXPECT_EQ(done, 2U) << "nothing is waited for twice";
}

TEST(StagedModel, GoesOnAfterATensorFailedToArrive) {
  ManualExecutor executor;
  const Context context("cpu");
  const auto source = std::make_shared<HeldSource>(two_layers());
  StagedModel model(scaled_twice(), context, source);
  const std::vector<float> x = {3, 4};
  const std::vector<Tensor> inputs = {context.from<float>(x, {2})};
  source->waits["layer.0.w"].set_value();
  source->waits["layer.1.w"].set_error(
      std::make_exception_ptr(Error(tensor::TensorError::kChecksumMismatch, "layer.1.w is damaged")));
  EXPECT_EQ(code_of([&] { run_until_done(executor, model.run(inputs)); }), "checksum_mismatch");
  source->waits.clear();
  source->waits["layer.1.w"].set_value();
  EXPECT_EQ(run_until_done(executor, model.run(inputs)).size(), 2U);
}

}  // namespace
}  // namespace alknet::compute
