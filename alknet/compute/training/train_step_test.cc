#include "alknet/compute/training/train_step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/nn/layers.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/checkpoint.h"
#include "alknet/compute/training/schedule.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;

/// mean((fc(x) - y)^2) with fc from 3 to 2 features.
graph::Graph regression() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {graph::Dim::symbol("batch"), 3});
  const Ref y = g.input("y", Dtype::kF32, {graph::Dim::symbol("batch"), 2});
  const nn::Module model(g, true);
  const Ref error = g.node("sub", {nn::Linear{.in_features = 3, .out_features = 2}(model["fc"], x), y});
  g.output("loss", g.node("mean", {g.node("mul", {error, error})}));
  return std::move(g).build();
}

class TrainStepTest : public testing::Test {
 protected:
  Tensor scalar(double value) { return context.from<float>(std::array{static_cast<float>(value)}, {}); }
  Tensor floats(std::vector<float> values, Shape shape) { return context.from<float>(values, std::move(shape)); }
  Tensor x() { return floats({1, 2, 3, -1, 0.5f, 2, 0, 1, 1, 2, -2, 0}, {4, 3}); }
  Tensor y() { return floats({1, 0, 2, 1, -1, 3, 0, 0}, {4, 2}); }
  Session session(const graph::Graph& graph, const Store& store) {
    return Session(Plan::compile(graph, backend), store);
  }
  static TrainStepOptions sgd() {
    TrainStepOptions options;
    options.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kSgd);
    return options;
  }
  static std::vector<float> weights(const Store& store) { return store.find("fc.weight").to_vector<float>(); }

  std::shared_ptr<Backend> backend = make_cpu_backend({1});
  Context context{std::make_shared<BufferManager>(), backend};
};

TEST_F(TrainStepTest, LearnsALinearMap) {
  Store store(context, 1);
  TrainStepOptions options;
  options.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdam);
  Session step = session(train_step(regression(), "loss", options), store);
  const float first = step.run(std::array{x(), y(), scalar(0.05)}).at(0).to_vector<float>()[0];
  for (int i = 0; i < 300; ++i) step.run(std::array{x(), y(), scalar(0.05)});
  EXPECT_LT(step.run(std::array{x(), y(), scalar(0.05)}).at(0).to_vector<float>()[0], first / 10);
}

TEST_F(TrainStepTest, BeginsWithTheSeedsParameters) {
  const auto initial = [&](std::uint64_t seed) {
    Store store(context, seed);
    session(regression(), store);
    return weights(store);
  };
  EXPECT_EQ(initial(3), initial(3));
  EXPECT_NE(initial(3), initial(4));
  for (const float weight : initial(3)) EXPECT_LE(std::abs(weight), 1 / std::sqrt(3.0f));
}

TEST_F(TrainStepTest, AveragesAccumulatedGradientsToThoseOfTheWholeBatch) {
  Store whole(context, 1), parts(context, 1);
  session(train_step(regression(), "loss", sgd()), whole).run(std::array{x(), y(), scalar(0.1)});
  Session add = session(accumulate_step(regression(), "loss", sgd()), parts);
  Session apply = session(apply_step(regression(), 2, sgd()), parts);
  const auto rows = [](const Tensor& t, int from) {
    return t.view("slice", {{"dim", 0}, {"start", from}, {"end", from + 2}});
  };
  for (const int from : {0, 2}) add.run(std::array{rows(x(), from), rows(y(), from)});
  apply.run(std::array{scalar(0.1)});
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(weights(parts)[i], weights(whole)[i], 1e-6);
  EXPECT_EQ(parts.find("grad.fc.bias").to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(code_of([] { apply_step(regression(), 0, sgd()); }), "invalid_argument");
}

TEST_F(TrainStepTest, ClipsTheNormOfAllGradientsTogether) {
  Store store(context, 1), free_store(context, 1);
  TrainStepOptions options = sgd();
  options.clip_norm = 0.5;
  Session clipped = session(train_step(regression(), "loss", options), store);
  Session free = session(train_step(regression(), "loss", sgd()), free_store);
  const auto before = weights(store);
  const auto bias_before = store.find("fc.bias").to_vector<float>();
  const float norm = clipped.run(std::array{x(), y(), scalar(1)}).at(1).to_vector<float>()[0];
  free.run(std::array{x(), y(), scalar(1)});
  double squares = 0, free_squares = 0;
  const auto add_squares = [&](const char* name, const std::vector<float>& old) {
    const auto now = store.find(name).to_vector<float>(), other = free_store.find(name).to_vector<float>();
    for (std::size_t i = 0; i < old.size(); ++i) {
      squares += std::pow(static_cast<double>(now[i] - old[i]), 2);
      free_squares += std::pow(static_cast<double>(other[i] - old[i]), 2);
    }
  };
  add_squares("fc.weight", before);
  add_squares("fc.bias", bias_before);
  EXPECT_NEAR(std::sqrt(squares), 0.5, 1e-4);
  EXPECT_NEAR(std::sqrt(free_squares), static_cast<double>(norm), 1e-4);
}

TEST_F(TrainStepTest, ClipsEachGradientByValue) {
  Store store(context, 1);
  TrainStepOptions options = sgd();
  options.clip_value = 0.01;
  Session step = session(train_step(regression(), "loss", options), store);
  const auto before = weights(store);
  step.run(std::array{x(), y(), scalar(1)});
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_LE(std::abs(weights(store)[i] - before[i]), 0.01f + 1e-6f);
    EXPECT_GT(std::abs(weights(store)[i] - before[i]), 0.0f);
  }
}

TEST_F(TrainStepTest, ScalesTheLossAndSkipsStepsThatAreNotFinite) {
  Store store(context, 1), plain(context, 1);
  TrainStepOptions options = sgd();
  options.loss_scaling = true;
  Session step = session(train_step(regression(), "loss", options), store);
  session(train_step(regression(), "loss", sgd()), plain).run(std::array{x(), y(), scalar(0.1)});
  LossScaler scaler({.initial = 1024, .growth_interval = 2});
  const auto run = [&](const Tensor& inputs) {
    const auto outputs = step.run(std::array{inputs, y(), scalar(0.1), scalar(scaler.scale())});
    const bool finite = outputs.at(1).read().at(0) != std::byte{0};
    scaler.update(finite);
    return finite;
  };
  EXPECT_TRUE(run(x()));
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(weights(store)[i], weights(plain)[i], 1e-6);
  const auto kept = weights(store);
  EXPECT_FALSE(run(floats(std::vector<float>(12, std::numeric_limits<float>::infinity()), {4, 3})));
  EXPECT_EQ(weights(store), kept);
  EXPECT_EQ(store.find(kOptimizerStep).to_vector<float>(), std::vector<float>{1});
  EXPECT_EQ(scaler.scale(), 512);
  EXPECT_TRUE(run(x()));
  EXPECT_TRUE(run(x()));
  EXPECT_EQ(scaler.scale(), 1024);
}

TEST_F(TrainStepTest, DividingByTheScaleIsPartOfEachParametersUpdate) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4, 3});
  const Ref w = g.state({.name = "w", .dtype = Dtype::kF32, .shape = {3, 5}, .trainable = true, .init = 0.5});
  const Ref v = g.state({.name = "v", .dtype = Dtype::kF32, .shape = {5, 2}, .trainable = true, .init = 0.5});
  g.output("loss", g.node("sum", {g.node("matmul", {g.node("matmul", {x, w}), v})}));
  TrainStepOptions options = sgd();
  options.loss_scaling = true;
  const auto plan = Plan::compile(train_step(std::move(g).build(), "loss", options), backend);
  std::size_t divisions = 0;
  for (const PlanStep& step : plan->program().steps) {
    const auto& steps = step.computation.program.steps;
    if (std::none_of(steps.begin(), steps.end(), [](const auto& each) { return each.op->name == "div"; })) continue;
    ++divisions;
    EXPECT_TRUE(std::any_of(step.outputs.begin(), step.outputs.end(),
                            [&](std::uint32_t output) { return plan->program().values[output].target.has_value(); }))
        << step.computation.name() << "\n"
        << plan->dump();
  }
  EXPECT_EQ(divisions, 2u) << plan->dump();
}

TEST_F(TrainStepTest, RefusesAGraphWithNothingToTrain) {
  GraphBuilder g;
  g.output("loss", g.node("sum", {g.input("x", Dtype::kF32, {2})}));
  const graph::Graph graph = std::move(g).build();
  EXPECT_EQ(code_of([&] { train_step(graph, "loss", sgd()); }), "graph_invalid");
  EXPECT_EQ(code_of([&] { train_step(regression(), "accuracy", sgd()); }), "unknown_ref");
}

TEST_F(TrainStepTest, KeepsMemoryFlatOverTenThousandSteps) {
  Store store(context, 1);
  TrainStepOptions options;
  options.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdamW);
  Session step = session(train_step(regression(), "loss", options), store);
  const std::array inputs = {x(), y(), scalar(0.001)};
  for (int i = 0; i < 10; ++i) step.run(inputs);
  const auto before = context.buffers()->statistics(*backend);
  const auto allocations = backend->statistics().allocations;
  for (int i = 0; i < 10'000; ++i) step.run(inputs);
  const auto after = context.buffers()->statistics(*backend);
  EXPECT_EQ(after.live, before.live);
  EXPECT_EQ(after.peak, before.peak);
  EXPECT_EQ(after.buffers, before.buffers);
  EXPECT_EQ(backend->statistics().allocations, allocations);
}

TEST_F(TrainStepTest, GoesOnFromACheckpointToTheBit) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "train_step_checkpoint";
  make_folders(folder);
  const std::string path = (folder / "checkpoint.mt").string();
  TrainStepOptions options;
  options.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdamW);
  const graph::Graph graph = train_step(regression(), "loss", options);
  const auto run = [&](const Store& store, int steps) {
    Session step = session(graph, store);
    for (int i = 0; i < steps; ++i) step.run(std::array{x(), y(), scalar(0.01)});
  };
  Store store(context, 7);
  run(store, 5);
  save_checkpoint(path, store, {.metadata = {{"note", "after five"}}});
  run(store, 5);
  const Checkpoint checkpoint = load_checkpoint(path, context);
  run(checkpoint.store, 5);
  EXPECT_EQ(checkpoint.store.names(), store.names());
  for (const std::string& name : store.names()) {
    EXPECT_EQ(checkpoint.store.find(name).read(), store.find(name).read()) << name;
  }
  EXPECT_EQ(tensor::File::open(path).metadata("note"), "after five");

  std::string bytes = read_file(path, 1 << 20);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 4);
  write_file(path, bytes);
  EXPECT_EQ(code_of([&] { load_checkpoint(path, context); }), "model_invalid");
  std::filesystem::remove_all(folder);
}

TEST(DescribeState, SaysWhatStatesAre) {
  EXPECT_EQ(describe_state("fc.weight"), "trained parameter");
  EXPECT_EQ(describe_state("optim.fc.weight.exp_avg"), "moment exp_avg of fc.weight");
  EXPECT_EQ(describe_state("optim.step"), "steps that the optimizer has taken");
  EXPECT_EQ(describe_state("bn.running_var"), "running variance of each channel");
}

TEST(Schedule, StepsDown) {
  const Schedule rate = step_schedule(0.8, 10, 0.5);
  for (const auto& [step, expected] : {std::pair{0, 0.8}, {9, 0.8}, {10, 0.4}, {25, 0.2}}) {
    EXPECT_DOUBLE_EQ(rate(step), expected);
  }
  EXPECT_EQ(code_of([] { step_schedule(1, 0); }), "invalid_argument");
}

TEST(Schedule, FallsAlongACosine) {
  const Schedule rate = cosine_schedule(1, 4, 0.2);
  EXPECT_DOUBLE_EQ(rate(0), 1);
  EXPECT_NEAR(rate(1), 0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2, 1e-12);
  EXPECT_NEAR(rate(2), 0.6, 1e-12);
  EXPECT_NEAR(rate(4), 0.2, 1e-12);
  EXPECT_NEAR(rate(100), 0.2, 1e-12);
}

TEST(Schedule, WarmsUp) {
  const Schedule rate = warm_up(constant_schedule(2), 4, 0.5);
  EXPECT_DOUBLE_EQ(rate(0), 1);
  EXPECT_DOUBLE_EQ(rate(2), 1.5);
  EXPECT_DOUBLE_EQ(rate(9), 2);
  const Schedule shifted = warm_up(step_schedule(1, 1, 0.5), 2, 0, true);
  EXPECT_DOUBLE_EQ(shifted(2), 1);
  EXPECT_DOUBLE_EQ(shifted(3), 0.5);
}

TEST(Schedule, RisesAndFallsInOneCycle) {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10): up to step 2, down to step 9.
  const Schedule rate = one_cycle_schedule({.maximum = 1, .steps = 10});
  EXPECT_NEAR(rate(0), 0.04, 1e-12);
  EXPECT_NEAR(rate(1), 0.52, 1e-12);
  EXPECT_NEAR(rate(2), 1, 1e-12);
  EXPECT_NEAR(rate(9), 4e-6, 1e-12);
  EXPECT_LT(rate(6), rate(5));
  EXPECT_EQ(code_of([] { one_cycle_schedule({.rise = 2}); }), "invalid_argument");
}

}  // namespace
}  // namespace alknet::compute
