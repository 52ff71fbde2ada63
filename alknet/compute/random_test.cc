#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>
#include <optional>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/graph/philox.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;

constexpr std::int64_t kCount = 3001;
constexpr std::uint64_t kSeed = 0x0123456789abcdef, kStep = 0x100000002;
constexpr std::uint32_t kStream = 7;

class RandomOperations : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      backend = devices.open(GetParam());
    } catch (const Error& error) {
      GTEST_SKIP() << error.message();
    }
    context.emplace(std::make_shared<BufferManager>(), backend);
  }

  /// The op's result for the seed and step above.
  Tensor draw(const char* op, JsonObject attrs, std::optional<float> probability = {}) {
    GraphBuilder g;
    const Ref rng = g.input("rng", Dtype::kU32, {4});
    attrs["stream"] = kStream;
    if (probability) {
      const Ref p = g.input("p", Dtype::kF32, {kCount});
      g.output("y", g.node(op, {p, rng}, attrs));
    } else {
      if (!attrs.contains("n")) attrs["size"] = JsonArray{kCount};
      g.output("y", g.node(op, {rng}, attrs));
    }
    Session session(Plan::compile(std::move(g).build(), backend), Store(*context));
    const auto word = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    const std::vector<std::uint32_t> state = {word(kSeed), word(kSeed >> 32), word(kStep), word(kStep >> 32)};
    std::vector<Tensor> inputs = {context->from<std::uint32_t>(state, {4})};
    if (probability) inputs.push_back(context->from<float>(std::vector<float>(kCount, *probability), {kCount}));
    return session.run(inputs).at(0);
  }

  static std::uint32_t word(std::size_t element) { return graph::random_word(kSeed, kStep, kStream, element); }

  Devices devices;
  std::shared_ptr<Backend> backend;
  std::optional<Context> context;
};

TEST_P(RandomOperations, UniformNumbersAreTheUpperBitsOfPhilox) {
  const auto got = draw("rand", {}).to_vector<float>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(static_cast<double>(got[i]), graph::unit_uniform(word(i))) << i;
  }
}

TEST_P(RandomOperations, NormalNumbersAreThoseOfBoxAndMullerWithin16Ulp) {
  const auto got = draw("randn", {}).to_vector<float>();
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double expected = graph::unit_normals(word(i / 2 * 2), word(i / 2 * 2 + 1))[i % 2];
    const double ulp = std::ldexp(1.0, std::ilogb(expected) - 23);
    // Near a zero of the sine its argument's rounding counts: that of a number near pi.
    ASSERT_NEAR(static_cast<double>(got[i]), expected, std::max(16 * ulp, 4e-7)) << i;
    sum += expected;
    squares += expected * expected;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.06);
  EXPECT_NEAR(squares / kCount, 1, 0.08);
}

/// Sine or cosine of a part of a whole turn, whose quarter turns are exact.
long double of_turn(bool sine, long double part) {
  const long double quarters = std::nearbyint(part * 4);
  const long double angle = (part - quarters / 4) * 2 * std::numbers::pi_v<long double>;
  const int turn = (static_cast<int>(quarters) + (sine ? 3 : 0)) & 3;
  const long double value = turn % 2 == 0 ? std::cos(angle) : std::sin(angle);
  return turn == 1 || turn == 2 ? -value : value;
}

TEST_P(RandomOperations, NormalNumbersOfF64HaveItsPrecision) {
  if (!backend->supports(Dtype::kF64)) GTEST_SKIP() << backend->id() << " has no f64";
  const auto got = draw("randn", {{"dtype", "f64"}}).to_vector<double>();
  const auto uniform = [](std::size_t element) {  // of two words
    return std::ldexp(std::ldexp(word(2 * element) >> 5, 26) + (word(2 * element + 1) >> 6), -53);
  };
  for (std::size_t i = 0; i < got.size(); ++i) {
    const long double radius = std::sqrt(-2 * std::log1p(static_cast<long double>(-uniform(i / 2 * 2))));
    const auto expected = static_cast<double>(radius * of_turn(i % 2 == 1, uniform(i / 2 * 2 + 1)));
    ASSERT_NEAR(got[i], expected, 16 * std::ldexp(1.0, std::ilogb(expected) - 52)) << i;
  }
}

TEST_P(RandomOperations, IntegersAreTheUpperHalfOfAProduct) {
  const auto got = draw("randint", {{"low", -3}, {"high", 997}, {"dtype", "i32"}}).to_vector<std::int32_t>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], static_cast<std::int64_t>((std::uint64_t{word(i)} * 1000) >> 32) - 3) << i;
  }
}

TEST_P(RandomOperations, PermutationsAreThePlacesOfSortedWords) {
  const auto got = draw("randperm", {{"n", kCount}}).to_vector<std::int64_t>();
  std::vector<std::int64_t> expected(kCount);
  std::iota(expected.begin(), expected.end(), 0);
  const auto word_at = [](std::int64_t i) { return word(static_cast<std::size_t>(i)); };
  std::ranges::stable_sort(expected, {}, word_at);
  EXPECT_EQ(got, expected);
}

TEST_P(RandomOperations, BernoulliComparesUniformNumbers) {
  const auto got = draw("bernoulli", {}, 0.3F).to_vector<float>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], graph::unit_uniform(word(i)) < static_cast<double>(0.3F) ? 1.0F : 0.0F) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, RandomOperations, ::testing::Values("cpu", "gpu:0"),
                         [](const auto& device) { return std::string(device.param).substr(0, 3); });

}  // namespace
}  // namespace alknet::compute
