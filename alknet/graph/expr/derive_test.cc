#include "alknet/graph/expr/derive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/expr/simplify.h"

namespace alknet::graph::expr {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

const std::vector<Variable> kVariables = {{"x", Dtype::kF64, false}, {"y", Dtype::kF64, false}};

Program compiled(std::string_view source) { return compile(source, kVariables, std::vector<std::string>{"output"}); }

struct Gradient {
  double x, y;
};

/// The gradient of `output` at (x, y) for a gradient of the output of `grad`.
Gradient gradient(const std::string& source, double x, double y = 0.7, double grad = 1) {
  const Program program = compiled(source);
  const double output = evaluate(program, std::vector{x, y}).at(0);
  const auto values = evaluate(derive(program, std::vector<std::uint32_t>{0, 1}), std::vector{x, y, output, grad});
  return {values.at(0), values.at(1)};
}

Gradient differences(const std::string& source, double x, double y) {
  const Program program = compiled(source);
  const auto at = [&](double dx, double dy) { return evaluate(program, std::vector{x + dx, y + dy}).at(0); };
  // Five points: the error is of the fourth order.
  const auto slope = [](double h, double m2, double m1, double p1, double p2) {
    return (m2 - 8 * m1 + 8 * p1 - p2) / (12 * h);
  };
  const double h = 1e-3 * std::max(0.1, std::fabs(x));
  const double k = 1e-3 * std::max(0.1, std::fabs(y));
  return {slope(h, at(-2 * h, 0), at(-h, 0), at(h, 0), at(2 * h, 0)),
          slope(k, at(0, -2 * k), at(0, -k), at(0, k), at(0, 2 * k))};
}

void expect_matches(const std::string& source, double x, double y) {
  SCOPED_TRACE(source + " at " + std::to_string(x) + ", " + std::to_string(y));
  const Gradient got = gradient(source, x, y);
  const Gradient expected = differences(source, x, y);
  EXPECT_NEAR(got.x, expected.x, 1e-7 * (1 + std::fabs(expected.x)));
  EXPECT_NEAR(got.y, expected.y, 1e-7 * (1 + std::fabs(expected.y)));
}

TEST(Derive, EveryFunctionOfTheLanguage) {
  // By opcode: sources where it is differentiable on x in (0.1, 3), y in (0.2, 2), away from kinks.
  const std::vector<std::pair<Opcode, std::string>> cases = {
      {Opcode::kConstant, "output = 3 * x"},
      {Opcode::kVariable, "output = x"},
      {Opcode::kCast, "output = f64(f32(x)) * 0 + f64(x) * f64(i32(y * 0 + 4.5))"},
      {Opcode::kNegate, "output = -x"},
      {Opcode::kNot, "output = !(x < -1) ? x * y : 0"},
      {Opcode::kAdd, "output = x + y"},
      {Opcode::kSubtract, "output = x - y"},
      {Opcode::kMultiply, "output = x * y"},
      {Opcode::kDivide, "output = x / y"},
      {Opcode::kRemainder, "output = (x + 10) % 3.9 + 11 % (y + 3.9)"},
      {Opcode::kLess, "output = x < 5 ? x * x : y"},
      {Opcode::kLessEqual, "output = x <= 5 ? x * x : y"},
      {Opcode::kGreater, "output = x > 5 ? x * x : y"},
      {Opcode::kGreaterEqual, "output = x >= 5 ? x * x : y"},
      {Opcode::kEqual, "output = x == 100 ? x : y * x"},
      {Opcode::kNotEqual, "output = x != 100 ? x : y * x"},
      {Opcode::kAnd, "output = x > 0 && y > 0 ? x * y : 0"},
      {Opcode::kOr, "output = x > 100 || y > 100 ? 0 : x * y"},
      {Opcode::kSelect, "output = x > 4 ? y : x * y"},
      {Opcode::kAbs, "output = abs(x) + abs(-3 * y)"},
      {Opcode::kExp, "output = exp(x * y)"},
      {Opcode::kLog, "output = log(x + y)"},
      {Opcode::kSqrt, "output = sqrt(x * y)"},
      {Opcode::kRsqrt, "output = rsqrt(x + y)"},
      {Opcode::kTanh, "output = tanh(x - y)"},
      {Opcode::kErf, "output = erf(x - y)"},
      {Opcode::kMaximum, "output = max(x, y - 5) + max(x - 7, y)"},
      {Opcode::kMinimum, "output = min(x, y - 5) + min(x - 7, y)"},
      {Opcode::kIsNan, "output = isnan(x) ? y : x * y"},
      {Opcode::kSin, "output = sin(x * y)"},
      {Opcode::kCos, "output = cos(x * y)"},
      {Opcode::kTan, "output = tan(x * y * 0.2)"},
      {Opcode::kAsin, "output = asin((x - y) * 0.3)"},
      {Opcode::kAcos, "output = acos((x - y) * 0.3)"},
      {Opcode::kAtan, "output = atan(x / y)"},
      {Opcode::kSinh, "output = sinh(x - y)"},
      {Opcode::kCosh, "output = cosh(x - y)"},
      {Opcode::kAsinh, "output = asinh(x * y - 1)"},
      {Opcode::kAcosh, "output = acosh(1.2 + x * y)"},
      {Opcode::kAtanh, "output = atanh((x - y) * 0.3)"},
      {Opcode::kExp2, "output = exp2(x * y)"},
      {Opcode::kExpm1, "output = expm1(x - y)"},
      {Opcode::kLog2, "output = log2(x + y)"},
      {Opcode::kLog10, "output = log10(x + y)"},
      {Opcode::kLog1p, "output = log1p(x * y)"},
      {Opcode::kErfc, "output = erfc(x - y)"},
      {Opcode::kErfinv, "output = erfinv((x - y) * 0.3)"},
      {Opcode::kLgamma, "output = lgamma(x + y)"},
      {Opcode::kDigamma, "output = digamma(x + y)"},
      {Opcode::kFloor, "output = x * floor(y + 0.35)"},
      {Opcode::kCeil, "output = x * ceil(y + 0.35)"},
      {Opcode::kRound, "output = x * round(y + 0.95)"},
      {Opcode::kTrunc, "output = x * trunc(y + 0.35)"},
      {Opcode::kAtan2, "output = atan2(x - 1, y)"},
      {Opcode::kPow, "output = pow(x, y)"},
      {Opcode::kCopysign, "output = copysign(x, -y) + copysign(-x, y)"},
      {Opcode::kZeta, "output = zeta(2, x) * y + zeta(3, x + y)"},
      {Opcode::kBitAnd, "output = x * f64(i32(y) & 1)"},
      {Opcode::kBitOr, "output = x * f64(i32(y) | 2)"},
      {Opcode::kBitXor, "output = x * f64(i32(y) ^ 3)"},
      {Opcode::kBitNot, "output = x * f64(~i32(y))"},
      {Opcode::kShiftLeft, "output = x * f64(3 << i32(y))"},
      {Opcode::kShiftRight, "output = x * f64(8 >> i32(y))"},
  };
  for (const auto& info : opcode_table()) {
    EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [&](const auto& row) { return row.first == info.opcode; }))
        << "no case for " << info.spelling;
  }
  for (const auto& [opcode, source] : cases) {
    for (const double x : {0.3, 1.1, 2.4}) {
      for (const double y : {0.25, 1.9}) expect_matches(source, x, y);
    }
  }
}

TEST(Derive, Compositions) {
  const std::vector<std::string> sources = {
      "output = 0.5 * x * (1 + erf(x * sqrt(0.5)))",
      "output = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))",
      "var s = 1 / (1 + exp(-x)); output = x * s",
      "var t = x * x; t = t + y; t = t * t; output = log(1 + t) / y",
      "output = max(x, 0) + log(1 + exp(-abs(x)))",
      "var d = x - y; var a = abs(d); output = a < 1 ? 0.5 * d * d : a - 0.5",
      "output = x > 0 ? (y > 0 ? x * y : x + y) : (y > 0 ? exp(x) * y : x - y)",
      "output = min(max(x, -2.5), 2.5) * exp(y * log(abs(x) + 1))",
      "var t = x; t = t * x; var u = t / (1 + t); output = x > y ? u * t : t - u * y",
  };
  for (const auto& source : sources) {
    for (const double x : {-2.2, -0.6, 0.4, 1.7}) {
      for (const double y : {-1.3, 0.9}) {
        if (y < 0 && source.find("log(1 + t)") != std::string::npos) continue;
        expect_matches(source, x, y);
      }
    }
  }
}

// The values that torch 2 gives: autograd of abs, maximum, minimum, relu, hardtanh, sqrt, where.
TEST(Derive, KinksAreAsInPyTorch) {
  EXPECT_EQ(gradient("output = abs(x)", 0).x, 0);
  EXPECT_EQ(gradient("output = max(x, 0)", 0).x, 0);
  EXPECT_EQ(gradient("output = max(x, 0)", 1e-300).x, 1);
  EXPECT_EQ(gradient("output = min(max(x, 0), 6)", 6).x, 0);
  const Gradient larger = gradient("output = max(x, y)", 2, 2, 3);
  EXPECT_EQ(larger.x, 1.5);
  EXPECT_EQ(larger.y, 1.5);
  EXPECT_EQ(gradient("output = min(x, y)", 2, 2).x, 0.5);
  EXPECT_EQ(gradient("output = min(x, y)", 1, 2).x, 1);
  EXPECT_EQ(gradient("output = min(x, y)", 1, 2).y, 0);
  EXPECT_EQ(gradient("output = sqrt(x)", 0).x, kInf);
  EXPECT_EQ(gradient("output = max(x, y)", kNan, 2).x, 1);
  EXPECT_EQ(gradient("output = max(x, y)", kNan, 2).y, 1);
  EXPECT_EQ(gradient("output = max(x, 0)", kNan).x, 1);
  EXPECT_EQ(gradient("output = abs(x)", kNan).x, 0);
}

TEST(Derive, IsFiniteWhereTheLimitIs) {
  EXPECT_EQ(gradient("output = x > 0 ? sqrt(x) : 0", -1).x, 0);
  EXPECT_EQ(gradient("output = x == 0 ? 1 : tanh(x) / x", 0).x, 0);
  EXPECT_EQ(gradient("var safe = x > 0 ? log(x) : 0; output = y > 0 ? safe * y : 0", -1).x, 0);
  EXPECT_EQ(gradient("output = x / y", 1e200, 1e200).y, -1e-200);
  EXPECT_EQ(gradient("output = x / y", 0, 1e-200).y, 0);
  EXPECT_EQ(gradient("output = x / y", 3, kInf).y, 0);
  EXPECT_EQ(gradient("output = tanh(x)", 1000).x, 0);
  EXPECT_EQ(gradient("output = erf(x)", -kInf).x, 0);
  EXPECT_EQ(gradient("output = exp(x)", -kInf).x, 0);
  EXPECT_EQ(gradient("output = rsqrt(x)", kInf).x, 0);
  EXPECT_EQ(gradient("output = log(x)", kInf).x, 0);
}

TEST(Derive, IsLinearInTheGradientOfTheOutput) {
  EXPECT_EQ(gradient("output = x * y", 2, 3, 10).x, 30);
  EXPECT_EQ(gradient("output = x * y", 2, 3, 0).x, 0);
}

TEST(Derive, FoldsZerosAndOnes) {
  const auto text = [](std::string_view source) {
    return source_text(derive(compiled(source), std::vector<std::uint32_t>{0}));
  };
  EXPECT_EQ(text("output = x + y"), "grad_x = grad_output;\n");
  EXPECT_EQ(text("output = 1 * x + 0 * y"), "grad_x = grad_output;\n");
  EXPECT_EQ(text("output = y"), "grad_x = f64(0);\n");
  EXPECT_EQ(text("output = x * 0"), "grad_x = f64(0);\n");
  EXPECT_EQ(text("output = f64(i32(x)) * y"), "grad_x = f64(0);\n");
  EXPECT_EQ(text("output = exp(x)"), "var t2_ = grad_output * output;\ngrad_x = t2_;\n");
  EXPECT_EQ(text("output = x > 0 ? 3 * x : -x"),
            "var t2_ = x > f64(0);\nvar t5_ = -grad_output;\nvar t6_ = grad_output * f64(3);\n"
            "var t7_ = t2_ ? t6_ : t5_;\ngrad_x = t7_;\n");
}

// A value that is used twice at each of 60 steps has 2^60 paths to the output.
TEST(Derive, SizeIsLinearInSteps) {
  std::string source = "var t = x; ";
  for (int i = 0; i < 60; ++i) source += i % 2 == 0 ? "t = t * t; " : "t = (x > 0 ? t : t + t) + t; ";
  const Program program = compiled(source + "output = t");
  EXPECT_LT(derive(program, std::vector<std::uint32_t>{0}).instructions.size(), 8 * program.instructions.size());
}

TEST(Derive, OfSeveralOutputsAddsUp) {
  const Program program = compile("a = x * y; b = a * a + x", kVariables, std::vector<std::string>{"a", "b"});
  const Program derived = derive(program, std::vector<std::uint32_t>{0, 1});
  EXPECT_EQ(derived.variables.at(4).name, "grad_a");
  EXPECT_EQ(derived.outputs.at(1).name, "grad_y");
  const double a = 6, b = 38, grad_a = 10, grad_b = 100;
  const auto values = evaluate(derived, std::vector<double>{2, 3, a, b, grad_a, grad_b});
  EXPECT_EQ(values.at(0), grad_a * 3 + grad_b * (2 * a * 3 + 1));
  EXPECT_EQ(values.at(1), grad_a * 2 + grad_b * 2 * a * 2);
}

TEST(Derive, AgainGivesTheSecondDerivative) {
  // The first derivative reads the output, so the second goes through it as well.
  const Program once = derive(compiled("output = tanh(x)"), std::vector<std::uint32_t>{0});
  const Program twice = derive(once, std::vector<std::uint32_t>{0, 2});
  const double x = 0.4, t = std::tanh(x), slope = 1 - t * t;
  const auto values = evaluate(twice, std::vector<double>{x, 0, t, 1, slope, 1});
  EXPECT_NEAR(values.at(0) + values.at(1) * slope, -2 * t * slope, 1e-15);
}

TEST(SourceText, CompilesAgain) {
  for (const std::string source :
       {"output = x > y && !(x < 2) ? -x : max(x, y) % 3 - 1e-30", "output = f64(f32(abs(x))) * inf + nan",
        "output = isnan(x) || x != y ? -1.5 : erf(y)", "output = 5"}) {
    const Program program = compile(source, kVariables, std::vector<std::string>{"output"}, Dtype::kF64);
    const Program again = compiled(source_text(program));
    for (const double x : {-1.0, 0.5, 3.0, kNan}) {
      const double a = evaluate(program, std::vector<double>{x, 2}).at(0);
      const double b = evaluate(again, std::vector<double>{x, 2}).at(0);
      EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << source << " at " << x;
    }
  }
}

TEST(Simplify, ReplacesKnownVariables) {
  const Program program = compiled("output = x * y + (y > 0 ? y * 2 : x)");
  EXPECT_EQ(source_text(simplify(program, std::vector<std::optional<double>>{std::nullopt, 1.0})),
            "var t2_ = x + f64(2);\noutput = t2_;\n");
  EXPECT_EQ(source_text(simplify(program, std::vector<std::optional<double>>{2.0, -1.0})), "output = f64(0);\n");
}

}  // namespace
}  // namespace alknet::graph::expr
