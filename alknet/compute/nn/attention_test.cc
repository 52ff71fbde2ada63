#include "alknet/compute/nn/attention.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/gradcheck.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/train_step.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;

class AttentionDropoutTest : public testing::Test {
 protected:
  /// Numbers from -1 to 1 that repeat nowhere soon.
  Tensor waves(Shape shape, double phase) const {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i) + phase));
    return context.from<float>(values, std::move(shape));
  }

  Tensor random_state(std::uint32_t seed, std::uint32_t step) const {
    return context.from<std::uint32_t>(std::array<std::uint32_t, 4>{seed, 0, step, 0}, {4});
  }

  /// Attention of two heads with dropout, at a step of a generator.
  std::vector<float> attend(double p, std::uint32_t seed, std::uint32_t step) const {
    const Tensor state = random_state(seed, step);
    const std::array<Argument, 5> inputs{query, key, value, Argument(), state};
    return apply("scaled_dot_product_attention", inputs, {{"dropout_p", p}}).at(0).to_vector<float>();
  }

  const Context context{std::make_shared<BufferManager>(), make_cpu_backend({1})};
  const Tensor query = waves({2, 3, 4}, 0), key = waves({2, 5, 4}, 1), value = waves({2, 5, 4}, 2);
};

TEST_F(AttentionDropoutTest, IsTheSameForTheSameState) {
  const auto first = attend(0.3, 7, 0);
  EXPECT_EQ(attend(0.3, 7, 0), first);
  EXPECT_NE(attend(0.3, 7, 1), first);
  EXPECT_NE(attend(0.3, 8, 0), first);
}

TEST_F(AttentionDropoutTest, HasTheMeanOfAttentionWithoutIt) {
  constexpr std::uint32_t kDraws = 400;
  const auto plain = scaled_dot_product_attention(query, key, value).to_vector<float>();
  std::vector<double> sum(plain.size()), squares(plain.size());
  for (std::uint32_t step = 0; step < kDraws; ++step) {
    const auto drawn = attend(0.3, 3, step);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      sum[i] += static_cast<double>(drawn[i]);
      squares[i] += static_cast<double>(drawn[i]) * static_cast<double>(drawn[i]);
    }
  }
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double mean = sum[i] / kDraws;
    const double deviation = std::sqrt(squares[i] / kDraws - mean * mean);
    EXPECT_GT(deviation, 0.05) << i;
    // Five standard errors: of a million means one is farther off.
    EXPECT_NEAR(mean, static_cast<double>(plain[i]), 5 * deviation / std::sqrt(kDraws)) << i;
  }
}

TEST_F(AttentionDropoutTest, DrawsFromTheContextWhenItDropsAnything) {
  const auto drawn = [&](double p) {
    context.manual_seed(5);
    return scaled_dot_product_attention(query, key, value, {}, false, std::nullopt, false, std::nullopt, p)
        .to_vector<float>();
  };
  const auto dropped = drawn(0.5);
  const auto next = rand(context, {4}).to_vector<float>();
  EXPECT_EQ(dropped, attend(0.5, 5, 0));
  EXPECT_EQ(drawn(0), scaled_dot_product_attention(query, key, value).to_vector<float>());
  EXPECT_NE(rand(context, {4}).to_vector<float>(), next) << "nothing was drawn for a probability of 0";
}

TEST_F(AttentionDropoutTest, HasTheGradientOfWhatItKept) {
  const auto check = [&](const Tensor& mask, JsonObject attrs) {
    attrs["dropout_p"] = 0.4;
    GradcheckRequest request;
    request.op = "scaled_dot_product_attention";
    request.attrs = std::move(attrs);
    request.inputs = {query, key, value, mask, random_state(11, 2)};
    const auto report = gradcheck(request);
    EXPECT_TRUE(report.passed) << report.worst_at;
    EXPECT_GE(report.elements, 24u + 40 + 40);
  };
  check({}, {});
  check({}, {{"is_causal", true}});
  check({}, {{"window", 2}, {"scale", 0.3}});
  check(waves({3, 5}, 3), {});
  const float none = -std::numeric_limits<float>::infinity();
  // The second query sees nothing.
  check(context.from<float>(
            std::array{0.F, none, 1.F, none, 0.F, none, none, none, none, none, 0.F, 0.F, 0.F, 0.F, 0.F}, {3, 5}),
        {});
}

/// Attention of x with itself, at one place of a store.
GraphBuilder self_attention(double dropout, bool training) {
  GraphBuilder g;
  nn::AttentionInputs inputs;
  inputs.query = g.input("x", graph::Dtype::kF32, {2, 5, 8});
  const nn::MultiHeadAttention attention{.embed_dim = 8, .num_heads = 2, .dropout = dropout};
  g.output("loss", g.node("mean", {attention(nn::Module(g, training)["attention"], inputs)}));
  return g;
}

TEST_F(AttentionDropoutTest, IsOfTrainingAlone) {
  const Store store{context, 11};
  const auto run = [&](double dropout, bool training) {
    Session session(Plan::compile(self_attention(dropout, training).build(), context.backend()), store);
    return session.run(std::array{waves({2, 5, 8}, 0)}).at(0).to_vector<float>();
  };
  const auto plain = run(0, false);
  EXPECT_EQ(run(0, true), plain);
  EXPECT_EQ(run(0.4, false), plain);
  const auto dropped = run(0.4, true);
  EXPECT_NE(dropped, plain);
  EXPECT_EQ(run(0.4, true), dropped) << "the state of the store is the same";
}

TEST_F(AttentionDropoutTest, DrawsAnewInEachStepOfATraining) {
  const auto losses = [&](std::uint64_t seed) {
    const TrainStepOptions options{.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kSgd)};
    Session session(Plan::compile(train_step(self_attention(0.4, true).build(), "loss", options), context.backend()),
                    Store{context, seed});
    const Tensor rate = context.from<float>(std::array{0.F}, {});
    std::vector<float> values;
    for (int step = 0; step < 3; ++step)
      values.push_back(session.run(std::array{waves({2, 5, 8}, 0), rate}).at(0).to_vector<float>().at(0));
    return values;
  };
  const auto first = losses(4);
  EXPECT_EQ(losses(4), first);
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first[1], first[2]);
}

TEST_F(AttentionDropoutTest, RefusesWhatAttentionRefuses) {
  const auto refuse = [&](const Tensor& other, const Argument& mask, const Argument& state, JsonObject attrs) {
    attrs["dropout_p"] = 0.5;
    const std::array<Argument, 5> inputs{query, other, value, mask, state};
    return code_of([&] { apply("scaled_dot_product_attention", inputs, attrs); });
  };
  const Tensor state = random_state(0, 0), mask = waves({3, 5}, 0);
  EXPECT_EQ(refuse(key, {}, {}, {}), "bad_attribute");
  EXPECT_EQ(refuse(key, mask, state, {{"is_causal", true}}), "bad_attribute");
  EXPECT_EQ(refuse(waves({1, 5, 4}, 0), {}, state, {}), "shape_mismatch");
  EXPECT_EQ(refuse(waves({2, 5, 3}, 0), {}, state, {}), "shape_mismatch");
}

}  // namespace
}  // namespace alknet::compute
