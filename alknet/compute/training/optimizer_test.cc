#include "alknet/compute/training/optimizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/train_step.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;

/// One parameter of the rules below, in float64, with the moments of its optimizer.
struct Scalars {
  double p = 0, g = 0, lr = 0;
  int t = 1;
  std::map<std::string, double> moments = {};
  double& operator[](const char* name) { return moments[name]; }
};

/// The algorithms in the boxes of PyTorch's documentation, a line a line, for one number.
struct OptimizerCase {
  const char* spec;
  std::function<void(Scalars&)> rule;
};

void adam_rule(Scalars& s, double gradient, double b1, double b2, double eps, bool amsgrad) {
  s["m"] = b1 * s["m"] + (1 - b1) * gradient;
  s["v"] = b2 * s["v"] + (1 - b2) * gradient * gradient;
  const double m_hat = s["m"] / (1 - std::pow(b1, s.t));
  s["max"] = std::max(s["max"], s["v"]);
  const double v_hat = (amsgrad ? s["max"] : s["v"]) / (1 - std::pow(b2, s.t));
  s.p -= s.lr * m_hat / (std::sqrt(v_hat) + eps);
}

const OptimizerCase kCases[] = {
    {R"({"name": "sgd"})", [](Scalars& s) { s.p -= s.lr * s.g; }},
    {R"({"name": "sgd", "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1})",
     [](Scalars& s) {
       const double g = s.g + 0.1 * s.p;
       s["b"] = s.t == 1 ? g : 0.9 * s["b"] + 0.7 * g;
       s.p -= s.lr * s["b"];
     }},
    {R"({"name": "sgd", "momentum": 0.8, "nesterov": true})",
     [](Scalars& s) {
       s["b"] = s.t == 1 ? s.g : 0.8 * s["b"] + s.g;
       s.p -= s.lr * (s.g + 0.8 * s["b"]);
     }},
    {R"({"name": "adam", "weight_decay": 0.05})",
     [](Scalars& s) { adam_rule(s, s.g + 0.05 * s.p, 0.9, 0.999, 1e-8, false); }},
    {R"({"name": "adam", "amsgrad": true, "betas": [0.7, 0.9], "eps": 1e-3})",
     [](Scalars& s) { adam_rule(s, s.g, 0.7, 0.9, 1e-3, true); }},
    {R"({"name": "adamw"})",
     [](Scalars& s) {
       s.p -= s.lr * 0.01 * s.p;
       adam_rule(s, s.g, 0.9, 0.999, 1e-8, false);
     }},
    {R"({"name": "rmsprop"})",
     [](Scalars& s) {
       s["v"] = 0.99 * s["v"] + 0.01 * s.g * s.g;
       s.p -= s.lr * s.g / (std::sqrt(s["v"]) + 1e-8);
     }},
    {R"({"name": "rmsprop", "centered": true, "momentum": 0.5, "weight_decay": 0.1, "alpha": 0.9, "eps": 0.01})",
     [](Scalars& s) {
       const double g = s.g + 0.1 * s.p;
       s["v"] = 0.9 * s["v"] + 0.1 * g * g;
       s["a"] = 0.9 * s["a"] + 0.1 * g;
       s["b"] = 0.5 * s["b"] + g / (std::sqrt(s["v"] - s["a"] * s["a"]) + 0.01);
       s.p -= s.lr * s["b"];
     }},
    {R"({"name": "adagrad", "lr_decay": 0.1, "initial_accumulator_value": 0.2, "weight_decay": 0.02})",
     [](Scalars& s) {
       const double g = s.g + 0.02 * s.p;
       if (s.t == 1) s["sum"] = 0.2;
       s["sum"] += g * g;
       s.p -= s.lr / (1 + (s.t - 1) * 0.1) * g / (std::sqrt(s["sum"]) + 1e-10);
     }},
    {R"({"name": "lion", "weight_decay": 0.1})",
     [](Scalars& s) {
       const double c = 0.9 * s["m"] + 0.1 * s.g;
       s.p = s.p * (1 - s.lr * 0.1) - s.lr * (c > 0 ? 1 : c < 0 ? -1 : 0);
       s["m"] = 0.99 * s["m"] + 0.01 * s.g;
     }},
};

class OptimizerTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      backend = Devices().open(GetParam());
    } catch (const Error& error) {
      GTEST_SKIP() << error.message();
    }
    context.emplace(std::make_shared<BufferManager>(), backend);
  }
  Tensor scalar(double value) { return context->from<float>(std::array{static_cast<float>(value)}, {}); }

  std::shared_ptr<Backend> backend;
  std::optional<Context> context;
};

/// The loss sum(w * x): its gradient is x.
graph::Graph linear_loss(std::int64_t size) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {size});
  const Ref w = g.state({.name = "w", .dtype = Dtype::kF32, .shape = {size}, .trainable = true, .init = 0.5});
  g.output("loss", g.node("sum", {g.node("mul", {w, x})}));
  return std::move(g).build();
}

TEST_P(OptimizerTest, StepsAsTheDocumentedAlgorithmsInFloat64) {
  constexpr std::int64_t kSize = 5;
  for (const OptimizerCase& c : kCases) {
    SCOPED_TRACE(c.spec);
    TrainStepOptions options;
    options.optimizer = OptimizerOptions::from_json(parse_json(c.spec));
    Store store(*context);
    Session step(Plan::compile(train_step(linear_loss(kSize), "loss", options), backend), store);
    std::vector<Scalars> expected(kSize);
    for (Scalars& s : expected) s.p = 0.5;
    for (int t = 1; t <= 10; ++t) {
      std::vector<float> gradient;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        gradient.push_back(static_cast<float>(std::sin(static_cast<double>(i) * 3 + t) * (i == 4 ? 1e-3 : 2)));
        expected[i].g = static_cast<double>(gradient.back());
        expected[i].lr = static_cast<double>(static_cast<float>(0.05 / t));
        expected[i].t = t;
        c.rule(expected[i]);
      }
      step.run(std::array{context->from<float>(gradient, {kSize}), scalar(0.05 / t)});
      const auto parameters = store.find("w").to_vector<float>();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(parameters[i], expected[i].p, 4e-6) << "step " << t << ", element " << i;
      }
    }
    EXPECT_EQ(store.find(kOptimizerStep).to_vector<float>(), std::vector<float>{10});
  }
}

TEST_P(OptimizerTest, KeepsMomentsInStatesNamedAfterTheParameter) {
  Store store(*context);
  TrainStepOptions options;
  options.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdam);
  Session step(Plan::compile(train_step(linear_loss(2), "loss", options), backend), store);
  step.run(std::array{context->from<float>(std::array{3.0f, -1.0f}, {2}), scalar(0.1)});
  EXPECT_EQ(store.names(), (std::vector<std::string>{"optim.step", "optim.w.exp_avg", "optim.w.exp_avg_sq", "w"}));
  EXPECT_NEAR(store.find("optim.w.exp_avg").to_vector<float>()[0], 0.3, 1e-6);
}

/// The loss of two parameters of other sizes.
graph::Graph two_parameters() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {3});
  const Ref w = g.state({.name = "w", .dtype = Dtype::kF32, .shape = {3}, .trainable = true, .init = 0.5});
  const Ref b = g.state({.name = "b", .dtype = Dtype::kF32, .shape = {2, 3}, .trainable = true, .init = 0.5});
  g.output("loss", g.node("sum", {g.node("mul", {g.node("mul", {w, x}), b})}));
  return std::move(g).build();
}

TEST_P(OptimizerTest, IsOneKernelAParameterWhateverTheRule) {
  for (const OptimizerCase& c : kCases) {
    SCOPED_TRACE(c.spec);
    TrainStepOptions options;
    options.optimizer = OptimizerOptions::from_json(parse_json(c.spec));
    const auto plan = Plan::compile(train_step(two_parameters(), "loss", options), backend);
    for (const std::string name : {"w", "b"}) {
      // The kernels that write the parameter or a moment of it.
      std::set<std::size_t> writers;
      const PlanProgram& program = plan->program();
      for (std::size_t s = 0; s < program.steps.size(); ++s) {
        for (const std::uint32_t output : program.steps[s].outputs) {
          const auto& target = program.values[output].target;
          const std::string state = target ? plan->graph().states[target->state].name : "";
          if (state == name || state.starts_with("optim." + name + ".")) writers.insert(s);
        }
      }
      EXPECT_EQ(writers.size(), 1u) << name << "\n" << plan->dump();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, OptimizerTest, testing::Values("cpu", "gpu:0"),
                         [](const auto& device) { return std::string(device.param).substr(0, 3); });

TEST(OptimizerOptions, ReadsJsonAndNamesWhatIsWrong) {
  EXPECT_EQ(OptimizerOptions::from_json(parse_json(R"({"name": "lion"})")).beta2, 0.99);
  EXPECT_EQ(OptimizerOptions::from_json(parse_json(R"({"name": "adagrad"})")).eps, 1e-10);
  const std::array bad = {
      R"(3)",
      R"({})",
      R"({"name": "adamax"})",
      R"({"name": "sgd", "betas": [0.9, 0.99]})",
      R"({"name": "adam", "betas": [0.9]})",
      R"({"name": "adam", "betas": [0.9, 1.0]})",
      R"({"name": "adam", "betas": [0, 0.9]})",
      R"({"name": "adam", "weight_decay": -1})",
      R"({"name": "adam", "amsgrad": 1})",
      R"({"name": "adam", "eps": "small"})",
      R"({"name": "rmsprop", "alpha": 1})",
      R"({"name": "sgd", "nesterov": true})",
      R"({"name": "sgd", "nesterov": true, "momentum": 0.9, "dampening": 0.1})",
      R"({"name": "sgd", "learning_rate": 1})",
  };
  for (const char* text : bad) {
    EXPECT_EQ(code_of([&] { OptimizerOptions::from_json(parse_json(text)); }), "invalid_argument") << text;
  }
}

}  // namespace
}  // namespace alknet::compute
