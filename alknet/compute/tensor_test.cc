#include "alknet/compute/tensor.h"

#include <gtest/gtest.h>

#include <numeric>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"

namespace alknet::compute {
namespace {

class TensorTest : public testing::Test {
 protected:
  Tensor iota(Shape shape) {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    std::iota(values.begin(), values.end(), 0.0f);
    return context.from<float>(values, std::move(shape));
  }

  Context context{std::make_shared<BufferManager>(), make_cpu_backend({1})};
};

TEST_F(TensorTest, ReadsBackWhatWasWritten) {
  EXPECT_EQ(iota({2, 3}).to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(context.from<std::int64_t>(std::vector<std::int64_t>{7}, {}).to_vector<std::int64_t>().at(0), 7);
}

TEST_F(TensorTest, ViewsShareTheBufferAndReadInRowMajorOrder) {
  const Tensor matrix = iota({2, 3});
  const Tensor transposed = matrix.view("transpose", {{"dim0", 0}, {"dim1", 1}});
  EXPECT_EQ(transposed.buffer(), matrix.buffer());
  EXPECT_FALSE(transposed.contiguous());
  EXPECT_EQ(transposed.to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  const Tensor column = matrix.view("slice", {{"dim", 1}, {"start", 1}, {"end", 2}});
  EXPECT_EQ(column.to_vector<float>(), (std::vector<float>{1, 4}));
  const Tensor expanded = column.view("expand", {{"size", JsonArray{2, 3}}});
  EXPECT_EQ(expanded.to_vector<float>(), (std::vector<float>{1, 1, 1, 4, 4, 4}));
}

TEST_F(TensorTest, ContiguousCopiesOnlyWhenItMust) {
  const Tensor matrix = iota({4, 5});
  EXPECT_EQ(context.contiguous(matrix).buffer(), matrix.buffer());
  const Tensor view = matrix.view("transpose", {{"dim0", 0}, {"dim1", 1}});
  const Tensor copy = context.contiguous(view);
  EXPECT_TRUE(copy.contiguous());
  EXPECT_EQ(copy.to_vector<float>(), view.to_vector<float>());
}

TEST_F(TensorTest, RefusesAReshapeThatNeedsACopy) {
  const Tensor view = iota({2, 3}).view("transpose", {{"dim0", 0}, {"dim1", 1}});
  EXPECT_EQ(code_of([&] { view.view("reshape", {{"shape", JsonArray{6}}}); }), "shape_mismatch");
}

TEST_F(TensorTest, RefusesAnElementTypeThatIsNotItsOwn) {
  EXPECT_EQ(code_of([&] { iota({2}).to_vector<double>(); }), "shape_mismatch");
}

TEST_F(TensorTest, RefusesBytesThatDoNotFillTheShape) {
  EXPECT_EQ(code_of([&] { context.from<float>(std::vector<float>{1, 2}, {3}); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] { context.wrap(Dtype::kF32, {2}, SharedBytes::copy("1234567")); }), "shape_mismatch");
}

TEST_F(TensorTest, HoldsNoElements) {
  const Tensor empty = context.empty(Dtype::kF32, {3, 0, 2});
  EXPECT_EQ(empty.element_count(), 0);
  EXPECT_TRUE(empty.to_vector<float>().empty());
}

TEST_F(TensorTest, CopiesMisalignedBytesInsteadOfWrappingThem) {
  std::vector<std::byte> storage(9);
  storage[1] = std::byte{0x00};
  const SharedBytes bytes = SharedBytes::take(storage);
  const Tensor tensor = context.wrap(Dtype::kF32, {2}, bytes.slice(1, 8));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.buffer()->memory()->data()) % 4, 0u);
  EXPECT_EQ(tensor.to_vector<float>(), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace alknet::compute
