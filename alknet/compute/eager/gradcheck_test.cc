#include "alknet/compute/eager/gradcheck.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/gradcheck_cases.h"
#include "alknet/compute/eager/gradcheck_operation.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/graph/call_types.h"

namespace alknet::compute {
namespace {

TEST(Gradcheck, HoldsForEveryDifferentiableOperation) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({1}));
  GradcheckReport total;
  std::string without, unsupported;
  for (const graph::OpSpec& op : graph::OpTable::builtin().ops()) {
    if (!is_differentiable(op) || op.test.is_null() || op.kind == graph::OpKind::kRandom ||
        graph::needs_random_state(op, {})) {
      continue;
    }
    std::size_t checked = 0;
    std::string refusal;
    bool lacks_kernel = false;
    for (const GradcheckCase& made : gradcheck_cases(op)) {
      const std::string what = fmt::format("{} {}", op.name, json_text(made.attrs));
      try {
        const auto report = gradcheck_operation(context, op, made);
        if (!report) continue;
        ++checked;
        EXPECT_TRUE(report->passed) << what << ": " << report->worst_at;
        total.add(*report, what);
      } catch (const Error& error) {
        // Shapes that were guessed need not suit, and a device need not have every kernel yet.
        lacks_kernel =
            lacks_kernel || error.code().message() == "unsupported" || error.code().message() == "unknown_op";
        refusal = error.message();
      }
    }
    if (checked > 0) total.ops.insert(op.name);
    // What gradients of pools are made of takes indices that only they make.
    const bool helper = op.name.ends_with("_backward") || op.name.ends_with("_gather");
    if (checked == 0 && lacks_kernel) unsupported += " " + op.name;
    if (checked == 0 && !lacks_kernel && !helper) without += fmt::format("\n  {}: {}", op.name, refusal);
  }
  std::cout << "gradcheck: " << total.summary() << (unsupported.empty() ? "" : "; without a kernel:") << unsupported
            << std::endl;
  EXPECT_TRUE(without.empty()) << "no case in gradcheck_cases.cc suits" << without;
}

TEST(Gradcheck, FindsAWrongGradient) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({1}));
  Tensor x = context.from<double>(std::vector<double>{0.5, 2}, {2}).requires_grad_();
  const auto square = [](std::span<const Tensor> in) { return std::vector{in[0] * in[0]}; };
  const auto half = [](std::span<const Tensor> in) { return std::vector{in[0] * in[0].detach()}; };
  EXPECT_TRUE(gradcheck(square, std::vector{x}, {.second_order = true}).passed);
  const auto report = gradcheck(half, std::vector{x});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.worst_at.find("input 0"), std::string::npos);
}

TEST(Gradcheck, ChecksSecondOrder) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({1}));
  Tensor x = context.from<double>(std::vector<double>{0.5, 2, -1, 1}, {2, 2}).requires_grad_();
  Tensor w = context.from<double>(std::vector<double>{1, 0.3, -0.2, 2}, {2, 2}).requires_grad_();
  const auto network = [](std::span<const Tensor> in) { return std::vector{softmax(tanh(matmul(in[0], in[1])), -1)}; };
  const auto report = gradcheck(network, std::vector{x, w}, {.second_order = true});
  EXPECT_TRUE(report.passed) << report.worst_at;
  EXPECT_EQ(report.elements, 16u);
}

class GradcheckRequestTest : public testing::Test {
 protected:
  Tensor floats(std::vector<float> values, Shape shape) const { return context.from<float>(values, shape); }
  const Context context{std::make_shared<BufferManager>(), make_cpu_backend({1})};
};

TEST_F(GradcheckRequestTest, ChecksAnOperationInDoublePrecision) {
  GradcheckRequest request;
  request.op = "layer_norm";
  request.attrs = {{"normalized_shape", JsonArray{3}}};
  request.inputs = {floats({1, 2, 4, -1, 0.5F, 3}, {2, 3}), floats({1, 2, 3}, {3}), {}};
  const auto report = gradcheck(request);
  EXPECT_TRUE(report.passed) << report.worst_at;
  EXPECT_EQ(report.elements, 9u);
  EXPECT_LT(report.worst, 1e-9);
  const Json json = report.to_json();
  EXPECT_EQ(json.at("ops"), (Json(JsonArray{"layer_norm"})));
  EXPECT_EQ(json.at("cases"), 1);
}

TEST_F(GradcheckRequestTest, ChecksAGraphByNamesAndItsSecondOrder) {
  graph::GraphBuilder g;
  const auto rows = graph::Dim::symbol("rows");
  const auto x = g.input("x", Dtype::kF32, {rows, 2}), w = g.input("w", Dtype::kF32, {2, 2});
  const auto labels = g.input("labels", Dtype::kI64, {rows});
  const auto logits = g.node("tanh", {g.node("matmul", {x, w})});
  g.output("logits", logits);
  g.output("loss", g.node("cross_entropy", {logits, labels}));
  GradcheckRequest request;
  request.graph = std::move(g).build();
  request.inputs = {floats({1, -0.5F, 0.3F, 2}, {2, 2}), floats({0.1F, 1, -1, 0.7F}, {2, 2}),
                    context.from<std::int64_t>(std::vector<std::int64_t>{1, 0}, {2})};
  request.outputs = {"loss"};
  request.wrt = {"w"};
  request.options.second_order = true;
  const auto report = gradcheck(request);
  EXPECT_TRUE(report.passed) << report.worst_at;
  EXPECT_EQ(report.elements, 8u);
  EXPECT_TRUE(report.ops.contains("cross_entropy"));

  request.wrt = {"v"};
  EXPECT_EQ(code_of([&] { gradcheck(request); }), "unknown_ref");
  request.wrt = {};
  request.outputs = {"y"};
  EXPECT_EQ(code_of([&] { gradcheck(request); }), "unknown_ref");
  request.inputs.pop_back();
  EXPECT_EQ(code_of([&] { gradcheck(request); }), "missing_input");
}

TEST_F(GradcheckRequestTest, FindsAWrongGradientOfARegisteredOperation) {
  Json entry = graph::expression_entry("cube", "output = x * x * x", std::array<std::string, 1>{"x"});
  const auto right = graph::OpTable::builtin().with(entry);
  GradcheckRequest request;
  request.op = "cube";
  request.inputs = {floats({1, 2}, {2})};
  EXPECT_TRUE(gradcheck(request, right).passed);
  entry.as_object()["backward"] = {{"x", "grad_output * x * x"}};
  const auto report = gradcheck(request, graph::OpTable::builtin().with(entry));
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.worst_at.find("x, element"), std::string::npos) << report.worst_at;
}

TEST_F(GradcheckRequestTest, RefusesGraphsThatAssign) {
  graph::GraphBuilder g;
  const auto x = g.input("x", Dtype::kF32, {});
  graph::State state;
  state.name = "s";
  state.init = Json(0);
  g.output("y", g.node("assign", {g.state(state), x}));
  GradcheckRequest request;
  request.graph = std::move(g).build();
  request.inputs = {floats({1}, {})};
  EXPECT_EQ(code_of([&] { gradcheck(request); }), "unsupported");
}

}  // namespace
}  // namespace alknet::compute
