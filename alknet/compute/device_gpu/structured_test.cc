#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "alknet/compute/device_gpu/test_device.h"

namespace alknet::compute {
namespace {

using testing::contiguous;
using testing::Runner;
using testing::structured;
using F32s = std::vector<float>;

constexpr auto kF32 = Dtype::kF32;

F32s random_values(std::size_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-2, 2);
  F32s values(count);
  for (float& value : values) value = uniform(engine);
  return values;
}

/// Structured kernels in both forms, larger than their tiles and with odd edges, against loops in double.
class GpuStructured : public ::testing::TestWithParam<KernelFamily> {
 protected:
  void SetUp() override {
    const auto opened = testing::open_device();
    if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
    GpuBackendOptions options;
    options.family = GetParam();
    device_ = opened.device;
    backend_ = make_gpu_backend(opened.device, options);
  }

  std::shared_ptr<gpu::Device> device_;
  std::shared_ptr<Backend> backend_;
};

TEST_P(GpuStructured, MatmulMultipliesATransposedWeightAndAppliesTheProgram) {
  constexpr std::int64_t kBatch = 2, kRows = 67, kInner = 45, kColumns = 131;
  const F32s a = random_values(kBatch * kRows * kInner, 1), b = random_values(kColumns * kInner, 2),
             bias = random_values(kColumns, 3);
  Computation computation = structured("matmul", {kF32, kF32}, kF32);
  const OpSpec& add = graph::OpTable::builtin().at("add");
  computation.inputs.emplace_back(kF32);
  computation.program = {{kF32, kF32}, {{&add, graph::complete_attributes(add, {}), {{0, {}}, {1, {}}}, kF32}}, {2}};
  const F32s y = Runner(*backend_)
                     .input<float>(kF32, contiguous({kBatch, kRows, kInner}), a)
                     .input<float>(kF32, {{kInner, kColumns}, {1, kInner}, 0}, b)
                     .input<float>(kF32, contiguous({kColumns}), bias)
                     .run<float>(computation, {kBatch, kRows, kColumns});
  for (std::int64_t row = 0; row < kBatch * kRows; ++row) {
    for (std::int64_t column = 0; column < kColumns; ++column) {
      double expected = bias[static_cast<std::size_t>(column)];
      for (std::int64_t k = 0; k < kInner; ++k) {
        expected += static_cast<double>(a[static_cast<std::size_t>(row * kInner + k)]) *
                    b[static_cast<std::size_t>(column * kInner + k)];
      }
      ASSERT_NEAR(y[static_cast<std::size_t>(row * kColumns + column)], expected, 2e-5) << row << ", " << column;
    }
  }
}

TEST_P(GpuStructured, SkinnyProductsOverALongInnerDimension) {
  constexpr std::int64_t kInner = 3001, kColumns = 37;
  const F32s a = random_values(3 * kInner, 23), b = random_values(kInner * kColumns, 24);
  const F32s y = Runner(*backend_)
                     .input<float>(kF32, contiguous({3, kInner}), a)
                     .input<float>(kF32, contiguous({kInner, kColumns}), b)
                     .run<float>(structured("matmul", {kF32, kF32}, kF32), {3, kColumns});
  for (std::int64_t row = 0; row < 3; ++row) {
    for (std::int64_t column = 0; column < kColumns; ++column) {
      double expected = 0;
      for (std::int64_t k = 0; k < kInner; ++k) {
        expected += static_cast<double>(a[static_cast<std::size_t>(row * kInner + k)]) *
                    b[static_cast<std::size_t>(k * kColumns + column)];
      }
      ASSERT_NEAR(y[static_cast<std::size_t>(row * kColumns + column)], expected, 2e-3) << row << ", " << column;
    }
  }
}

TEST_P(GpuStructured, LongSumsKeepTheirPrecision) {
  constexpr std::size_t kLength = 100'003;
  const F32s x(kLength, 0.1f);
  const F32s sum = Runner(*backend_)
                       .input<float>(kF32, contiguous({static_cast<std::int64_t>(kLength)}), x)
                       .run<float>(structured("sum", {kF32}, kF32), {}, {{"dim", nullptr}, {"keepdim", false}});
  EXPECT_NEAR(sum[0], 0.1f * static_cast<double>(kLength), 0.01);
}

TEST_P(GpuStructured, SoftmaxWorksAlongAnInnerDimension) {
  const F32s x = random_values(3 * 50 * 7, 4);
  const F32s y = Runner(*backend_)
                     .input<float>(kF32, contiguous({3, 50, 7}), x)
                     .run<float>(structured("softmax", {kF32}, kF32, {{"dim", 1}}), {3, 50, 7}, {{"dim", 1}});
  for (std::size_t row = 0; row < 21; ++row) {
    const std::size_t base = row / 7 * 350 + row % 7;
    double sum = 0;
    for (std::size_t k = 0; k < 50; ++k) sum += std::exp(static_cast<double>(x[base + k * 7]));
    for (std::size_t k = 0; k < 50; ++k) {
      ASSERT_NEAR(y[base + k * 7], std::exp(static_cast<double>(x[base + k * 7])) / sum, 1e-6);
    }
  }
}

TEST_P(GpuStructured, LayerNormTakesWeightAndBias) {
  constexpr std::size_t kRows = 5, kLength = 300;
  const F32s x = random_values(kRows * kLength, 5), weight = random_values(kLength, 6),
             bias = random_values(kLength, 7);
  const JsonObject attrs{{"normalized_shape", {kLength}}, {"eps", 1e-5}};
  const F32s y = Runner(*backend_)
                     .input<float>(kF32, contiguous({kRows, kLength}), x)
                     .input<float>(kF32, contiguous({kLength}), weight)
                     .input<float>(kF32, contiguous({kLength}), bias)
                     .run<float>(structured("layer_norm", {kF32, kF32, kF32}, kF32, attrs), {kRows, kLength}, attrs);
  for (std::size_t row = 0; row < kRows; ++row) {
    double mean = 0, variance = 0;
    for (std::size_t k = 0; k < kLength; ++k) mean += x[row * kLength + k] / static_cast<double>(kLength);
    for (std::size_t k = 0; k < kLength; ++k) variance += std::pow(x[row * kLength + k] - mean, 2) / kLength;
    for (std::size_t k = 0; k < kLength; ++k) {
      const double expected = (x[row * kLength + k] - mean) / std::sqrt(variance + 1e-5) * weight[k] + bias[k];
      ASSERT_NEAR(y[row * kLength + k], expected, 1e-5);
    }
  }
}

TEST_P(GpuStructured, AttentionMasksKeysOfStridedHeads) {
  // [batch 2, tokens 9, heads 3, depth 20] read as [batch, head, token, depth]; the mask is a row per batch.
  constexpr std::int64_t kBatch = 2, kTokens = 9, kHeads = 3, kDepth = 20;
  const std::size_t count = kBatch * kTokens * kHeads * kDepth;
  const Strided heads{{kBatch, kHeads, kTokens, kDepth}, {kTokens * kHeads * kDepth, kDepth, kHeads * kDepth, 1}, 0};
  const F32s q = random_values(count, 8), k = random_values(count, 9), v = random_values(count, 10);
  std::vector<std::uint8_t> mask(kBatch * kTokens, 1);
  mask[7] = mask[8] = mask[9] = 0;
  const JsonObject attrs{{"is_causal", false}, {"scale", nullptr}};
  const F32s y = Runner(*backend_)
                     .input<float>(kF32, heads, q)
                     .input<float>(kF32, heads, k)
                     .input<float>(kF32, heads, v)
                     .input<std::uint8_t>(Dtype::kBool, contiguous({kBatch, 1, 1, kTokens}), mask)
                     .run<float>(structured("attention", {kF32, kF32, kF32, Dtype::kBool}, kF32), heads.shape, attrs);
  const auto at = [&](std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t d) {
    return static_cast<std::size_t>(((b * kTokens + t) * kHeads + h) * kDepth + d);
  };
  std::size_t index = 0;
  for (std::int64_t b = 0; b < kBatch; ++b) {
    for (std::int64_t h = 0; h < kHeads; ++h) {
      for (std::int64_t t = 0; t < kTokens; ++t) {
        std::vector<double> weights;
        double total = 0;
        for (std::int64_t s = 0; s < kTokens; ++s) {
          double score = 0;
          for (std::int64_t d = 0; d < kDepth; ++d) score += static_cast<double>(q[at(b, h, t, d)]) * k[at(b, h, s, d)];
          const bool kept = mask[static_cast<std::size_t>(b * kTokens + s)] != 0;
          weights.push_back(kept ? std::exp(score / std::sqrt(kDepth)) : 0);
          total += weights.back();
        }
        for (std::int64_t d = 0; d < kDepth; ++d) {
          double expected = 0;
          for (std::int64_t s = 0; s < kTokens; ++s) {
            expected += weights[static_cast<std::size_t>(s)] / total * v[at(b, h, s, d)];
          }
          ASSERT_NEAR(y[index++], expected, 1e-5) << b << ' ' << h << ' ' << t << ' ' << d;
        }
      }
    }
  }
}

TEST_P(GpuStructured, SortsLinesMuchLongerThanABlock) {
  constexpr std::int64_t kLength = 50'001;
  F32s x = random_values(2 * kLength, 41);
  for (std::size_t i = 0; i < x.size(); i += 3) x[i] = std::round(x[i]);  // some are equal
  Computation sort = structured("sort", {kF32}, kF32, {{"dim", 1}, {"descending", true}});
  sort.outputs.push_back(Dtype::kI64);
  const F32s y = Runner(*backend_)
                     .input<float>(kF32, contiguous({2, kLength}), x)
                     .run<float>(sort, {2, kLength}, {{"dim", 1}, {"descending", true}});
  std::sort(x.begin(), x.begin() + kLength, std::greater());
  std::sort(x.begin() + kLength, x.end(), std::greater());
  EXPECT_EQ(y, x);
}

TEST_P(GpuStructured, ScattersManyEntriesAlikeInEveryRun) {
  constexpr std::int64_t kEntries = 60'000, kPlaces = 700;
  const F32s source = random_values(kEntries, 42);
  std::vector<std::int32_t> index;
  std::mt19937 engine(43);
  for (std::int64_t i = 0; i < kEntries; ++i) index.push_back(static_cast<std::int32_t>(engine() % kPlaces));
  const JsonObject attrs{{"dim", 0}};
  const auto run = [&] {
    return Runner(*backend_)
        .input<float>(kF32, contiguous({kPlaces}), F32s(kPlaces, 0))
        .input<std::int32_t>(Dtype::kI32, contiguous({kEntries}), index)
        .input<float>(kF32, contiguous({kEntries}), source)
        .run<float>(structured("scatter_add", {kF32, Dtype::kI32, kF32}, kF32, attrs), {kPlaces}, attrs);
  };
  const F32s y = run();
  std::vector<double> expected(kPlaces);
  for (std::size_t i = 0; i < index.size(); ++i) expected[static_cast<std::size_t>(index[i])] += source[i];
  for (std::size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 1e-4);
  EXPECT_EQ(run(), y);
}

/// Attention of 3 query heads on 1 head of keys and values, against double.
struct AttentionCase {
  std::int64_t queries, keys, depth, width;
  bool causal;
  std::int64_t window;  ///< Keys that a bool mask keeps before each query; 0: no mask.
};

/// The largest difference of attention on the device from what loops in double give.
double worst_of_attention(Backend& backend, const AttentionCase& c) {
  constexpr std::int64_t kHeads = 3;
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const F32s q = random_values(size(kHeads * c.queries * c.depth), 31), k = random_values(size(c.keys * c.depth), 32),
             v = random_values(size(c.keys * c.width), 33);
  std::vector<std::uint8_t> mask;
  const auto kept = [&](std::int64_t i, std::int64_t j) {
    return (!c.causal || j <= i) && (c.window == 0 || (j <= i && j > i - c.window));
  };
  for (std::int64_t i = 0; i < c.queries; ++i) {
    for (std::int64_t j = 0; j < c.keys; ++j) mask.push_back(kept(i, j));
  }
  const JsonObject attrs{{"is_causal", c.causal}, {"scale", nullptr}};
  Runner runner(backend);
  runner.input<float>(kF32, contiguous({kHeads, c.queries, c.depth}), q)
      .input<float>(kF32, {{kHeads, c.keys, c.depth}, {0, c.depth, 1}, 0}, k)
      .input<float>(kF32, {{kHeads, c.keys, c.width}, {0, c.width, 1}, 0}, v);
  std::vector<std::optional<Dtype>> dtypes = {kF32, kF32, kF32, {}};
  if (c.window != 0) {
    runner.input<std::uint8_t>(Dtype::kBool, contiguous({c.queries, c.keys}), mask);
    dtypes.back() = Dtype::kBool;
  } else {
    runner.absent();
  }
  const F32s y = runner.run<float>(structured("attention", dtypes, kF32), {kHeads, c.queries, c.width}, attrs);
  double worst = 0;
  for (std::int64_t row = 0; row < kHeads * c.queries; ++row) {
    std::vector<double> weights(size(c.keys)), expected(size(c.width));
    double total = 0;
    for (std::int64_t j = 0; j < c.keys; ++j) {
      double score = 0;
      for (std::int64_t d = 0; d < c.depth; ++d) {
        score += static_cast<double>(q[size(row * c.depth + d)]) * k[size(j * c.depth + d)];
      }
      weights[size(j)] = kept(row % c.queries, j) ? std::exp(score / std::sqrt(c.depth)) : 0;
      total += weights[size(j)];
    }
    for (std::int64_t d = 0; d < c.width; ++d) {
      double sum = 0;
      for (std::int64_t j = 0; j < c.keys; ++j) sum += weights[size(j)] / total * v[size(j * c.width + d)];
      worst = std::max(worst, std::fabs(sum - y[size(row * c.width + d)]));
    }
  }
  return worst;
}

TEST_P(GpuStructured, AttentionOverManyTilesOfKeys) {
  for (const AttentionCase& c :
       {AttentionCase{130, 200, 20, 24, false, 0}, AttentionCase{70, 70, 64, 64, true, 0},
        AttentionCase{65, 300, 36, 130, false, 0}, AttentionCase{260, 260, 17, 9, false, 40}}) {
    SCOPED_TRACE(c.queries);
    // llvmpipe compiles each form of the tiles for 20 s: one there.
    const bool slow = GetParam() == KernelFamily::kHardware && device_->adapter().type == gpu::AdapterType::kSoftware;
    if (slow && c.window == 0) continue;
    EXPECT_LT(worst_of_attention(*backend_, c), 1e-5);
  }
}

TEST_P(GpuStructured, AttentionOfFewQueriesOverSlicesOfKeys) {
  for (const AttentionCase& c : {AttentionCase{1, 2100, 64, 64, false, 0}, AttentionCase{3, 150, 16, 20, false, 0},
                                 AttentionCase{15, 65, 33, 130, false, 0}, AttentionCase{2, 1000, 8, 5, true, 0},
                                 AttentionCase{14, 700, 12, 16, false, 3}, AttentionCase{1, 200'000, 4, 4, false, 0}}) {
    SCOPED_TRACE(c.keys);
    EXPECT_LT(worst_of_attention(*backend_, c), 1e-5);
  }
}

TEST_P(GpuStructured, AttentionOfFewQueriesKeepsNoKeyAndPropagatesNan) {
  constexpr std::int64_t kKeys = 300, kDepth = 4;
  const F32s q = random_values(2 * kDepth, 41), v = random_values(kKeys * kDepth, 43);
  F32s k = random_values(kKeys * kDepth, 42);
  std::vector<std::uint8_t> mask(2 * kKeys, 0);  // the first query keeps nothing
  std::fill(mask.begin() + kKeys, mask.end(), std::uint8_t{1});
  const auto run = [&] {
    return Runner(*backend_)
        .input<float>(kF32, contiguous({2, kDepth}), q)
        .input<float>(kF32, contiguous({kKeys, kDepth}), k)
        .input<float>(kF32, contiguous({kKeys, kDepth}), v)
        .input<std::uint8_t>(Dtype::kBool, contiguous({2, kKeys}), mask)
        .run<float>(structured("attention", {kF32, kF32, kF32, Dtype::kBool}, kF32), {2, kDepth},
                    {{"is_causal", false}, {"scale", nullptr}});
  };
  F32s y = run();
  for (std::size_t i = 0; i < kDepth; ++i) EXPECT_EQ(y[i], 0) << i;
  for (std::size_t i = kDepth; i < 2 * kDepth; ++i) EXPECT_TRUE(std::isfinite(y[i])) << i;
  k[270 * kDepth] = std::numeric_limits<float>::quiet_NaN();
  y = run();
  for (std::size_t i = 0; i < kDepth; ++i) EXPECT_EQ(y[i], 0) << i;
  for (std::size_t i = kDepth; i < 2 * kDepth; ++i) EXPECT_TRUE(std::isnan(y[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(Families, GpuStructured, ::testing::Values(KernelFamily::kSoftware, KernelFamily::kHardware),
                         [](const auto& family) {
                           return family.param == KernelFamily::kSoftware ? "Software" : "Hardware";
                         });

}  // namespace
}  // namespace alknet::compute
