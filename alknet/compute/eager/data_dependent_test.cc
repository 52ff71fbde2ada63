#include "alknet/compute/eager/data_dependent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/compute/plan.h"

namespace alknet::compute {
namespace {

using Integers = std::vector<std::int64_t>;
using Floats = std::vector<float>;

class DataDependentTest : public testing::Test {
 protected:
  Tensor floats(const Floats& values, const Shape& shape) { return context.from<float>(values, shape); }
  Context context{"cpu"};
};

TEST_F(DataDependentTest, NonzeroGivesPlacesInRowMajorOrder) {
  const Tensor found = floats({0, 1, -2, 0, 0, 3}, {2, 3}).nonzero();
  EXPECT_EQ(found.shape(), (Shape{3, 2}));
  EXPECT_EQ(found.to_vector<std::int64_t>(), (Integers{0, 1, 0, 2, 1, 2}));
  EXPECT_EQ(floats({0, 0}, {2}).nonzero().shape(), (Shape{0, 1}));
  EXPECT_EQ(floats({}, {0, 4}).nonzero().shape(), (Shape{0, 2}));
  EXPECT_EQ(floats({5}, {}).nonzero().shape(), (Shape{1, 0}));
  EXPECT_EQ(floats({0}, {}).nonzero().shape(), (Shape{0, 0}));
}

TEST_F(DataDependentTest, MaskedSelectBroadcastsAndHasAGradient) {
  Tensor x = floats({1, 2, 3, 4}, {2, 2});
  x.requires_grad_();
  const Tensor mask = context.from<bool>(std::array{true, false}, {2});
  const Tensor chosen = masked_select(x, mask);
  EXPECT_EQ(chosen.to_vector<float>(), (Floats{1, 3}));
  (chosen * chosen).sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (Floats{2, 0, 6, 0}));
  EXPECT_EQ(code_of([&] { return masked_select(x, x); }), "dtype_mismatch");
}

TEST_F(DataDependentTest, UniqueSortsCountsAndSaysWhereElementsWent) {
  const auto [values, inverse, counts] = unique(floats({3, 1, 2, 3, 1, 3}, {2, 3}), true, true, true);
  EXPECT_EQ(values.to_vector<float>(), (Floats{1, 2, 3}));
  EXPECT_EQ(inverse.shape(), (Shape{2, 3}));
  EXPECT_EQ(inverse.to_vector<std::int64_t>(), (Integers{2, 0, 1, 2, 0, 2}));
  EXPECT_EQ(counts.to_vector<std::int64_t>(), (Integers{2, 1, 3}));
  const auto plain = unique(floats({2, 2}, {2}));
  EXPECT_EQ(plain.output.to_vector<float>(), (Floats{2}));
  EXPECT_EQ(plain.counts.element_count(), 0);
  EXPECT_EQ(plain.inverse_indices.element_count(), 0);
}

TEST_F(DataDependentTest, UniqueAlongADimensionComparesSlices) {
  const Tensor x = floats({1, 2, 1, 0, 5, 0}, {2, 3});  // columns (1,0) (2,5) (1,0)
  const auto [columns, inverse, counts] = unique(x, true, true, true, 1);
  EXPECT_EQ(columns.shape(), (Shape{2, 2}));
  EXPECT_EQ(columns.to_vector<float>(), (Floats{1, 2, 0, 5}));
  EXPECT_EQ(inverse.to_vector<std::int64_t>(), (Integers{0, 1, 0}));
  EXPECT_EQ(counts.to_vector<std::int64_t>(), (Integers{2, 1}));
  EXPECT_NE(code_of([&] { return unique(x, true, false, false, 2); }), "no error");
}

TEST_F(DataDependentTest, UniqueTakesNothingAndEveryNanForItself) {
  EXPECT_EQ(unique(floats({}, {0})).output.shape(), (Shape{0}));
  const auto nan = unique(floats({NAN, 1, NAN}, {3}), true, false, true);
  EXPECT_EQ(nan.output.element_count(), 3);
  EXPECT_EQ(nan.counts.to_vector<std::int64_t>(), (Integers{1, 1, 1}));
}

TEST_F(DataDependentTest, RunningExtremesSayWhereTheLastOfEqualOnesIs) {
  const auto [most, where] = cummax(floats({1, 3, 3, 2, NAN, 5}, {6}), 0);
  EXPECT_EQ(where.to_vector<std::int64_t>(), (Integers{0, 1, 2, 2, 4, 4}));
  const auto values = most.to_vector<float>();
  EXPECT_EQ(Floats(values.begin(), values.begin() + 4), (Floats{1, 3, 3, 3}));
  EXPECT_TRUE(std::isnan(values[4]) && std::isnan(values[5]));
  Tensor x = floats({2, 1, 1}, {3});
  x.requires_grad_();
  cummin(x, 0).values.sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (Floats{1, 1, 1}));
}

TEST_F(DataDependentTest, GraphsRefuseThemAndNameWhatToUse) {
  for (const auto& [op, remedy] : {std::pair("nonzero", "nonzero_static"), {"unique", "sort"}}) {
    graph::GraphBuilder g;
    g.output("y", g.node(op, {g.input("x", Dtype::kF32, {4})}));
    const auto error = error_of([&] { return Plan::compile(std::move(g).build(), context.backend()); });
    EXPECT_NE(std::string(error.message()).find(remedy), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace alknet::compute
