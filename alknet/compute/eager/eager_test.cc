#include <gtest/gtest.h>

#include <cmath>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/autograd.h"
#include "alknet/compute/eager/operations.h"

namespace alknet::compute {
namespace {

class EagerTest : public testing::Test {
 protected:
  Tensor floats(std::vector<float> values, Shape shape) { return context.from<float>(values, shape); }
  Tensor doubles(std::vector<double> values, Shape shape) { return context.from<double>(values, shape); }

  Context context{std::make_shared<BufferManager>(), make_cpu_backend({2})};
};

TEST_F(EagerTest, ReadsLikePyTorch) {
  const Tensor x = floats({1, 2, 3, 4}, {2, 2});
  const Tensor w = floats({1, 0, 0, 1}, {2, 2});
  const Tensor b = floats({0, 1}, {2});
  const auto y = softmax(matmul(x, w) + b, -1);
  const float e2 = std::exp(2.0F);
  for (const float value : {y.to_vector<float>()[1], y.to_vector<float>()[3]}) EXPECT_NEAR(value, e2 / (1 + e2), 1e-6);
  EXPECT_EQ(x.sum({1}, true).to_vector<float>(), (std::vector<float>{3, 7}));
  EXPECT_EQ(x.sum(0).shape(), (Shape{2}));
  EXPECT_EQ(x.sum().item<float>(), 10);
}

TEST_F(EagerTest, TakesNumbersOnEitherSide) {
  const Tensor x = floats({1, 2}, {2});
  EXPECT_EQ((1 - x).to_vector<float>(), (std::vector<float>{0, -1}));
  EXPECT_EQ((x * 0.5 + 3).to_vector<float>(), (std::vector<float>{3.5, 4}));
  EXPECT_EQ((1 / x).to_vector<float>(), (std::vector<float>{1, 0.5}));
  EXPECT_EQ((x > 1).to_vector<bool>(), (std::vector<bool>{false, true}));
  EXPECT_EQ((-x).to_vector<float>(), (std::vector<float>{-1, -2}));
}

TEST_F(EagerTest, PromotesAsTypingDoes) {
  const Tensor integers = context.from<std::int32_t>(std::vector<std::int32_t>{1, 2}, {2});
  EXPECT_EQ((integers + 0.5).dtype(), Dtype::kF32);
  EXPECT_EQ((integers + 1).dtype(), Dtype::kI32);
  EXPECT_EQ((integers + floats({0.5}, {})).to_vector<float>(), (std::vector<float>{1.5, 2.5}));
  EXPECT_EQ((integers / 2).to_vector<float>(), (std::vector<float>{0.5, 1}));
  const Tensor bytes = context.from<std::int8_t>(std::vector<std::int8_t>{1}, {1});
  EXPECT_EQ(code_of([&] { bytes + 300; }), "dtype_mismatch");
  EXPECT_EQ((bytes.to(Dtype::kF16) * 0.1).to(Dtype::kF64).item<double>(), 0.0999755859375);
}

TEST_F(EagerTest, KeepsTheSignOfZeroInActivations) {
  const Tensor zeros = floats({-0.0F, 0.0F}, {2});
  for (const Tensor& y : {zeros.relu(), zeros.relu6(), zeros.elu(), zeros.selu(), zeros.celu()}) {
    EXPECT_TRUE(std::signbit(y.to_vector<float>()[0]));
    EXPECT_FALSE(std::signbit(y.to_vector<float>()[1]));
  }
}

TEST_F(EagerTest, CountsInIntegersUnlessToldOtherwise) {
  EXPECT_EQ(arange(context, 3).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(arange(context, 1, 3).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(arange(context, 0, 1, 0.5).to_vector<float>(), (std::vector<float>{0, 0.5}));
  EXPECT_EQ(randint(context, 5, 6, {2}).to_vector<std::int64_t>(), (std::vector<std::int64_t>{5, 5}));
  EXPECT_EQ(full(context, {2}, 7).dtype(), Dtype::kI64);
  EXPECT_EQ(full(context, {2}, 7.0).dtype(), Dtype::kF32);
  EXPECT_EQ(full(context, {2}, 7, Dtype::kU8).dtype(), Dtype::kU8);
}

TEST_F(EagerTest, NamesTheOperationThatRefuses) {
  const Tensor x = floats({1, 2, 3}, {3});
  EXPECT_NE(error_of([&] { matmul(x, floats({1, 2}, {2})); }).message().find("[matmul]"), std::string::npos);
  EXPECT_EQ(code_of([&] { add(x, floats({1, 2}, {2})); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] { x + Tensor(); }), "missing_input");
  const Context other(context.buffers(), context.backend());
  EXPECT_EQ(code_of([&] { x + other.empty(Dtype::kF32, {3}); }), "context_mismatch");
}

TEST_F(EagerTest, ViewsByPositions) {
  const Tensor x = floats({0, 1, 2, 3, 4, 5}, {2, 3});
  EXPECT_EQ(x[1].to_vector<float>(), (std::vector<float>{3, 4, 5}));
  EXPECT_EQ(x[-1].buffer(), x.buffer());
  EXPECT_EQ((x[{Slice(), Slice(1, {})}].to_vector<float>()), (std::vector<float>{1, 2, 4, 5}));
  EXPECT_EQ((x[{kEllipsis, 0}].to_vector<float>()), (std::vector<float>{0, 3}));
  EXPECT_EQ((x[{kNewAxis, 0}].shape()), (Shape{1, 3}));
  EXPECT_EQ(code_of([&] { x[2]; }), "index_out_of_range");
  EXPECT_EQ((code_of([&] { x[{0, 0, 0}]; })), "shape_mismatch");
  EXPECT_EQ(x.transpose(0, 1).reshape({6}).to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST_F(EagerTest, PrintsLikePyTorch) {
  EXPECT_EQ(floats({1, 2.5, -3}, {3}).to_string(), "tensor([ 1.0000,  2.5000, -3.0000])");
  EXPECT_EQ(floats({1, 2, 3, 4}, {2, 2}).to_string(), "tensor([[1., 2.],\n        [3., 4.]])");
  EXPECT_EQ(floats({0, NAN, INFINITY}, {3}).to_string(), "tensor([0., nan, inf])");
  EXPECT_EQ(floats({1e-5F, 1}, {2}).to_string(), "tensor([1.0000e-05, 1.0000e+00])");
  EXPECT_EQ(floats({7}, {}).to_string(), "tensor(7.)");
  EXPECT_EQ(floats({}, {0, 3}).to_string(), "tensor([], size=(0, 3))");
  EXPECT_EQ(doubles({1}, {1}).to_string(), "tensor([1.], dtype=f64)");
  EXPECT_EQ((floats({1, 2}, {2}) > 1).to_string(), "tensor([False,  True])");
  EXPECT_EQ((floats({1}, {1}).requires_grad_() * 2).to_string(), "tensor([2.], grad_fn=<mul>)");
  std::vector<float> many(2000);
  EXPECT_EQ(floats(many, {2000}).to_string(), "tensor([0., 0., 0.,  ..., 0., 0., 0.])");
}

TEST_F(EagerTest, AddsGradientsUpInLeaves) {
  Tensor x = floats({1, 2, 3}, {3}).requires_grad_();
  const Tensor y = (x * x).sum();
  y.backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{2, 4, 6}));
  (3 * x).sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{5, 7, 9}));
  x.zero_grad();
  EXPECT_FALSE(x.grad());
}

TEST_F(EagerTest, PassesAlphaAndBroadcastsBack) {
  Tensor x = floats({1, 2, 3, 4}, {2, 2}).requires_grad_();
  Tensor b = floats({1, 1}, {2}).requires_grad_();
  sub(x, b, 0.5).sum().backward();
  EXPECT_EQ(b.grad().to_vector<float>(), (std::vector<float>{-1, -1}));
  add(x, b, 3).sum().backward();
  EXPECT_EQ(b.grad().to_vector<float>(), (std::vector<float>{5, 5}));
}

TEST_F(EagerTest, PassesThroughViews) {
  Tensor x = floats({1, 2, 3, 4, 5, 6}, {2, 3}).requires_grad_();
  (x.transpose(0, 1) * floats({10, 20}, {2})).sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{10, 10, 10, 20, 20, 20}));
  x.zero_grad();
  x.transpose(0, 1).reshape({6}).sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>(6, 1)));
}

TEST_F(EagerTest, DifferentiatesTwice) {
  Tensor x = doubles({2}, {}).requires_grad_();
  const Tensor y = x * x * x;
  const auto first = grad(std::vector{y}, std::vector{x}, {}, {.create_graph = true});
  EXPECT_EQ(first[0].item<double>(), 12);
  const auto second = grad(std::vector{first[0]}, std::vector{x}, {}, {.create_graph = true});
  EXPECT_EQ(second[0].item<double>(), 12);
  EXPECT_EQ(grad(std::vector{second[0]}, std::vector{x})[0].item<double>(), 6);
}

TEST_F(EagerTest, RefusesAGradientOfWhatWasWrittenSince) {
  Tensor x = floats({1, 2}, {2}).requires_grad_();
  Tensor w = floats({3, 4}, {2});
  const Tensor y = (x * w).sum();
  w.assign(floats({5, 6}, {2}));
  const Error error = error_of([&] { y.backward(); });
  EXPECT_EQ(error.code().message(), "stale_version");
  EXPECT_NE(error.message().find("mul"), std::string::npos);
  EXPECT_NE(error.message().find("assign"), std::string::npos);
}

TEST_F(EagerTest, RefusesWhatHasNoGradient) {
  Tensor x = floats({1, 2}, {2}).requires_grad_();
  EXPECT_EQ(code_of([&] { (x * 2).backward(); }), "missing_input");
  EXPECT_EQ(code_of([&] { floats({1}, {}).backward(); }), "not_differentiable");
  const Tensor y = (x * x).sum();
  y.backward();
  EXPECT_EQ(code_of([&] { y.backward(); }), "graph_freed");
  EXPECT_EQ(code_of([&] { context.from<std::int64_t>(std::vector<std::int64_t>{1}, {1}).requires_grad_(); }),
            "not_differentiable");
  (x * 2).backward(floats({1, 10}, {2}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{4, 24}));
}

TEST_F(EagerTest, RecordsNothingWithoutGradients) {
  Tensor x = floats({1, 2}, {2}).requires_grad_();
  {
    const NoGrad guard(context);
    EXPECT_FALSE((x * x).requires_grad());
  }
  EXPECT_TRUE((x * x).requires_grad());
  EXPECT_FALSE((x.detach() * 2).requires_grad());
  EXPECT_FALSE((x > 1).requires_grad());
}

TEST_F(EagerTest, WalksAndFreesLongChainsWithoutRecursion) {
  Tensor x = floats({1}, {1}).requires_grad_();
  {
    Tensor y = x;
    for (int i = 0; i < 200000; ++i) y = y + 0;
    y.backward();
    EXPECT_EQ(x.grad().item<float>(), 1);
  }
  Tensor y = x;
  for (int i = 0; i < 200000; ++i) y = y * 1.0;
}

TEST_F(EagerTest, IsLinearInOperationsUsedTwice) {
  Tensor x = doubles({1}, {}).requires_grad_();
  Tensor y = x;
  for (int i = 0; i < 60; ++i) y = y + y;  // 2^60 paths
  y.backward();
  EXPECT_EQ(x.grad().item<double>(), std::ldexp(1.0, 60));
}

TEST_F(EagerTest, FreesWhatGradientsDoNotNeed) {
  const auto live = [&] { return context.buffers()->statistics(*context.backend()).buffers; };
  Tensor x = floats({1, 2}, {2}).requires_grad_();
  (x * 2 + 1).sum().backward();  // fills caches
  x.zero_grad();
  const auto before = live();
  {
    Tensor y = x;
    for (int i = 0; i < 50; ++i) y = y + 1;  // saves nothing
    EXPECT_LE(live(), before + 2);
    y.sum().backward();
  }
  x.zero_grad();
  EXPECT_LE(live(), before);
}

TEST_F(EagerTest, RecomputesInACheckpoint) {
  Tensor x = doubles({0.5, 2}, {2}).requires_grad_();
  Tensor w = doubles({3, 4}, {2}).requires_grad_();
  int runs = 0;
  const TensorFunction block = [&](std::span<const Tensor> in) {
    ++runs;
    return std::vector{tanh(in[0] * w).exp()};
  };
  const Tensor plain = block(std::vector{x})[0].sum();
  const auto expected = grad(std::vector{plain}, std::vector{x, w});
  const Tensor y = checkpoint(block, std::vector{x})[0].sum();
  y.backward();
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(x.grad().to_vector<double>(), expected[0].to_vector<double>());
  EXPECT_EQ(w.grad().to_vector<double>(), expected[1].to_vector<double>());
}

TEST_F(EagerTest, KeepsNumbersApartFromKernels) {
  const Tensor x = floats({1, 2}, {2});
  (x * 0.5);
  const auto compiled = context.backend()->statistics().kernels_compiled;
  for (int i = 0; i < 1000; ++i) (x * (1.0 / (i + 1)));
  EXPECT_EQ(context.backend()->statistics().kernels_compiled, compiled);
}

}  // namespace
}  // namespace alknet::compute
