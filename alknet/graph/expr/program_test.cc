#include "alknet/graph/expr/program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"

namespace alknet::graph::expr {
namespace {

const std::vector<std::string> kOutput = {"output"};
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

std::vector<Variable> variables(Dtype dtype) {
  return {{"x", dtype, false}, {"y", dtype, false}, {"flag", Dtype::kBool, true}};
}

Program compiled(std::string_view source, Dtype dtype = Dtype::kF32) {
  return compile(source, variables(dtype), kOutput);
}

double run(std::string_view source, double x, double y = 0, Dtype dtype = Dtype::kF64, bool flag = false) {
  return evaluate(compiled(source, dtype), std::vector<double>{x, y, flag ? 1.0 : 0.0}).at(0);
}

std::size_t steps(std::string_view source) { return compiled(source).instructions.size(); }

TEST(Expression, HasPrecedenceAndAssociativityOfC) {
  EXPECT_EQ(run("output = 2 + x * 3 - y / 2", 5, 4), 15);
  EXPECT_EQ(run("output = x - y - 1", 5, 4), 0);
  EXPECT_EQ(run("output = x / y / 2", 12, 3), 2);
  EXPECT_EQ(run("output = -x * -y", 5, 4), 20);
  EXPECT_EQ(run("output = x < y == y > x ? 1 : 0", 1, 2), 1);
  EXPECT_EQ(run("output = x > 0 || y > 0 && x > 10 ? 1 : 0", 1, 0), 1);
  EXPECT_EQ(run("output = x > 0 ? 1 : y > 0 ? 2 : 3", -1, 1), 2);
  EXPECT_EQ(run("output = (x + y) * 2", 1, 2), 6);
  EXPECT_EQ(run("output = !(x < y) ? 1 : 2", 1, 2), 2);
}

TEST(Expression, HasStatements) {
  EXPECT_EQ(run("var t = x * x; t = t + 1;\n output = t * y;", 3, 2), 20);
  EXPECT_EQ(run("var half = 1 / 2.0; output = half * x;", 3), 1.5);
  EXPECT_EQ(run("output = 1; output = output + x", 3), 4);
  EXPECT_EQ(run(";; output = x;;", 3), 3);
}

TEST(Expression, AnOutputMayStartAsAnInput) {
  const Program program =
      compile("accumulator = accumulator + input",
              std::vector<Variable>{{"accumulator", Dtype::kF32, false}, {"input", Dtype::kF16, false}},
              std::vector<std::string>{"accumulator"});
  EXPECT_EQ(evaluate(program, std::vector<double>{2, 3}).at(0), 5);
}

TEST(Expression, HasTheFunctionsOfTheTable) {
  EXPECT_DOUBLE_EQ(run("output = abs(x)", -3), 3);
  EXPECT_DOUBLE_EQ(run("output = exp(x)", 1), std::exp(1.0));
  EXPECT_DOUBLE_EQ(run("output = log(x)", 2), std::log(2.0));
  EXPECT_DOUBLE_EQ(run("output = sqrt(x)", 2), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(run("output = rsqrt(x)", 4), 0.5);
  EXPECT_DOUBLE_EQ(run("output = tanh(x)", 0.3), std::tanh(0.3));
  EXPECT_DOUBLE_EQ(run("output = erf(x)", 0.3), std::erf(0.3));
  EXPECT_DOUBLE_EQ(run("output = x % y", -7, 3), -1);
}

TEST(Expression, MaximumAndMinimumPropagateNan) {
  EXPECT_TRUE(std::isnan(run("output = max(x, y)", kNan, 1)));
  EXPECT_TRUE(std::isnan(run("output = max(x, y)", 1, kNan)));
  EXPECT_TRUE(std::isnan(run("output = min(x, 0)", kNan)));
  EXPECT_TRUE(std::isnan(run("output = min(x, y)", 1, kNan)));
  EXPECT_EQ(run("output = max(x, y)", -kInf, 1), 1);
  EXPECT_EQ(run("output = isnan(x) ? 1 : 0", kNan), 1);
  EXPECT_EQ(run("output = isnan(x) ? 1 : 0", kInf), 0);
}

TEST(Expression, LiteralsTakeTheDtypeTheyMeet) {
  EXPECT_EQ(compiled("output = x + 1", Dtype::kI32).instructions[1].dtype, Dtype::kI32);
  EXPECT_EQ(compiled("output = x + 1", Dtype::kF64).instructions[1].dtype, Dtype::kF64);
  EXPECT_EQ(compiled("output = 7").instructions[0].dtype, Dtype::kF32);
  EXPECT_EQ(compile("output = 7", {}, kOutput, Dtype::kI64).instructions[0].dtype, Dtype::kI64);
}

TEST(Expression, ArithmeticOnLiteralsIsDoneOnce) {
  const Program program = compiled("output = x * sqrt(2 / pi)");
  ASSERT_EQ(program.instructions.size(), 3u);
  EXPECT_DOUBLE_EQ(program.instructions[1].constant, std::sqrt(2 / 3.14159265358979323846));
  EXPECT_EQ(run("output = x + (6 / 3 - 7 % 4)", 0, 0, Dtype::kI32), -1);
  EXPECT_EQ(run("output = true ? x : y", 1, 2), 1);
  EXPECT_EQ(run("output = 2 > 1 && !false ? x : y", 1, 2), 1);
}

TEST(Expression, NarrowFloatsComputeInF32) {
  const Program program = compiled("output = x * y", Dtype::kF16);
  EXPECT_EQ(program.variables[0].dtype, Dtype::kF32);
  EXPECT_EQ(program.instructions[2].dtype, Dtype::kF32);
}

TEST(Expression, CommonPartsAreComputedOnce) {
  EXPECT_EQ(steps("output = (x + y) * (x + y)"), 4u);
  EXPECT_EQ(steps("var a = exp(x); var b = exp(x); output = a + b"), 3u);
  EXPECT_EQ(steps("output = flag ? x + 1 : x + 1"), 3u);
}

TEST(Expression, StepsThatNoOutputNeedsAreDropped) {
  EXPECT_EQ(steps("var unused = exp(y); output = x"), 1u);
  EXPECT_EQ(steps("output = exp(x); output = y"), 1u);
}

TEST(Expression, IntegersWrapAndNeverTrap) {
  EXPECT_EQ(run("output = x + y", 127, 1, Dtype::kI8), -128);
  EXPECT_EQ(run("output = x - y", 0, 1, Dtype::kU32), 4294967295.0);
  EXPECT_EQ(run("output = x * y", 65536, 65536, Dtype::kI32), 0);
  EXPECT_EQ(run("output = -x", -2147483648.0, 0, Dtype::kI32), -2147483648.0);
  EXPECT_EQ(run("output = abs(x)", -128, 0, Dtype::kI8), -128);
  EXPECT_EQ(run("output = x / y", -7, 2, Dtype::kI32), -3);
  EXPECT_EQ(run("output = x % y", -7, 2, Dtype::kI32), -1);
  EXPECT_EQ(run("output = x / y", 7, 0, Dtype::kI32), 7);
  EXPECT_EQ(run("output = x % y", 7, 0, Dtype::kI32), 0);
  EXPECT_EQ(run("output = x / y", -2147483648.0, -1, Dtype::kI32), -2147483648.0);
}

TEST(Expression, CastsAsDocumented) {
  EXPECT_EQ(run("output = f64(i32(x))", 2.9), 2);
  EXPECT_EQ(run("output = f64(i32(x))", -2.9), -2);
  EXPECT_EQ(run("output = f64(i32(x))", kNan), 0);
  EXPECT_EQ(run("output = f64(i32(x))", 1e30), 2147483647.0);
  EXPECT_EQ(run("output = f64(u8(x))", -5), 0);
  EXPECT_EQ(run("output = u8(x)", 257, 0, Dtype::kI32), 1);
  EXPECT_EQ(run("output = i8(x)", 200, 0, Dtype::kI32), -56);
  EXPECT_EQ(run("output = f64(bool(x))", kNan), 1);
  EXPECT_EQ(run("output = f64(bool(x))", -0.0), 0);
  EXPECT_EQ(run("output = x + i32(2.7)", 1, 0, Dtype::kI32), 3);
  EXPECT_EQ(steps("output = f32(x)"), 1u);
}

TEST(Expression, KeepsSignedZeroAndInfinity) {
  EXPECT_TRUE(std::signbit(run("output = -x", 0)));
  EXPECT_EQ(run("output = x * -inf", 2), -kInf);
  EXPECT_TRUE(std::isnan(run("output = x + nan", 2)));
}

void refuses(std::string_view source, const std::string& message, Dtype dtype = Dtype::kF32) {
  expect_error(GraphError::kExpressionInvalid, message, [&] { compiled(source, dtype); });
}

TEST(Expression, MixedDtypesAreErrors) {
  refuses("output = x + f64(y)", "f32 meets f64");
  refuses("output = x + flag", "f32 meets bool");
  refuses("output = flag ? x : i32(y)", "f32 meets i32");
  refuses("output = x + 0.5", "literal 0.5 meets an i32", Dtype::kI32);
  refuses("output = x + 3000000000", "does not fit i32", Dtype::kI32);
  refuses("output = x + -1", "does not fit u32", Dtype::kU32);
  refuses("output = sqrt(x)", "'sqrt' needs a float but gets i32", Dtype::kI32);
  refuses("output = f16(x)", "for storage only");
}

TEST(Expression, BoolsAddUpToOrAndMultiplyToAndAndFalseIsLess) {
  for (const int a : {0, 1}) {
    for (const int b : {0, 1}) {
      const auto of = [&](std::string_view source) { return run(source, a, b); };
      EXPECT_EQ(of("output = (x > 0) + (y > 0) ? 1 : 0"), a + b > 0);
      EXPECT_EQ(of("output = max(x > 0, y > 0) ? 1 : 0"), std::max(a, b));
      EXPECT_EQ(of("output = (x > 0) * (y > 0) ? 1 : 0"), a * b);
      EXPECT_EQ(of("output = min(x > 0, y > 0) ? 1 : 0"), std::min(a, b));
      EXPECT_EQ(of("output = (x > 0) < (y > 0) ? 1 : 0"), a < b);
      EXPECT_EQ(of("output = (x > 0) <= (y > 0) ? 1 : 0"), a <= b);
      EXPECT_EQ(of("output = (x > 0) > (y > 0) ? 1 : 0"), a > b);
      EXPECT_EQ(of("output = (x > 0) >= (y > 0) ? 1 : 0"), a >= b);
    }
  }
}

TEST(Expression, BoolsAreNoNumbers) {
  refuses("output = flag - flag", "does not work on bool");
  refuses("output = 1 < flag", "a number meets a bool");
  refuses("output = -flag", "does not work on bool");
  refuses("output = x ? 1 : 2", "must be bool");
  refuses("output = 1 ? x : y", "must be bool");
  refuses("output = !x", "needs bool");
  refuses("output = x && y", "needs bool");
  refuses("output = flag == 1 ? x : y", "a number meets a bool");
  EXPECT_EQ(run("output = flag == true ? x : y", 1, 2, Dtype::kF64, true), 1);
}

double run_i32(std::string_view source, double x, double y = 0) { return run(source, x, y, Dtype::kI32); }

TEST(Expression, HasTheBitOperatorsOfC) {
  EXPECT_EQ(run_i32("output = x & 6 | 1 ^ 3", 12), (12 & 6) | (1 ^ 3));
  EXPECT_EQ(run_i32("output = 1 << 2 + x", 3), 32);
  EXPECT_EQ(run_i32("output = x >> 1 == -3 ? 7 : 8", -5), 7);
  EXPECT_EQ(run_i32("output = ~x", 5), -6);
  EXPECT_EQ(run_i32("output = x << y", 1, 31), -2147483648.0);
  EXPECT_EQ(run_i32("output = x << y", 1, 32), 0);
  EXPECT_EQ(run_i32("output = x >> y", -8, 40), -1);
  EXPECT_EQ(run_i32("output = x >> y", -8, -1), -1);
  EXPECT_EQ(run("output = flag & !flag | flag ^ true ? 1 : 0", 0, 0, Dtype::kF64, true), 0);
  EXPECT_EQ(run("output = ~flag ? x : y", 1, 2, Dtype::kF64, true), 2);
}

TEST(Expression, RoundsAsIeee754) {
  EXPECT_EQ(run("output = round(x) + 10 * round(y)", 2.5, 3.5), 42);
  EXPECT_EQ(run("output = floor(x) + 10 * ceil(x) + 100 * trunc(x)", -1.5), -2 - 10 - 100);
  EXPECT_EQ(run_i32("output = floor(x) + ceil(x) + round(x) + trunc(x)", 3), 12);
  EXPECT_EQ(steps("output = i32(x)"),
            compile("output = round(i32(x))", variables(Dtype::kF32), kOutput, Dtype::kI32).instructions.size());
}

TEST(Expression, PowersOfIntegersAreWhole) {
  EXPECT_EQ(run_i32("output = pow(x, y)", -3, 3), -27);
  EXPECT_EQ(run_i32("output = pow(x, y)", 3, -1), 0);
  EXPECT_TRUE(std::isnan(run("output = pow(x, y)", -8, 1 / 3.0)));
  EXPECT_EQ(run("output = pow(x, y)", 0, 0), 1);
}

TEST(Expression, ReadsTheElementsCoordinates) {
  const Program program = compile("output = 100 * index() + 10 * index(-2) + index(-1)", {}, kOutput, Dtype::kI64);
  ASSERT_EQ(program.variables.size(), 3U);
  const std::vector<std::int64_t> sizes = {2, 3, 4};
  std::vector<double> values;
  for (const auto& variable : program.variables) {
    values.push_back(static_cast<double>(coordinate_value(variable.coordinate, 17, sizes)));
  }
  EXPECT_EQ(evaluate(program, values).at(0), 1700 + 10 * 1 + 1);
  EXPECT_EQ(coordinate_value(-4, 17, sizes), 0);
  const Program again = compile(source_text(program), {}, kOutput, Dtype::kI64);
  EXPECT_EQ(evaluate(again, values).at(0), evaluate(program, values).at(0));
  expect_error(GraphError::kExpressionInvalid, "expected ')'",
               [] { compile("output = index(0)", {}, kOutput, Dtype::kI64); });
  expect_error(GraphError::kExpressionInvalid, "index takes",
               [] { compile("output = index(-5)", {}, kOutput, Dtype::kI64); });
}

TEST(Expression, KnowsTheDtypeOfItsOutput) {
  const auto of = [](std::string_view source, Dtype dtype) {
    return evaluate(compile(source, {}, kOutput, dtype), {}).at(0);
  };
  EXPECT_EQ(of("output = highest", Dtype::kF16), 65504);
  EXPECT_EQ(of("output = lowest", Dtype::kF32), -static_cast<double>(std::numeric_limits<float>::max()));
  EXPECT_EQ(of("output = as_output(300)", Dtype::kU8), 255);
  EXPECT_EQ(of("output = as_output(2)", Dtype::kBool), 1);
}

TEST(Expression, ErrorsTellLineAndColumn) {
  refuses("var a = x;\n  output = a + b;", "line 2 column 16: nothing is called \"b\"");
  refuses("output = x $ y", "line 1 column 12: unexpected character '$'");
  refuses("output = (x", "line 1 column 12: expected ')' but found the end");
  refuses("output = x y", "line 1 column 12: expected ';' but found 'y'");
  refuses("", "\"output\" is never assigned");
  refuses("output", "expected '='");
  refuses("x = 1; output = x", "\"x\" is an input");
  refuses("z = 1; output = x", "neither an output (output) nor declared");
  refuses("var x = 1; output = x", "exists already");
  refuses("var pi = 3; output = x", "reserved word");
  refuses("output = output + 1", "before it has a value");
  refuses("output = exp(x, y)", "exp takes 1 argument(s) but gets 2");
  refuses("output = sinus(x)", "no function \"sinus\"");
  refuses("output = x + 1.2.3", "not a number");
  refuses("output = x + 1f", "not a number");
  refuses("output = x + 1e", "not a number");
  refuses("output = x + 1e999", "too large");
  refuses("output = x * (1 / 2)", "write 1.0 / 2");
  refuses("output = x * (1 / 0)", "by zero");
  refuses("output = x + 9007199254740993", "2^53");
  refuses("output = x +\x01 1", "unexpected byte 0x01");
  refuses("output = x # y", "unexpected character '#'");
}

TEST(Expression, BoundsHostileSources) {
  refuses("output = " + std::string(5000, '(') + "x", "nested deeper");
  refuses("output = " + std::string(5000, '-') + "x", "nested deeper");
  std::string ternaries = "output = ";
  for (int i = 0; i < 1000; ++i) ternaries += "flag ? x : ";
  refuses(ternaries + "y", "nested deeper");
  refuses(std::string(100'000, ' '), "longer than");
  std::string sum = "output = x";
  for (int i = 0; i < 5000; ++i) sum += "+ x*" + std::to_string(i);
  refuses(sum, "more than 4096 steps");
  std::string chain = "output = x";
  for (int i = 0; i < 20'000; ++i) chain += "+y";
  refuses(chain, "more than 4096 steps");
}

TEST(Expression, SurvivesRandomText) {
  std::mt19937 random(7);
  const std::vector<std::string> words = {"x", "y",   "output", "=",   "var", "+",    "-", "(", ")",
                                          "?", ":",   ";",      "1",   "2.5", "/",    "<", "!", "&&",
                                          ",", "exp", "max",    "f32", "i32", "flag", "\n"};
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string source = round % 2 == 0 ? "output = " : "";
    for (std::size_t i = random() % 12; i-- > 0;) source += words[random() % words.size()] + " ";
    try {
      const Program program = compiled(source);
      for (std::size_t i = 0; i < program.instructions.size(); ++i) {
        for (std::size_t a = 0; a < opcode_info(program.instructions[i].opcode).arity; ++a) {
          ASSERT_LT(program.instructions[i].arguments[a], i) << source;
        }
      }
      evaluate(program, std::vector<double>{1.5, -2, 1});
      ++accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), GraphError::kExpressionInvalid) << source;
    }
  }
  EXPECT_GT(accepted, 100u);
}

TEST(OpcodeTable, DescribesEveryOpcodeOnce) {
  for (const OpcodeInfo& info : opcode_table()) EXPECT_EQ(&opcode_info(info.opcode), &info);
  EXPECT_EQ(opcode_info(Opcode::kSelect).arity, 3);
  EXPECT_EQ(opcode_info(Opcode::kIsNan).spelling, "isnan");
}

}  // namespace
}  // namespace alknet::graph::expr
