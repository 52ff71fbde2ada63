#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/nn/attention.h"
#include "alknet/compute/nn/convolution.h"
#include "alknet/compute/nn/layers.h"
#include "alknet/compute/nn/losses.h"
#include "alknet/compute/nn/recurrent.h"
#include "alknet/compute/session.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;

class ModuleTest : public testing::Test {
 protected:
  Tensor floats(std::vector<float> values, Shape shape) { return context.from<float>(values, std::move(shape)); }

  /// Numbers from -1 to 1 that repeat nowhere soon.
  Tensor waves(Shape shape) {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i)));
    return floats(std::move(values), std::move(shape));
  }

  std::vector<Tensor> run(GraphBuilder&& builder, std::span<const Tensor> inputs) {
    Session session(Plan::compile(std::move(builder).build(), backend), store);
    return session.run(inputs);
  }

  std::vector<double> doubles(std::string_view state) const {
    const auto values = store.find(state).to_vector<float>();
    return {values.begin(), values.end()};
  }

  std::shared_ptr<Backend> backend = make_cpu_backend({1});
  Context context{std::make_shared<BufferManager>(), backend};
  Store store{context, 11};
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_F(ModuleTest, SharesTheParametersOfOnePlace) {
  GraphBuilder g;
  const nn::Module model(g);
  const Ref x = g.input("x", Dtype::kF32, {2, 3});
  const nn::Linear square{.in_features = 3, .out_features = 3};
  g.output("y", square(model["fc"], square(model["fc"], x)));
  const graph::Graph graph = std::move(g).build();
  ASSERT_EQ(graph.states.size(), 2u);
  EXPECT_EQ(graph.states[0].name, "fc.weight");
  EXPECT_TRUE(graph.states[0].trainable);
  EXPECT_EQ(graph.nodes[0].path, "fc");
}

TEST_F(ModuleTest, NormalisesByTheBatchAndKeepsRunningStatistics) {
  const auto build = [](bool training) {
    GraphBuilder g;
    const nn::Module model(g, training);
    const Ref x = g.input("x", Dtype::kF32, {graph::Dim::symbol("n"), 2, 3});
    g.output("y", nn::BatchNorm{.num_features = 2}(model["bn"], x));
    return g;
  };
  const Tensor x = waves({4, 2, 3});
  const auto y = run(build(true), std::array{x}).at(0).to_vector<float>();
  const auto in = x.to_vector<float>();
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0, squares = 0;
    const auto at = [&](std::size_t i) { return (i / 3) * 6 + c * 3 + i % 3; };
    for (std::size_t i = 0; i < 12; ++i) sum += static_cast<double>(in[at(i)]);
    for (std::size_t i = 0; i < 12; ++i) squares += std::pow(static_cast<double>(in[at(i)]) - sum / 12, 2);
    EXPECT_NEAR(doubles("bn.running_mean")[c], 0.1 * sum / 12, 1e-6);
    EXPECT_NEAR(doubles("bn.running_var")[c], 0.9 + 0.1 * squares / 11, 1e-6);
    for (std::size_t i = 0; i < 12; ++i) {
      const double expected = (static_cast<double>(in[at(i)]) - sum / 12) / std::sqrt(squares / 12 + 1e-5);
      EXPECT_NEAR(static_cast<double>(y[at(i)]), expected, 1e-5);
    }
  }
  const auto evaluated = run(build(false), std::array{x}).at(0).to_vector<float>();
  const double expected =
      (static_cast<double>(in[3]) - doubles("bn.running_mean")[1]) / std::sqrt(doubles("bn.running_var")[1] + 1e-5);
  EXPECT_NEAR(static_cast<double>(evaluated[3]), expected, 1e-5);
}

TEST_F(ModuleTest, RunsAnLstmAsItsEquations) {
  GraphBuilder g;
  const nn::Recurrence result = nn::LSTM{.input_size = 2, .hidden_size = 3, .length = 4}(
      nn::Module(g)["rnn"], g.input("x", Dtype::kF32, {1, 4, 2}));
  g.output("y", result.output);
  const Tensor x = waves({1, 4, 2});
  const auto y = run(std::move(g), std::array{x}).at(0).to_vector<float>();
  const auto in = x.to_vector<float>();
  const auto wi = doubles("rnn.weight_ih_l0"), wh = doubles("rnn.weight_hh_l0"), bi = doubles("rnn.bias_ih_l0"),
             bh = doubles("rnn.bias_hh_l0");
  std::array<double, 3> h{}, c{};
  for (std::size_t t = 0; t < 4; ++t) {
    std::array<double, 12> gate{};
    for (std::size_t r = 0; r < 12; ++r) {
      gate[r] = bi[r] + bh[r];
      for (std::size_t i = 0; i < 2; ++i) gate[r] += wi[r * 2 + i] * static_cast<double>(in[t * 2 + i]);
      for (std::size_t i = 0; i < 3; ++i) gate[r] += wh[r * 3 + i] * h[i];
    }
    for (std::size_t i = 0; i < 3; ++i) {
      c[i] = sigmoid(gate[3 + i]) * c[i] + sigmoid(gate[i]) * std::tanh(gate[6 + i]);
      h[i] = sigmoid(gate[9 + i]) * std::tanh(c[i]);
      EXPECT_NEAR(static_cast<double>(y[t * 3 + i]), h[i], 1e-5);
    }
  }
}

TEST_F(ModuleTest, RunsAGruAsItsEquations) {
  GraphBuilder g;
  const nn::Recurrence result = nn::GRU{.input_size = 2, .hidden_size = 3, .length = 3}(
      nn::Module(g)["rnn"], g.input("x", Dtype::kF32, {1, 3, 2}));
  g.output("y", result.output);
  const Tensor x = waves({1, 3, 2});
  const auto y = run(std::move(g), std::array{x}).at(0).to_vector<float>();
  const auto in = x.to_vector<float>();
  const auto wi = doubles("rnn.weight_ih_l0"), wh = doubles("rnn.weight_hh_l0"), bi = doubles("rnn.bias_ih_l0"),
             bh = doubles("rnn.bias_hh_l0");
  std::array<double, 3> h{};
  for (std::size_t t = 0; t < 3; ++t) {
    std::array<double, 9> from_x{}, from_h{};
    for (std::size_t r = 0; r < 9; ++r) {
      from_x[r] = bi[r];
      from_h[r] = bh[r];
      for (std::size_t i = 0; i < 2; ++i) from_x[r] += wi[r * 2 + i] * static_cast<double>(in[t * 2 + i]);
      for (std::size_t i = 0; i < 3; ++i) from_h[r] += wh[r * 3 + i] * h[i];
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const double reset = sigmoid(from_x[i] + from_h[i]), update = sigmoid(from_x[3 + i] + from_h[3 + i]);
      h[i] = (1 - update) * std::tanh(from_x[6 + i] + reset * from_h[6 + i]) + update * h[i];
      EXPECT_NEAR(static_cast<double>(y[t * 3 + i]), h[i], 1e-5);
    }
  }
}

TEST_F(ModuleTest, RunsRecurrentLayersInBothDirections) {
  GraphBuilder g;
  const nn::LSTM lstm{.input_size = 2, .hidden_size = 3, .length = 4, .num_layers = 2, .bidirectional = true};
  const nn::Recurrence result = lstm(nn::Module(g)["rnn"], g.input("x", Dtype::kF32, {1, 4, 2}));
  ASSERT_EQ(result.hidden.size(), 4u);
  ASSERT_EQ(result.cell.size(), 4u);
  g.output("y", result.output);
  g.output("last backwards", result.hidden[3]);
  const Tensor x = waves({1, 4, 2});
  const auto outputs = run(std::move(g), std::array{x});
  EXPECT_EQ(store.find("rnn.weight_ih_l1").shape(), (Shape{12, 6}));

  // The same from layers of one direction each, which read what they go back over turned round.
  GraphBuilder h;
  const nn::Module model(h);
  const auto turned = [&](const Ref& sequence) { return h.node("flip", {sequence}, {{"dims", JsonArray{1}}}); };
  Ref y = h.input("x", Dtype::kF32, {1, 4, 2});
  for (const std::string layer : {"0", "1"}) {
    for (const std::string name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) {
      store.set("forth" + layer + "." + name + "_l0", store.find("rnn." + name + "_l" + layer));
      store.set("back" + layer + "." + name + "_l0", store.find("rnn." + name + "_l" + layer + "_reverse"));
    }
    const nn::LSTM one{.input_size = layer == "0" ? 2 : 6, .hidden_size = 3, .length = 4};
    const Ref forth = one(model["forth" + layer], y).output;
    y = h.node("cat", {std::vector<Ref>{forth, turned(one(model["back" + layer], turned(y)).output)}}, {{"dim", -1}});
  }
  h.output("y", y);
  const auto expected = run(std::move(h), std::array{x}).at(0).to_vector<float>();
  EXPECT_THAT(outputs[0].to_vector<float>(), testing::Pointwise(testing::FloatNear(1e-6F), expected));
  // What a layer that goes back computes last stands at the first step.
  EXPECT_THAT(
      outputs[1].to_vector<float>(),
      testing::Pointwise(testing::FloatNear(1e-6F), std::vector<float>(expected.begin() + 3, expected.begin() + 6)));
}

TEST_F(ModuleTest, GivesTheSameWithACacheStepByStep) {
  const nn::MultiHeadAttention attention{.embed_dim = 8, .num_heads = 4, .num_key_heads = 2, .rope_base = 100.0};
  const auto mask = [](GraphBuilder& g, graph::Dim queries, graph::Dim keys) {
    return g.input("mask", Dtype::kF32, {1, 1, queries, keys});
  };
  GraphBuilder whole;
  nn::AttentionInputs inputs;
  inputs.query = whole.input("x", Dtype::kF32, {1, 3, 8});
  inputs.mask = mask(whole, 3, 3);
  whole.output("y", attention(nn::Module(whole)["attention"], inputs));
  const Tensor x = waves({1, 3, 8});
  const Tensor causal = floats({0, -1e9f, -1e9f, 0, 0, -1e9f, 0, 0, 0}, {1, 1, 3, 3});
  const auto expected = run(std::move(whole), std::array{x, causal}).at(0).to_vector<float>();

  GraphBuilder step;
  nn::AttentionInputs one;
  one.query = step.input("x", Dtype::kF32, {1, 1, 8});
  one.cache =
      nn::AttentionCache{.position = step.input("position", Dtype::kI32, {}), .batch = 1, .capacity = 5, .length = 1};
  step.output("y", attention(nn::Module(step)["attention"], one));
  Session session(Plan::compile(std::move(step).build(), backend), store);
  for (std::int32_t t = 0; t < 3; ++t) {
    const Tensor row = context.contiguous(x.view("slice", {{"dim", 1}, {"start", t}, {"end", t + 1}}));
    const auto y = session.run(std::array{row, context.from<std::int32_t>(std::array{t}, {})}).at(0).to_vector<float>();
    for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(y[i], expected[static_cast<std::size_t>(t) * 8 + i], 1e-5f);
  }
}

TEST_F(ModuleTest, TransformerLayersKeepTheShapeAndSeeOnlyThePast) {
  GraphBuilder g;
  const nn::Module model(g, true);
  const Ref x = g.input("x", Dtype::kF32, {1, 3, 8});
  const Ref encoded =
      nn::TransformerEncoderLayer{
          .d_model = 8, .nhead = 2, .dim_feedforward = 16, .dropout = 0, .norm_first = true, .causal = true}(
          model["encoder"], x);
  g.output("encoded", encoded);
  g.output("decoded", nn::TransformerDecoderLayer{.d_model = 8, .nhead = 2, .dim_feedforward = 16, .dropout = 0}(
                          model["decoder"], x, encoded));
  Session session(Plan::compile(std::move(g).build(), backend), store);
  const Tensor input = waves({1, 3, 8});
  auto changed = input.to_vector<float>();
  changed[23] += 1;  // of the last position
  const auto a = session.run(std::array{input}), b = session.run(std::array{floats(changed, {1, 3, 8})});
  EXPECT_EQ(a.at(1).shape(), (Shape{1, 3, 8}));
  const auto first = a.at(0).to_vector<float>(), second = b.at(0).to_vector<float>();
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(first[i], second[i]);
  EXPECT_NE(first[20], second[20]);
}

TEST_F(ModuleTest, DropsOutInTrainingAlone) {
  const auto build = [](bool training) {
    GraphBuilder g;
    g.output("y", nn::Dropout{.p = 0.25}(nn::Module(g, training)["drop"], g.input("x", Dtype::kF32, {1000})));
    return g;
  };
  const Tensor ones = floats(std::vector<float>(1000, 1.0f), {1000});
  std::size_t zeros = 0;
  for (const float y : run(build(true), std::array{ones}).at(0).to_vector<float>()) {
    if (y == 0) {
      ++zeros;
    } else {
      EXPECT_FLOAT_EQ(y, 1 / 0.75f);
    }
  }
  EXPECT_NEAR(static_cast<double>(zeros), 250, 60);
  EXPECT_EQ(run(build(false), std::array{ones}).at(0).to_vector<float>(), std::vector<float>(1000, 1.0f));
}

TEST_F(ModuleTest, RefusesSizesThatDoNotFit) {
  GraphBuilder g;
  const nn::Module model(g);
  const Ref x = g.input("x", Dtype::kF32, {1, 1, 8, 8});
  EXPECT_EQ(code_of([&] {
              nn::Conv2d{.in_channels = 1, .out_channels = 1, .stride = {1, 2, 3}}(model["a"], x);
            }),
            "invalid_argument");
  nn::AttentionInputs inputs;
  inputs.query = x;
  EXPECT_EQ(code_of([&] { nn::MultiHeadAttention{.embed_dim = 6, .num_heads = 4}(model["b"], inputs); }),
            "invalid_argument");
  EXPECT_EQ(code_of([&] { nn::LSTM{.input_size = 1, .hidden_size = 1, .length = 0}(model["c"], x); }),
            "invalid_argument");
}

}  // namespace
}  // namespace alknet::compute
