#include "alknet/compute/eager/gradcheck.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/gradcheck_cases.h"
#include "alknet/compute/eager/gradcheck_operation.h"
#include "alknet/compute/eager/operations.h"

namespace alknet::compute {
namespace {

TEST(Gradcheck, HoldsForEveryDifferentiableOperation) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({1}));
  std::size_t operations = 0, cases = 0, elements = 0;
  double worst = 0;
  std::string worst_at, without, unsupported;
  for (const graph::OpSpec& op : graph::OpTable::builtin().ops()) {
    if (!is_differentiable(op) || op.test.is_null() || op.kind == graph::OpKind::kRandom ||
        op.input("rng") != nullptr) {
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
        elements += report->elements;
        EXPECT_TRUE(report->passed) << what << ": " << report->worst_at;
        if (report->worst > worst) {
          worst = report->worst;
          worst_at = what;
        }
      } catch (const Error& error) {
        // Shapes that were guessed need not suit, and a device need not have every kernel yet.
        lacks_kernel =
            lacks_kernel || error.code().message() == "unsupported" || error.code().message() == "unknown_op";
        refusal = error.message();
      }
    }
    operations += checked > 0 ? 1 : 0;
    cases += checked;
    // What gradients of pools are made of takes indices that only they make.
    const bool helper = op.name.ends_with("_backward") || op.name.ends_with("_gather");
    if (checked == 0 && lacks_kernel) unsupported += " " + op.name;
    if (checked == 0 && !lacks_kernel && !helper) without += fmt::format("\n  {}: {}", op.name, refusal);
  }
  std::string summary = fmt::format("gradcheck: {} operations, {} cases, {} derivatives, worst error {:.1e} ({})",
                                    operations, cases, elements, worst, worst_at);
  std::cout << summary << (unsupported.empty() ? "" : "; without a kernel:") << unsupported << std::endl;
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

}  // namespace
}  // namespace alknet::compute
