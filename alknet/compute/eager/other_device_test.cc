#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/autograd.h"
#include "alknet/compute/eager/operations.h"

// Tensors on another device than the context's, where all that is made beside them must be too.

namespace alknet::compute {
namespace {

class OtherDeviceTest : public testing::Test {
 protected:
  using Function = std::function<Tensor(const Tensor&)>;

  Tensor waves(const Shape& shape) const {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(1.7F * static_cast<float>(i));
    return context.from<float>(values, shape);
  }

  /// Results and gradients of the sum of `function`, on the device of `x`.
  static std::array<std::vector<float>, 2> values(const Tensor& x, const Function& function) {
    const Tensor leaf = x.detach().requires_grad_();
    const Tensor y = function(leaf);
    EXPECT_EQ(y.buffer()->backend(), x.buffer()->backend());
    y.sum().backward();
    EXPECT_EQ(leaf.grad().buffer()->backend(), x.buffer()->backend());
    return {y.to_vector<float>(), leaf.grad().to_vector<float>()};
  }

  void expect_alike(const Shape& shape, const Function& function) const {
    const Tensor x = waves(shape);
    EXPECT_EQ(values(x.to(other), function), values(x, function));
  }

  const std::shared_ptr<Backend> own = make_cpu_backend({1}), other = make_cpu_backend({1});
  const Context context{std::make_shared<BufferManager>(), own};
};

TEST_F(OtherDeviceTest, WalksBackWhereItsTensorsAre) {
  expect_alike({2, 3}, [](const Tensor& x) { return tanh(x * 2.0) * x; });
  expect_alike({2, 3}, [](const Tensor& x) { return x.softmax(-1) + 1.0; });
}

TEST_F(OtherDeviceTest, FillsGradientsThatAreMissing) {
  // Only one of the results is used; the gradient of the other is 0.
  expect_alike({2, 4}, [](const Tensor& x) { return split(x, {2, 2}, 1).at(1) * 3.0; });
  expect_alike({3, 4}, [](const Tensor& x) { return x.topk(2).values * 2.0; });
}

TEST_F(OtherDeviceTest, MakesPartsOfOperationsThere) {
  expect_alike({2, 5, 4}, [](const Tensor& x) { return rope(x); });  // a constant, and positions
  expect_alike({2, 5, 4}, [](const Tensor& x) {
    return scaled_dot_product_attention(x, x, x, {}, true, std::nullopt, false, 2);  // a mask of positions
  });
}

TEST_F(OtherDeviceTest, TakesSecondDerivativesThere) {
  const auto second = [](const Tensor& at) {
    const Tensor x = at.detach().requires_grad_();
    const Tensor y = (x * x * x).sum();
    const Tensor first = grad(std::array{y}, std::array{x}, {}, {.create_graph = true}).at(0);
    const Tensor result = grad(std::array{first.sum()}, std::array{x}).at(0);
    EXPECT_EQ(result.buffer()->backend(), at.buffer()->backend());
    return result.to_vector<float>();
  };
  const Tensor x = waves({5});
  EXPECT_EQ(second(x.to(other)), second(x));
}

TEST_F(OtherDeviceTest, PassesGradientsBetweenDevices) {
  const Tensor x = waves({4}).requires_grad_();
  (x.to(other) * 3.0).sum().backward();
  EXPECT_EQ(x.grad().buffer()->backend(), own);
  EXPECT_EQ(x.grad().to_vector<float>(), std::vector<float>(4, 3.0F));
}

}  // namespace
}  // namespace alknet::compute
