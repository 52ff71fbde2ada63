#include "alknet/graph/dim.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"

namespace alknet::graph {
namespace {

const Dim kBatch = Dim::symbol("batch");
const Dim kSeq = Dim::symbol("seq");

TEST(Dim, EqualPolynomialsAreEqual) {
  EXPECT_EQ(kBatch * kSeq, kSeq * kBatch);
  EXPECT_EQ((kBatch + kSeq) * (kBatch - kSeq), kBatch * kBatch - kSeq * kSeq);
  EXPECT_EQ(kSeq - kSeq, Dim(0));
  EXPECT_EQ(Dim::parse("2*(seq + 1) - 2"), Dim::parse("seq*2"));
  EXPECT_NE(kSeq, kSeq + Dim(1));
  EXPECT_NE(kSeq, kBatch);
}

TEST(Dim, ConstantsAreIntegers) {
  EXPECT_EQ(Dim::parse("2 * (3 + 4) // 5 - 9 % 4").constant(), 1);
  EXPECT_EQ(kSeq.constant(), std::nullopt);
  EXPECT_EQ((kSeq - kSeq + Dim(7)).constant(), 7);
}

TEST(Dim, DivisionFloorsAsInPython) {
  const std::vector<std::vector<std::int64_t>> cases = {{7, 2, 3, 1},    {-7, 2, -4, 1}, {7, -2, -4, -1},
                                                        {-7, -2, 3, -1}, {6, 3, 2, 0},   {0, 5, 0, 0}};
  for (const auto& c : cases) {
    EXPECT_EQ(Dim::floor_divide(c[0], c[1]).constant(), c[2]) << c[0] << " // " << c[1];
    EXPECT_EQ(Dim::remainder(c[0], c[1]).constant(), c[3]) << c[0] << " % " << c[1];
    const DimValues values = {{"a", c[0]}, {"b", c[1]}};
    EXPECT_EQ(Dim::parse("a // b").evaluate(values), c[2]);
    EXPECT_EQ(Dim::parse("a % b").evaluate(values), c[3]);
  }
}

TEST(Dim, DividesOutWhatDividesEvenly) {
  EXPECT_EQ(Dim::floor_divide(kBatch * kSeq * Dim(384), kBatch * Dim(12)), kSeq * Dim(32));
  EXPECT_EQ(Dim::parse("(4*seq + 3)//2"), Dim::parse("2*seq + 1"));
  EXPECT_EQ(Dim::parse("(4*seq + 3)%2"), Dim(1));
  EXPECT_EQ(Dim::parse("(seq + batch)//(batch + seq)"), Dim(1));
  EXPECT_EQ(Dim::parse("seq//1"), kSeq);
  EXPECT_EQ(Dim::parse("seq//-1"), Dim(0) - kSeq);
  EXPECT_EQ(Dim::parse("0//seq"), Dim(0));
}

TEST(Dim, EvaluatesWithNamesBound) {
  const DimValues values = {{"batch", 3}, {"seq", 12}};
  EXPECT_EQ(Dim::parse("batch*seq*384 + 1").evaluate(values), 3 * 12 * 384 + 1);
  EXPECT_EQ(Dim::parse("-seq + 20").evaluate(values), 8);
  EXPECT_EQ(Dim::parse("((seq + 1)//2 + 3)*(batch%2)").evaluate(values), 9);
  EXPECT_EQ(Dim::parse("seq//batch - (batch + 1)%3").evaluate(values), 3);
}

TEST(Dim, EvaluationAgreesWithArithmeticOverManyValues) {
  const Dim expression = Dim::parse("(3*a*b - 2*b + 7)//(b + 1) + (a - b)%5 * 2 - -a");
  const auto floor_div = [](std::int64_t x, std::int64_t y) {
    return x / y - ((x % y != 0 && (x < 0) != (y < 0)) ? 1 : 0);
  };
  for (std::int64_t a = 0; a < 12; ++a) {
    for (std::int64_t b = 0; b < 12; ++b) {
      const std::int64_t modulo = (a - b) - 5 * floor_div(a - b, 5);
      EXPECT_EQ(expression.evaluate({{"a", a}, {"b", b}}), floor_div(3 * a * b - 2 * b + 7, b + 1) + modulo * 2 + a);
    }
  }
}

TEST(Dim, TextReadsBackEqual) {
  for (const char* text : {"12", "-3", "batch", "2*(seq+1)//3", "seq//2*batch", "-(seq//2)", "seq - seq//2", "a%b%c",
                           "a//(b//c)", "(a//b)//c", "-2*a*b - 5", "3*(a//2)*(b%3) - 7*c + 1", "(a+b)//(a-b)",
                           "-9223372036854775808", "9223372036854775807*a"}) {
    const Dim dim = Dim::parse(text);
    EXPECT_EQ(Dim::parse(dim.text()), dim) << text << " printed as " << dim.text();
  }
}

TEST(Dim, TextIsWhatPeopleWrite) {
  EXPECT_EQ((kSeq * kBatch * Dim(2) + kSeq - Dim(1)).text(), "2*batch*seq + seq - 1");
  EXPECT_EQ(Dim::parse("(seq + 1) // 2").text(), "(seq + 1)//2");
  EXPECT_EQ((Dim(0) - Dim::parse("(seq + 1) // 2")).text(), "-((seq + 1)//2)");
  EXPECT_EQ(shape_text(SymbolicShape{kBatch, kSeq, 384}), "[batch, seq, 384]");
  EXPECT_EQ(shape_text(Shape{}), "[]");
}

TEST(Dim, ListsItsNames) {
  EXPECT_EQ(Dim::parse("b*(a//c) + a").names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(Dim(4).names().empty());
}

TEST(Dim, RefusesBadTextWithItsPosition) {
  for (const char* text : {"", "2x", "a b", "(a", "a)", "a/b", "a**b", "1.5", "+", "a:0", "9223372036854775808", "é"}) {
    expect_error(GraphError::kDimInvalid, "at ", [&] { Dim::parse(text); });
  }
  expect_error(GraphError::kDimInvalid, "\"batch + \" at 8", [] { Dim::parse("batch + "); });
  expect_error(GraphError::kIllegalName, "cannot name", [] { Dim::symbol("a-b"); });
}

TEST(Dim, SaysWhichNameHasNoValue) {
  expect_error(GraphError::kDimUnbound, "\"seq\"", [] { kSeq.evaluate({{"batch", 1}}); });
}

TEST(Dim, RefusesDivisionByZero) {
  expect_error(GraphError::kDimInvalid, "by zero", [] { Dim::parse("a // 0"); });
  expect_error(GraphError::kDimInvalid, "by zero", [] { Dim::parse("a % (b - b)"); });
  expect_error(GraphError::kDimInvalid, "by zero", [] { Dim::parse("a // b").evaluate({{"a", 1}, {"b", 0}}); });
}

TEST(Dim, RefusesOverflowInsteadOfWrapping) {
  const std::int64_t big = std::numeric_limits<std::int64_t>::max();
  expect_error(GraphError::kSizeOverflow, "64 bits", [&] { Dim(big) + Dim(1); });
  expect_error(GraphError::kSizeOverflow, "64 bits", [&] { (kSeq * Dim(4)).evaluate({{"seq", big / 2}}); });
  expect_error(GraphError::kSizeOverflow, "64 bits", [&] { kSeq* Dim(big) * Dim(2); });
  expect_error(GraphError::kSizeOverflow, "64 bits",
               [&] { Dim::floor_divide(std::numeric_limits<std::int64_t>::min(), -1); });
}

TEST(Dim, BoundsHostileExpressions) {
  expect_error(GraphError::kDimInvalid, "nested deeper", [] { Dim::parse(std::string(1000, '(') + "a"); });
  expect_error(GraphError::kDimInvalid, "nested deeper", [] { Dim::parse(std::string(1000, '-') + "a"); });
  expect_error(GraphError::kDimInvalid, "characters", [] { Dim::parse(std::string(100'000, 'a')); });
  std::string power = "(a+b+c+d+e+f+g+h)";
  for (int i = 0; i < 5; ++i) power += "*(a+b+c+d+e+f+g+h)";
  expect_error(GraphError::kTooLarge, "terms", [&] { Dim::parse(power); });
  expect_error(GraphError::kTooLarge, "nested divisions", [] {
    Dim dim = kSeq;
    for (int i = 0; i < 100; ++i) dim = Dim::floor_divide(dim + Dim(1), 3);
  });
  expect_error(GraphError::kTooLarge, "", [] {
    Dim dim = kSeq;
    for (int i = 0; i < 100; ++i) dim = Dim::floor_divide(dim + Dim(1), 3) * Dim::floor_divide(dim + Dim(1), 5);
  });
}

TEST(Shapes, EvaluateToSizesThatAreNotNegative) {
  EXPECT_EQ(evaluate(SymbolicShape{kBatch, kSeq - Dim(1), 4}, {{"batch", 2}, {"seq", 1}}), (Shape{2, 0, 4}));
  expect_error(GraphError::kDimInvalid, "seq - 2 is -1", [] { evaluate(SymbolicShape{kSeq - Dim(2)}, {{"seq", 1}}); });
}

TEST(Shapes, CountElements) {
  EXPECT_EQ(element_count(Shape{}), 1);
  EXPECT_EQ(element_count(Shape{2, 3, 4}), 24);
  EXPECT_EQ(element_count(Shape{1LL << 40, 0, 1LL << 40}), 0);
  EXPECT_EQ(element_count(SymbolicShape{kBatch, 3, kSeq}), kSeq * kBatch * Dim(3));
  expect_error(GraphError::kSizeOverflow, "elements", [] { element_count(Shape{1LL << 40, 1LL << 40}); });
  EXPECT_EQ(element_count(Shape{kMaxElements}), kMaxElements);
  expect_error(GraphError::kSizeOverflow, "2^59", [] { element_count(Shape{kMaxElements, 2}); });
}

TEST(Shapes, RowMajorStrides) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (Shape{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({2, 0, 4}), (Shape{4, 4, 1}));
  EXPECT_EQ(contiguous_strides({}), Shape{});
}

}  // namespace
}  // namespace alknet::graph
