#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <optional>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/nn/layers.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/checkpoint.h"
#include "alknet/compute/training/recovery.h"
#include "alknet/compute/training/train_step.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;
using ::testing::HasSubstr;

constexpr int kSteps = 12;
constexpr int kBetweenCheckpoints = 4;

/// mean((fc2(tanh(fc1(x))) - y)^2), with a step of Adam.
graph::Graph training_graph() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {graph::Dim::symbol("batch"), 3});
  const Ref y = g.input("y", Dtype::kF32, {graph::Dim::symbol("batch"), 2});
  const nn::Module model(g, true);
  const Ref hidden = g.node("tanh", {nn::Linear{.in_features = 3, .out_features = 8}(model["fc1"], x)});
  const Ref error = g.node("sub", {nn::Linear{.in_features = 8, .out_features = 2}(model["fc2"], hidden), y});
  g.output("loss", g.node("mean", {g.node("mul", {error, error})}));
  TrainStepOptions options;
  options.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdam);
  return train_step(std::move(g).build(), "loss", options);
}

class DeviceLost : public testing::Test {
 protected:
  void SetUp() override {
    try {
      devices.open("gpu");
    } catch (const Error& error) {
      GTEST_SKIP() << error.message();
    }
  }

  /// A training on the device as it is now, from the checkpoint where there is one.
  struct Training {
    explicit Training(Devices& devices, const std::string& checkpoint)
        : context(std::make_shared<BufferManager>(), devices.open("gpu")),
          store(std::filesystem::exists(checkpoint) ? load_checkpoint(checkpoint, context).store : Store(context, 1)),
          session(Plan::compile(training_graph(), context.backend()), store) {}

    /// The loss, not yet read.
    Tensor step(int number) {
      const auto shift = static_cast<float>(number);
      const Tensor x = context.from<float>(std::array{shift, 2.0F, 3.0F, -1.0F, 0.5F, -shift}, {2, 3});
      const Tensor y = context.from<float>(std::array{1.0F, 0.0F, 2.0F, 1.0F}, {2, 2});
      return session.run(std::array{x, y, context.from<float>(std::array{0.01F}, {})}).at(0);
    }

    Context context;
    Store store;
    Session session;
  };

  Devices devices;
};

TEST_F(DeviceLost, FailsWhatIsUnderWayAndNamesIt) {
  Training training(devices, "");
  EXPECT_GT(training.step(0).item<float>(), 0);
  const Tensor pending = training.step(1);
  const auto backend = training.context.backend();
  backend->lose("planned by the test");
  EXPECT_TRUE(backend->lost());
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { pending.item<float>(); }, [&] { training.step(2); },
           [&] { training.context.from<float>(std::array{1.0F}, {}); }, [&] { backend->synchronize(); },
           [&] { save_checkpoint("never.mt", training.store); }}) {
    const Error error = error_of(action);
    EXPECT_EQ(error.code(), make_error_code(gpu::GpuError::kDeviceLost)) << error.message();
    EXPECT_THAT(error.message(), HasSubstr("planned by the test"));
    EXPECT_THAT(error.message(), HasSubstr("kernels from"));
    EXPECT_TRUE(error.details().as_object().contains("running"));
  }
  EXPECT_FALSE(std::filesystem::exists("never.mt"));
  const auto again = devices.open("gpu");
  EXPECT_NE(again, backend);
  EXPECT_FALSE(again->lost());
  EXPECT_GT(Training(devices, "").step(0).item<float>(), 0);
}

TEST_F(DeviceLost, TrainingGoesOnFromItsCheckpointWithTheSameLosses) {
  std::vector<float> undisturbed;
  {
    Training training(devices, "");
    for (int step = 0; step < kSteps; ++step) undisturbed.push_back(training.step(step).item<float>());
  }

  const std::string path = (std::filesystem::path(testing::TempDir()) / "device_lost_checkpoint.mt").string();
  std::filesystem::remove(path);
  std::vector<float> losses;  // as the training sees them
  std::size_t saved = 0;      // steps that the checkpoint has
  std::vector<std::pair<std::size_t, bool>> disturbances = {{2, false}, {6, true}, {11, false}};  // step, while it runs
  std::vector<std::string> told;
  const auto attempt = [&] {
    losses.resize(saved);
    Training training(devices, path);
    while (losses.size() < kSteps) {
      const bool disturbed = !disturbances.empty() && disturbances.front().first == losses.size();
      const bool running = disturbed && disturbances.front().second;
      if (disturbed) disturbances.erase(disturbances.begin());
      if (disturbed && !running) training.context.backend()->lose("between steps");
      const Tensor loss = training.step(static_cast<int>(losses.size()));
      if (running) training.context.backend()->lose("within a step");
      losses.push_back(loss.item<float>());
      if (losses.size() % kBetweenCheckpoints != 0) continue;
      save_checkpoint(path, training.store);
      saved = losses.size();
    }
  };
  run_with_recovery(attempt, {.progress = [&] { return static_cast<std::int64_t>(saved); },
                              .on_loss = [&](const Error& error) { told.push_back(error.message()); }});
  EXPECT_TRUE(disturbances.empty());
  EXPECT_EQ(losses, undisturbed);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_THAT(told[1], HasSubstr("within a step"));
  std::filesystem::remove(path);
}

TEST(Recovery, GivesUpWithoutProgressAndPassesOtherErrors) {
  const Error lost(gpu::GpuError::kDeviceLost, "gone");
  int attempts = 0, progress = 0;
  const Recovery recovery{.progress = [&] { return std::int64_t{progress}; }};
  EXPECT_EQ(code_of([&] { run_with_recovery([&] { ++attempts, throw lost; }, recovery); }), "device_lost");
  EXPECT_EQ(attempts, 3);
  attempts = 0;
  run_with_recovery(
      [&] {
        if (++attempts == 10) return;
        ++progress;
        throw lost;
      },
      recovery);
  EXPECT_EQ(attempts, 10);
  const Error other(BaseError::kIoError, "full");
  attempts = 0;
  EXPECT_EQ(code_of([&] { run_with_recovery([&] { ++attempts, throw other; }, recovery); }), "io_error");
  EXPECT_EQ(attempts, 1);
}

}  // namespace
}  // namespace alknet::compute
