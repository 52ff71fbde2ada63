#include "alknet/graph/typing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"

namespace alknet::graph {
namespace {

DtypeOperand tensor(Dtype dtype) { return {dtype, false, std::nullopt}; }
DtypeOperand rank_zero(Dtype dtype) { return {dtype, true, std::nullopt}; }
template <typename T>
DtypeOperand scalar(T value) {
  return {Dtype::kF32, true, Scalar::of(value)};
}
constexpr std::int64_t kOne = 1;

Dtype promoted(std::vector<DtypeOperand> operands) { return promoted_dtype(operands); }

// torch.result_type on the same operands.
TEST(PromotedDtype, TensorsThenRankZeroThenScalars) {
  EXPECT_EQ(promoted({tensor(Dtype::kF32), tensor(Dtype::kF64)}), Dtype::kF64);
  EXPECT_EQ(promoted({tensor(Dtype::kF32), rank_zero(Dtype::kF64)}), Dtype::kF32);
  EXPECT_EQ(promoted({tensor(Dtype::kI32), rank_zero(Dtype::kI64)}), Dtype::kI32);
  EXPECT_EQ(promoted({tensor(Dtype::kI32), rank_zero(Dtype::kF16)}), Dtype::kF16);
  EXPECT_EQ(promoted({tensor(Dtype::kBool), rank_zero(Dtype::kI8)}), Dtype::kI8);
  EXPECT_EQ(promoted({rank_zero(Dtype::kF32), rank_zero(Dtype::kF64)}), Dtype::kF64);
  EXPECT_EQ(promoted({tensor(Dtype::kF16), scalar(0.5)}), Dtype::kF16);
  EXPECT_EQ(promoted({tensor(Dtype::kI32), scalar(kOne)}), Dtype::kI32);
  EXPECT_EQ(promoted({tensor(Dtype::kI32), scalar(0.5)}), Dtype::kF32);
  EXPECT_EQ(promoted({tensor(Dtype::kBool), scalar(kOne)}), Dtype::kI64);
  EXPECT_EQ(promoted({tensor(Dtype::kBool), scalar(true)}), Dtype::kBool);
  EXPECT_EQ(promoted({rank_zero(Dtype::kI8), scalar(0.5)}), Dtype::kF32);
  EXPECT_EQ(promoted({tensor(Dtype::kI8), rank_zero(Dtype::kF64), scalar(0.5)}), Dtype::kF64);
}

OpDtypes dtypes(std::string_view name, const std::vector<std::vector<DtypeOperand>>& operands,
                const JsonObject& attrs = {}) {
  const OpSpec& op = OpTable::builtin().at(name);
  return infer_dtypes(op, operands, complete_attributes(op, attrs));
}

TEST(OpDtypes, PromoteElementwiseInputs) {
  const auto add = dtypes("add", {{tensor(Dtype::kI32)}, {tensor(Dtype::kF16)}});
  EXPECT_EQ(add.inputs, (std::vector<std::optional<Dtype>>{Dtype::kF16, Dtype::kF16}));
  EXPECT_EQ(add.outputs, std::vector<Dtype>{Dtype::kF16});
  EXPECT_EQ(dtypes("div", {{tensor(Dtype::kI32)}, {tensor(Dtype::kI32)}}).outputs[0], Dtype::kF32);
  EXPECT_EQ(dtypes("div", {{tensor(Dtype::kF64)}, {scalar(kOne)}}).outputs[0], Dtype::kF64);
  EXPECT_EQ(dtypes("sqrt", {{tensor(Dtype::kU8)}}).outputs[0], Dtype::kF32);
  EXPECT_EQ(dtypes("mul", {{tensor(Dtype::kBool)}, {tensor(Dtype::kF32)}}).outputs[0], Dtype::kF32);
}

TEST(OpDtypes, OfReductions) {
  EXPECT_EQ(dtypes("sum", {{tensor(Dtype::kI32)}}).outputs[0], Dtype::kI64);
  EXPECT_EQ(dtypes("sum", {{tensor(Dtype::kBool)}}).inputs[0], Dtype::kBool);
  EXPECT_EQ(dtypes("sum", {{tensor(Dtype::kF16)}}).outputs[0], Dtype::kF16);
  EXPECT_EQ(dtypes("mean", {{tensor(Dtype::kF64)}}).outputs[0], Dtype::kF64);
  expect_error(GraphError::kDtypeMismatch, "[mean] \"input\" would be i64",
               [] { dtypes("mean", {{tensor(Dtype::kI64)}}); });
}

TEST(OpDtypes, FromParametersAndInputs) {
  EXPECT_EQ(dtypes("cast", {{tensor(Dtype::kI64)}}, {{"dtype", "bf16"}}).outputs[0], Dtype::kBF16);
  EXPECT_EQ(dtypes("cast", {{tensor(Dtype::kI64)}}, {{"dtype", "bf16"}}).inputs[0], Dtype::kI64);
  EXPECT_EQ(dtypes("reshape", {{tensor(Dtype::kU8)}}, {{"shape", {-1}}}).outputs[0], Dtype::kU8);
}

TEST(OpDtypes, OfFullAndArangeFollowTheirNumbers) {
  EXPECT_EQ(dtypes("arange", {}, {{"end", 5}}).outputs[0], Dtype::kI64);
  EXPECT_EQ(dtypes("arange", {}, {{"end", "n + 1"}}).outputs[0], Dtype::kI64);
  EXPECT_EQ(dtypes("arange", {}, {{"end", 5}, {"step", 0.5}}).outputs[0], Dtype::kF32);
  EXPECT_EQ(dtypes("arange", {}, {{"end", 5}, {"dtype", "f16"}}).outputs[0], Dtype::kF16);
  EXPECT_EQ(dtypes("full", {}, {{"size", {2}}, {"fill_value", 1}}).outputs[0], Dtype::kI64);
  EXPECT_EQ(dtypes("full", {}, {{"size", {2}}, {"fill_value", 1.0}}).outputs[0], Dtype::kF32);
}

TEST(OpDtypes, IndicesAndMasksKeepTheirs) {
  const auto embedding = dtypes("embedding", {{tensor(Dtype::kF16)}, {tensor(Dtype::kI64)}});
  EXPECT_EQ(embedding.inputs[1], Dtype::kI64);
  EXPECT_EQ(embedding.outputs[0], Dtype::kF16);
  expect_error(GraphError::kDtypeMismatch, "\"indices\" would be f32; it takes i32, i64", [] {
    dtypes("embedding", {{tensor(Dtype::kF16)}, {tensor(Dtype::kF32)}});
  });
  const std::vector<DtypeOperand> q = {tensor(Dtype::kF16)};
  EXPECT_EQ(dtypes("scaled_dot_product_attention", {q, q, q, {tensor(Dtype::kBool)}, {}}).inputs[3], Dtype::kBool);
  EXPECT_EQ(dtypes("scaled_dot_product_attention", {q, q, q, {tensor(Dtype::kF32)}, {}}).inputs[3], Dtype::kF16);
  EXPECT_EQ(dtypes("scaled_dot_product_attention", {q, q, q, {}, {}}).inputs[3], std::nullopt);
}

TEST(OpDtypes, StructuredOperationsNeedOneDtype) {
  expect_error(GraphError::kDtypeMismatch, "[matmul] the inputs need one dtype but have f32 and f16", [] {
    dtypes("matmul", {{tensor(Dtype::kF32)}, {tensor(Dtype::kF16)}});
  });
  expect_error(GraphError::kDtypeMismatch, "cast it", [] {
    dtypes("matmul", {{tensor(Dtype::kBool)}, {tensor(Dtype::kBool)}});
  });
  expect_error(GraphError::kDtypeMismatch, "\"other\" would be u8; it takes i8", [] {
    dtypes("int_mm", {{tensor(Dtype::kI8)}, {tensor(Dtype::kU8)}});
  });
  expect_error(GraphError::kDtypeMismatch, "cast it", [] {
    dtypes("sub", {{tensor(Dtype::kBool)}, {tensor(Dtype::kBool)}});
  });
}

TEST(OpDtypes, ProductsOfIntegersStayInTheirDtypeAndThoseOfBytesMayBecomeWords) {
  EXPECT_EQ(dtypes("matmul", {{tensor(Dtype::kI8)}, {tensor(Dtype::kI8)}}).outputs.front(), Dtype::kI8);
  EXPECT_EQ(dtypes("matmul", {{tensor(Dtype::kI64)}, {tensor(Dtype::kI64)}}).outputs.front(), Dtype::kI64);
  EXPECT_EQ(dtypes("int_mm", {{tensor(Dtype::kI8)}, {tensor(Dtype::kI8)}}).outputs.front(), Dtype::kI32);
}

TEST(OpDtypes, ScalarsGoWhereTheyMakeSense) {
  expect_error(GraphError::kBadOperand, "must be a tensor", [] {
    dtypes("matmul", {{tensor(Dtype::kF32)}, {scalar(0.5)}});
  });
  expect_error(GraphError::kBadOperand, "at least one input", [] { dtypes("add", {{scalar(0.5)}, {scalar(0.5)}}); });
  expect_error(GraphError::kDtypeMismatch, "300 does not fit i8", [] {
    dtypes("add", {{tensor(Dtype::kI8)}, {scalar(std::int64_t{300})}});
  });
  expect_error(GraphError::kBadAttribute, "\"alpha\" is 0.5, but the inputs are i32", [] {
    dtypes("add", {{tensor(Dtype::kI32)}, {tensor(Dtype::kI32)}}, {{"alpha", 0.5}});
  });
  expect_error(GraphError::kBadAttribute, "\"alpha\" is 1099511627776, which does not fit elements of i32", [] {
    dtypes("add", {{tensor(Dtype::kI32)}, {tensor(Dtype::kI32)}}, {{"alpha", std::int64_t{1} << 40}});
  });
}

}  // namespace
}  // namespace alknet::graph
