#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "alknet/base/error.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/graph/gradient.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::OpTable;
using graph::Ref;
using ::testing::HasSubstr;

// An operation that the program does not know, from one string: x sin(y) + softplus(x).
const std::array<std::string, 2> kInputs = {"x", "y"};
constexpr const char* kExpression = "output = x * sin(y) + max(x, 0) + log1p(exp(-abs(x)))";

double expected(double x, double y) { return x * std::sin(y) + std::log1p(std::exp(x)); }
double expected_by_x(double x, double y) { return std::sin(y) + 1 / (1 + std::exp(-x)); }

class RegisteredOperation : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      backend = devices.open(GetParam());
    } catch (const Error& error) {
      GTEST_SKIP() << error.message();
    }
    context.emplace(std::make_shared<BufferManager>(), backend);
  }

  std::vector<Tensor> run(const graph::Graph& graph, const OpTable& ops) {
    plan = Plan::compile(graph, backend, {}, ops);
    Session session(plan, Store(*context));
    const std::array inputs = {context->from<float>(kX, {5}), context->from<float>(kY, {5})};
    return session.run(inputs);
  }

  const std::vector<float> kX = {-30, -1, 0.25F, 0.5F, 20}, kY = {0.3F, 2, -1, 100, 5};
  Devices devices;
  std::shared_ptr<Backend> backend;
  std::optional<Context> context;
  std::shared_ptr<const Plan> plan;
};

TEST_P(RegisteredOperation, ComputesFusesAndDifferentiates) {
  const OpTable ops = OpTable::builtin().with(graph::expression_entry("wobble", kExpression, kInputs));
  EXPECT_EQ(OpTable::builtin().find("wobble"), nullptr);
  GraphBuilder g(ops);
  const Ref x = g.input("x", Dtype::kF32, {5});
  const Ref y = g.input("y", Dtype::kF32, {5});
  const Ref wobble = g.node("wobble", {x, y});
  g.output("z", g.node("mul", {wobble, Scalar::of(2.0)}));
  const auto z = run(std::move(g).build(), ops).at(0).to_vector<float>();
  EXPECT_EQ(plan->program().steps.size(), 1U);
  EXPECT_THAT(plan->dump(), HasSubstr("wobble+mul"));
  for (std::size_t i = 0; i < z.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(z[i]), 2 * expected(static_cast<double>(kX[i]), static_cast<double>(kY[i])), 2e-5);
  }
}

TEST_P(RegisteredOperation, HasADerivedGradient) {
  const OpTable ops = OpTable::builtin().with(graph::expression_entry("wobble", kExpression, kInputs));
  GraphBuilder g(ops);
  const Ref x = g.input("x", Dtype::kF32, {5});
  const Ref y = g.input("y", Dtype::kF32, {5});
  g.output("total", g.node("sum", {g.node("wobble", {x, y})}));
  const std::vector<std::string> outputs = {"total"}, wrt = {"x", "y"};
  const auto results = run(graph::grad(std::move(g).build(), {outputs, wrt}, ops), ops);
  const auto by_x = results.at(1).to_vector<float>(), by_y = results.at(2).to_vector<float>();
  for (std::size_t i = 0; i < by_x.size(); ++i) {
    const auto a = static_cast<double>(kX[i]), b = static_cast<double>(kY[i]);
    EXPECT_NEAR(static_cast<double>(by_x[i]), expected_by_x(a, b), 1e-5);
    EXPECT_NEAR(static_cast<double>(by_y[i]), a * std::cos(b), 1e-5);
  }
}

// Kernels are kept by what an operation says: its table may be gone.
TEST_P(RegisteredOperation, MayChangeItsMeaningInAnotherTable) {
  for (const double factor : {3.0, 4.0}) {
    const std::string expression = "output = " + std::to_string(factor) + " * x + y";
    const OpTable ops = OpTable::builtin().with(graph::expression_entry("wobble", expression, kInputs));
    GraphBuilder g(ops);
    const Ref x = g.input("x", Dtype::kF32, {5});
    const Ref y = g.input("y", Dtype::kF32, {5});
    g.output("z", g.node("wobble", {x, y}));
    EXPECT_EQ(run(std::move(g).build(), ops).at(0).to_vector<float>().at(1), static_cast<float>(2 - factor));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, RegisteredOperation, ::testing::Values("cpu", "gpu:0"),
                         [](const auto& device) { return std::string(device.param).substr(0, 3); });

TEST(OpTableWith, RefusesWhatIsTakenOrWrong) {
  const auto refuses = [](std::string_view name, std::string_view expression) {
    try {
      OpTable::builtin().with(graph::expression_entry(name, expression, kInputs));
      ADD_FAILURE() << "accepted " << expression;
    } catch (const Error& error) {
      EXPECT_EQ(error.code_name(), "op_table_invalid");
    }
  };
  refuses("add", "output = x + y");
  refuses("multiply", "output = x * y");
  refuses("wobble", "output = x + z");
  refuses("wobble", "x + y");
  refuses("Wobble", "output = x + y");
}

}  // namespace
}  // namespace alknet::compute
