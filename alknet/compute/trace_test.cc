#include "alknet/compute/trace.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "alknet/base/testing.h"
#include "alknet/compute/session.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

class TraceTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      context.emplace(GetParam());
      backend = context->backend();
    } catch (const Error& error) {
      GTEST_SKIP() << error.message();
    }
  }

  /// log(x) summed along rows, then the root of that.
  std::shared_ptr<const Plan> compile(const CompileOptions& options) {
    GraphBuilder g;
    const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 4});
    Ref sum;
    {
      const auto scope = g.scope("head");
      sum = g.node("sum", {g.node("log", {x})}, {{"dim", JsonArray{1}}});
    }
    const auto scope = g.scope("tail");
    g.output("y", g.node("sqrt", {sum}));
    return Plan::compile(std::move(g).build(), backend, options);
  }
  Tensor rows(const std::vector<float>& values) {
    return context->from<float>(values, {static_cast<std::int64_t>(values.size() / 4), 4});
  }

  std::optional<Context> context;
  std::shared_ptr<Backend> backend;
};

INSTANTIATE_TEST_SUITE_P(Devices, TraceTest, testing::Values("cpu", "gpu:0"),
                         [](const auto& device) { return std::string(device.param).substr(0, 3); });

TEST_P(TraceTest, HoldsEachKernelOfARun) {
  const auto plan = compile({});
  const auto trace = std::make_shared<Trace>();
  Session session(plan, Store(*context), {.trace = trace});
  session.run(std::array{rows({1, 2, 3, 4})});
  const Json json = trace->to_json();
  const auto& events = json.at("traceEvents").as_array();
  ASSERT_EQ(events.size(), plan->program().steps.size());
  EXPECT_EQ(events[0].at("name").as_string(), plan->program().steps[0].computation.name());
  EXPECT_EQ(events[0].at("ph").as_string(), "X");
  EXPECT_GE(events[1].at("ts").as_double(), events[0].at("ts").as_double() + events[0].at("dur").as_double());
  EXPECT_EQ(events[0].at("args").at("shape"), (Json(JsonArray{1, 4})));
  EXPECT_EQ(session.measured().size(), events.size());
}

TEST_P(TraceTest, DumpsKernelsWithTheirParts) {
  const auto plan = compile({});
  const std::string symbolic = plan->dump();
  EXPECT_NE(symbolic.find("sum+sqrt"), std::string::npos) << symbolic;
  EXPECT_NE(symbolic.find("head"), std::string::npos) << symbolic;
  EXPECT_NE(symbolic.find("tail"), std::string::npos) << symbolic;
  EXPECT_NE(symbolic.find("32*n bytes"), std::string::npos) << symbolic;
  const std::array seconds = {0.5, 0.25};
  const std::string known = plan->dump({{"n", 1024}}, seconds);
  EXPECT_NE(known.find("32.0 KiB, predicted"), std::string::npos) << known;
  EXPECT_NE(known.find("measured 750000.0 us"), std::string::npos) << known;
}

TEST_P(TraceTest, NamesTheFirstOperationToMakeANan) {
  Session session(compile({.watch = Watch::kNan}), Store(*context));
  EXPECT_EQ(session.run(std::array{rows({1, 1, 1, 1})})[0].to_vector<float>(), std::vector<float>{0});
  const Error root = error_of([&] { session.run(std::array{rows({0.5f, 1, 1, 1})}); });
  EXPECT_EQ(root.code_name(), "not_finite");
  EXPECT_EQ(root.details().at("op").as_string(), "sqrt");
  EXPECT_EQ(root.details().at("path").as_string(), "tail");
  const Error log = error_of([&] { session.run(std::array{rows({1, 1, 1, 1, 2, 2, -2, 2})}); });
  EXPECT_EQ(log.details().at("op").as_string(), "log");
  EXPECT_EQ(log.details().at("path").as_string(), "head");
}

TEST_P(TraceTest, NamesTheFirstOperationToMakeAnInfinityWhenAskedTo) {
  const Tensor zero = rows({0, 1, 1, 1});
  Session nan(compile({.watch = Watch::kNan}), Store(*context));
  EXPECT_EQ(error_of([&] { nan.run(std::array{zero}); }).details().at("op").as_string(), "sqrt");
  Session all(compile({.watch = Watch::kNonFinite}), Store(*context));
  EXPECT_EQ(error_of([&] { all.run(std::array{zero}); }).details().at("op").as_string(), "log");
}

}  // namespace
}  // namespace alknet::compute
