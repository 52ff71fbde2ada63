#include <gtest/gtest.h>

#include <vector>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {
namespace {

Strided row_major(const Shape& shape) { return {shape, contiguous_strides(shape), 0}; }

std::optional<Strided> viewed(std::string_view name, const Strided& input, const JsonObject& attrs,
                              const Shape* expected = nullptr) {
  const OpSpec& op = OpTable::builtin().at(name);
  return apply_view(op, input, complete_attributes(op, attrs), expected);
}

/// Offsets of a layout's elements in row-major order.
std::vector<std::int64_t> offsets(const Strided& layout) {
  std::vector<std::int64_t> result;
  const std::int64_t count = element_count(layout.shape);
  for (std::int64_t linear = 0; linear < count; ++linear) {
    std::int64_t rest = linear;
    std::int64_t offset = layout.offset;
    for (std::size_t i = layout.shape.size(); i-- > 0;) {
      offset += rest % layout.shape[i] * layout.strides[i];
      rest /= layout.shape[i];
    }
    result.push_back(offset);
  }
  return result;
}

using Offsets = std::vector<std::int64_t>;

TEST(View, PermuteReordersStrides) {
  const auto view = viewed("permute", row_major({2, 3, 4}), {{"dims", {2, 0, 1}}});
  EXPECT_EQ(*view, (Strided{{4, 2, 3}, {1, 12, 4}, 0}));
  EXPECT_EQ(*viewed("transpose", row_major({2, 3}), {{"dim0", 0}, {"dim1", 1}}), (Strided{{3, 2}, {1, 3}, 0}));
}

TEST(View, SliceMovesTheOffset) {
  EXPECT_EQ(offsets(*viewed("slice", row_major({5}), {{"start", 1}, {"step", 2}})), (Offsets{1, 3}));
  EXPECT_EQ(offsets(*viewed("slice", row_major({3, 2}), {{"start", -1}})), (Offsets{4, 5}));
  EXPECT_EQ(offsets(*viewed("slice", row_major({2, 4}), {{"dim", 1}, {"start", 1}, {"end", 3}})),
            (Offsets{1, 2, 5, 6}));
  EXPECT_EQ(viewed("slice", row_major({3}), {{"start", 3}})->shape, Shape{0});
  EXPECT_EQ(viewed("slice", row_major({3}), {{"step", 9223372036854775807}})->shape, Shape{1});
}

TEST(View, SlicesOfSlicesCompose) {
  const auto first = viewed("slice", row_major({10}), {{"start", 1}, {"step", 2}});
  EXPECT_EQ(offsets(*viewed("slice", *first, {{"start", 1}, {"step", 2}})), (Offsets{3, 7}));
}

TEST(View, ExpandHasStrideZero) {
  EXPECT_EQ(*viewed("expand", row_major({3, 1}), {{"size", {2, 3, 4}}}), (Strided{{2, 3, 4}, {0, 1, 0}, 0}));
  EXPECT_EQ(viewed("expand", row_major({1}), {{"size", {0}}})->shape, Shape{0});
}

TEST(View, OnesComeAndGo) {
  const auto inserted = viewed("unsqueeze", row_major({2, 3}), {{"dim", 1}});
  EXPECT_EQ(inserted->shape, (Shape{2, 1, 3}));
  EXPECT_TRUE(is_contiguous(*inserted));
  EXPECT_EQ(*viewed("squeeze", *inserted, {{"dim", {1}}}), row_major({2, 3}));
  EXPECT_EQ(viewed("unsqueeze", row_major({}), {{"dim", 0}})->shape, Shape{1});
}

TEST(View, ReshapeOfContiguousIsContiguous) {
  EXPECT_EQ(*viewed("reshape", row_major({2, 3, 4}), {{"shape", {6, -1}}}), row_major({6, 4}));
  EXPECT_EQ(*viewed("reshape", row_major({2, 3, 4}), {{"shape", {1, 24, 1}}}), row_major({1, 24, 1}));
  EXPECT_EQ(viewed("reshape", row_major({}), {{"shape", {1, 1}}})->shape, (Shape{1, 1}));
  EXPECT_EQ(viewed("reshape", row_major({0, 4}), {{"shape", {2, 0}}})->shape, (Shape{2, 0}));
}

TEST(View, ReshapeKeepsTheOrderOfElements) {
  // Split and join dimensions of a transposed tensor where that needs no copy: heads of attention.
  const auto heads = viewed("permute", row_major({2, 5, 6}), {{"dims", {1, 0, 2}}});
  const auto split = viewed("reshape", *heads, {{"shape", {5, 2, 3, 2}}});
  ASSERT_TRUE(split);
  EXPECT_EQ(offsets(*split), offsets(*heads));
  const auto rows = viewed("slice", row_major({6, 4}), {{"step", 2}});
  const auto regrouped = viewed("reshape", *rows, {{"shape", {3, 2, 2}}});
  ASSERT_TRUE(regrouped);
  EXPECT_EQ(offsets(*regrouped), offsets(*rows));
}

TEST(View, ReshapeNeedsACopyOfATransposedTensor) {
  const auto transposed = viewed("transpose", row_major({2, 3}), {{"dim0", 0}, {"dim1", 1}});
  EXPECT_EQ(viewed("reshape", *transposed, {{"shape", {6}}}), std::nullopt);
  const auto sliced = viewed("slice", row_major({4, 4}), {{"dim", 1}, {"end", 3}});
  EXPECT_EQ(viewed("reshape", *sliced, {{"shape", {12}}}), std::nullopt);
  const auto expanded = viewed("expand", row_major({1, 2}), {{"size", {3, 2}}});
  EXPECT_EQ(viewed("reshape", *expanded, {{"shape", {6}}}), std::nullopt);
}

// Every way to view 24 elements through small transposes and slices: what reshape gives has the input's order.
TEST(View, ReshapeAgreesWithElementOrderEverywhere) {
  const std::vector<Shape> shapes = {{24}, {2, 12}, {4, 6}, {2, 3, 4}, {2, 2, 6}, {1, 24}, {3, 1, 8}, {2, 2, 2, 3}};
  std::size_t views = 0;
  for (const Shape& from : shapes) {
    for (std::size_t a = 0; a < from.size(); ++a) {
      const auto input = viewed("transpose", row_major(from), {{"dim0", 0}, {"dim1", static_cast<std::int64_t>(a)}});
      for (const Shape& to : shapes) {
        const auto view = viewed("reshape", *input, {{"shape", JsonArray(to.begin(), to.end())}});
        if (!view) continue;
        ++views;
        EXPECT_EQ(offsets(*view), offsets(*input)) << shape_text(from) << " by " << a << " to " << shape_text(to);
      }
    }
  }
  EXPECT_GT(views, 60u);
}

TEST(View, ExpectedShapeGuardsWhatInferenceAssumed) {
  const Shape one = {1, 4};
  expect_error(GraphError::kShapeMismatch, "but [1, 4] was planned", [&] {
    viewed("slice", row_major({0, 4}), {{"end", 1}}, &one);
  });
  EXPECT_TRUE(viewed("slice", row_major({7, 4}), {{"end", 1}}, &one));
  // -1 stood for 384*seq; beside a batch of 0 nobody could tell.
  const Shape rest = {0, 384};
  EXPECT_EQ(viewed("reshape", row_major({0, 1, 384}), {{"shape", {0, -1}}}, &rest)->shape, rest);
}

TEST(View, KeepsContiguousWhereItSays) {
  for (const OpSpec& op : OpTable::builtin().ops()) {
    if (!op.view()) continue;
    const bool expected = op.name == "reshape" || op.name == "unsqueeze" || op.name == "squeeze";
    EXPECT_EQ(view_keeps_contiguous(op), expected) << op.name;
  }
}

TEST(View, OtherOperationsAreNone) { EXPECT_THROW(viewed("gelu", row_major({2}), {}), Error); }

TEST(Contiguity, IgnoresStridesThatAreNeverUsed) {
  EXPECT_TRUE(is_contiguous({{2, 3}, {3, 1}, 5}));
  EXPECT_TRUE(is_contiguous({{1, 3}, {77, 1}, 0}));
  EXPECT_TRUE(is_contiguous({{2, 0}, {9, 9}, 0}));
  EXPECT_TRUE(is_contiguous({{}, {}, 0}));
  EXPECT_FALSE(is_contiguous({{3, 2}, {1, 3}, 0}));
  EXPECT_FALSE(is_contiguous({{3}, {0}, 0}));
}

}  // namespace
}  // namespace alknet::graph
