#include "alknet/graph/op_program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace alknet::graph {
namespace {

const OpSpec& op(std::string_view name) { return OpTable::builtin().at(name); }

double run(std::string_view name, const JsonObject& attrs, std::vector<Dtype> inputs, Dtype output,
           std::vector<double> values) {
  const auto program = elementwise_program(op(name), complete_attributes(op(name), attrs), inputs, {{output}});
  return expr::evaluate(program, values).at(0);
}

TEST(ElementwiseProgram, HasInputsThenScalarParameters) {
  const auto program = elementwise_program(op("add"), {}, {{Dtype::kF16, Dtype::kF16}}, {{Dtype::kF16}});
  const std::vector<expr::Variable> expected = {
      {"input", Dtype::kF32, false}, {"other", Dtype::kF32, false}, {"alpha", Dtype::kF32, true}};
  EXPECT_EQ(program.variables, expected);
  EXPECT_EQ(expr::evaluate(program, std::vector<double>{1, 2, 10}).at(0), 21);
}

TEST(ElementwiseProgram, StringParametersChooseTheCaseInstead) {
  EXPECT_TRUE(scalar_parameters(op("gelu")).empty());
  EXPECT_TRUE(scalar_parameters(op("cast")).empty());
  EXPECT_EQ(scalar_parameters(op("add")), std::vector<std::string>{"alpha"});
}

// The standard normal distribution function from erfc, which does not cancel.
TEST(ElementwiseProgram, ComputesGeluInBothForms) {
  for (const double x : {-5.0, -1.0, -0.0, 0.3, 2.0, 6.0}) {
    const double exact = x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    EXPECT_NEAR(run("gelu", {}, {Dtype::kF64}, Dtype::kF64, {x}), exact, 1e-15);
    const double inner = std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
    EXPECT_NEAR(run("gelu", {{"approximate", "tanh"}}, {Dtype::kF64}, Dtype::kF64, {x}),
                0.5 * x * (1 + std::tanh(inner)), 1e-15);
  }
}

TEST(ElementwiseProgram, CastEndsInTheOutputsComputeDtype) {
  EXPECT_EQ(run("cast", {{"dtype", "i32"}}, {Dtype::kF32}, Dtype::kI32, {2.9}), 2);
  EXPECT_EQ(run("cast", {{"dtype", "bool"}}, {Dtype::kF32}, Dtype::kBool, {0.5}), 1);
  EXPECT_EQ(run("cast", {{"dtype", "u8"}}, {Dtype::kI64}, Dtype::kU8, {259}), 3);
  const auto same = elementwise_program(op("cast"), {}, {{Dtype::kF16}}, {{Dtype::kBF16}});
  EXPECT_EQ(same.instructions.size(), 1u);  // the kernel's store rounds
}

TEST(ElementwiseProgram, IntegersStayIntegers) {
  EXPECT_EQ(run("sub", {}, {Dtype::kI32, Dtype::kI32}, Dtype::kI32, {-2147483648.0, 1, 1}), 2147483647.0);
  EXPECT_TRUE(std::isnan(run("maximum", {}, {Dtype::kF32, Dtype::kF32}, Dtype::kF32, {1, std::nan("")})));
}

TEST(ReductionPrograms, FoldAndFinish) {
  const auto mean = reduction_programs(op("mean"), Dtype::kBF16, Dtype::kBF16);
  EXPECT_EQ(mean.accumulator, Dtype::kF32);
  double accumulator = expr::evaluate(mean.init, {}).at(0);
  for (const double x : {1.0, 2.0, 6.0}) {
    accumulator = expr::evaluate(mean.combine, std::vector<double>{accumulator, x}).at(0);
  }
  EXPECT_EQ(expr::evaluate(mean.finish, std::vector<double>{accumulator, 3}).at(0), 3);
  EXPECT_TRUE(std::isnan(expr::evaluate(mean.finish, std::vector<double>{0, 0}).at(0)));
}

TEST(ReductionPrograms, OfIntegersAccumulateInI64) {
  EXPECT_EQ(reduction_dtype(op("sum"), Dtype::kBool), Dtype::kI64);
  EXPECT_EQ(reduction_dtype(op("max"), Dtype::kU8), Dtype::kU8);
  const auto sum = reduction_programs(op("sum"), Dtype::kU8, Dtype::kI64);
  EXPECT_EQ(sum.accumulator, Dtype::kI64);
  EXPECT_EQ(sum.init.instructions.at(0).dtype, Dtype::kI64);
  EXPECT_EQ(sum.combine.instructions.back().dtype, Dtype::kI64);
}

}  // namespace
}  // namespace alknet::graph
