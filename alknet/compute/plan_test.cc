#include "alknet/compute/plan.h"

#include <gtest/gtest.h>

#include <numeric>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/session.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

class PlanTest : public testing::Test {
 protected:
  Tensor floats(std::vector<float> values, Shape shape) { return context.from<float>(values, std::move(shape)); }

  Session session(GraphBuilder&& builder, Store store, bool fuse = true) {
    CompileOptions options;
    options.fuse = fuse;
    plan = Plan::compile(std::move(builder).build(), backend, options);
    return Session(plan, std::move(store));
  }
  Session session(GraphBuilder&& builder, bool fuse = true) {
    return session(std::move(builder), Store(context), fuse);
  }

  std::shared_ptr<Backend> backend = make_cpu_backend({2});
  Context context{std::make_shared<BufferManager>(), backend};
  std::shared_ptr<const Plan> plan;
};

/// relu(x * w + b) without relu: max(x w + b, 0), w read from the store.
GraphBuilder affine() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 2});
  const Ref w = g.state("w", Dtype::kF32, {2, 3});
  const Ref b = g.state("b", Dtype::kF32, {3});
  const Ref y = g.node("add", {g.node("matmul", {x, w}), b});
  g.output("y", g.node("maximum", {y, Scalar::of(0.0)}));
  return g;
}

Store affine_store(Context& context) {
  Store store(context);
  store.set("w", context.from<float>(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}));
  store.set("b", context.from<float>(std::vector<float>{10, -100, 0}, {3}));
  return store;
}

TEST_F(PlanTest, RunsAGraphOnAStore) {
  Session s = session(affine(), affine_store(context));
  const auto y = s.run(std::array{floats({1, 1, -1, 2}, {2, 2})});
  EXPECT_EQ(y.at(0).shape(), (Shape{2, 3}));
  EXPECT_EQ(y.at(0).to_vector<float>(), (std::vector<float>{15, 0, 9, 17, 0, 9}));
}

TEST_F(PlanTest, FusesBiasAndActivationIntoTheMatrixProduct) {
  Session s = session(affine(), affine_store(context));
  EXPECT_EQ(plan->program().steps.size(), 1u) << plan->dump();
  EXPECT_EQ(plan->program().steps[0].computation.name(), "matmul+add+maximum");
}

TEST_F(PlanTest, GivesTheSameWithoutFusion) {
  const auto x = floats({1, 1, -1, 2, 0.5f, 0}, {3, 2});
  Session fused = session(affine(), affine_store(context));
  const auto expected = fused.run(std::array{x}).at(0).to_vector<float>();
  Session plain = session(affine(), affine_store(context), false);
  EXPECT_EQ(plan->program().steps.size(), 3u);
  EXPECT_EQ(plain.run(std::array{x}).at(0).to_vector<float>(), expected);
}

TEST_F(PlanTest, ReplaysForNewSizesWithoutCompiling) {
  Session s = session(affine(), affine_store(context));
  const auto compiled = backend->statistics().kernels_compiled;
  for (std::int64_t n : {1, 5, 2, 5, 1, 0}) {
    const auto y = s.run(std::array{floats(std::vector<float>(static_cast<std::size_t>(2 * n), 1.0f), {n, 2})});
    EXPECT_EQ(y.at(0).shape(), (Shape{n, 3}));
    if (n > 0) {
      EXPECT_EQ(y.at(0).to_vector<float>()[0], 15.0f);
    }
  }
  EXPECT_EQ(backend->statistics().kernels_compiled, compiled);
  EXPECT_EQ(s.bindings_made(), 4u);  // 1, 5, 2 and 0 rows
}

TEST_F(PlanTest, TakesStridedInputs) {
  Session s = session(affine(), affine_store(context));
  const Tensor x = floats({1, -1, 1, 2}, {2, 2}).view("transpose", {{"dim0", 0}, {"dim1", 1}});
  EXPECT_EQ(s.run(std::array{x}).at(0).to_vector<float>(), (std::vector<float>{15, 0, 9, 17, 0, 9}));
}

TEST_F(PlanTest, CopiesBeforeAReshapeOfAStridedValue) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2, 3});
  const Ref t = g.node("transpose", {x}, {{"dim0", 0}, {"dim1", 1}});
  g.output("y", g.node("reshape", {t}, {{"shape", JsonArray{6}}}));
  Session s = session(std::move(g));
  EXPECT_EQ(s.run(std::array{floats({0, 1, 2, 3, 4, 5}, {2, 3})}).at(0).to_vector<float>(),
            (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST_F(PlanTest, ReshapesAStridedInput) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {3, 2});
  g.output("y", g.node("reshape", {x}, {{"shape", JsonArray{6}}}));
  Session s = session(std::move(g));
  const Tensor x_value = floats({0, 1, 2, 3, 4, 5}, {2, 3}).view("transpose", {{"dim0", 0}, {"dim1", 1}});
  EXPECT_EQ(s.run(std::array{x_value}).at(0).to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST_F(PlanTest, GivesFreshOutputsEvenForInputsAndTwice) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2});
  const Ref y = g.node("add", {x, Scalar::of(1.0)});
  g.output("same", x);
  g.output("y", y);
  g.output("again", y);
  Session s = session(std::move(g));
  const Tensor x_value = floats({1, 2}, {2});
  const auto out = s.run(std::array{x_value});
  EXPECT_NE(out[0].buffer(), x_value.buffer());
  EXPECT_NE(out[1].buffer(), out[2].buffer());
  EXPECT_EQ(out[0].to_vector<float>(), (std::vector<float>{1, 2}));
  EXPECT_EQ(out[1].to_vector<float>(), (std::vector<float>{2, 3}));
  EXPECT_EQ(out[2].to_vector<float>(), (std::vector<float>{2, 3}));
}

TEST_F(PlanTest, WritesIntoGivenOutputs) {
  Session s = session(affine(), affine_store(context));
  const Tensor out = context.empty(Dtype::kF32, {1, 3});
  const auto y = s.run(std::array{floats({1, 1}, {1, 2})}, std::array{out});
  EXPECT_EQ(y.at(0).buffer(), out.buffer());
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{15, 0, 9}));
  EXPECT_EQ(code_of([&] {
              s.run(std::array{floats({1, 1}, {1, 2})}, std::array{context.empty(Dtype::kF32, {2, 3})});
            }),
            "shape_mismatch");
}

TEST_F(PlanTest, RefusesWrongInputs) {
  Session s = session(affine(), affine_store(context));
  EXPECT_EQ(code_of([&] { s.run({}); }), "missing_input");
  EXPECT_EQ(code_of([&] { s.run(std::array{Tensor()}); }), "missing_input");
  EXPECT_EQ(code_of([&] { s.run(std::array{floats({1, 2, 3}, {1, 3})}); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] {
              s.run(std::array{context.from<std::int32_t>(std::vector<std::int32_t>{1, 2}, {1, 2})});
            }),
            "shape_mismatch");
}

TEST_F(PlanTest, NamesAllParametersThatTheStoreLacks) {
  const auto compiled = Plan::compile(affine().build(), backend);
  try {
    Session(compiled, Store(context));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "missing_parameter");
    EXPECT_NE(error.message().find("w, b"), std::string::npos) << error.message();
  }
}

TEST_F(PlanTest, RefusesAParameterOfAnotherShape) {
  Store store = affine_store(context);
  store.set("w", floats({1, 2}, {2, 1}));
  EXPECT_EQ(code_of([&] { Session(Plan::compile(affine().build(), backend), store); }), "shape_mismatch");
}

TEST_F(PlanTest, ChecksTheRangeOfDimensions) {
  GraphBuilder g = affine();
  g.dim("n", 1, 4);
  Session s = session(std::move(g), affine_store(context));
  EXPECT_EQ(code_of([&] { s.run(std::array{floats(std::vector<float>(10), {5, 2})}); }), "dim_invalid");
}

TEST_F(PlanTest, ReusesArenaMemoryAlongAChain) {
  GraphBuilder g;
  Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n")});
  for (int i = 0; i < 10; ++i) x = g.node("add", {x, Scalar::of(1.0)});
  g.output("y", x);
  Session s = session(std::move(g), false);
  EXPECT_EQ(plan->program().steps.size(), 10u);
  EXPECT_LE(plan->program().slots.arena, 2u) << plan->dump();
  EXPECT_EQ(s.run(std::array{floats({0, 5}, {2})}).at(0).to_vector<float>(), (std::vector<float>{10, 15}));
}

TEST_F(PlanTest, FusesAChainIntoOneKernel) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n")});
  const Ref y = g.node("sqrt", {g.node("mul", {x, x})});
  g.output("y", g.node("div", {g.node("add", {y, x}), Scalar::of(2.0)}));
  Session s = session(std::move(g));
  EXPECT_EQ(plan->program().steps.size(), 1u) << plan->dump();
  EXPECT_EQ(s.run(std::array{floats({3, -4}, {2})}).at(0).to_vector<float>(), (std::vector<float>{3, 0}));
}

TEST_F(PlanTest, KeepsAValueThatIsUsedTwice) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2, 2});
  const Ref p = g.node("matmul", {x, x});
  g.output("sum", g.node("add", {p, Scalar::of(1.0)}));
  g.output("product", g.node("mul", {p, p}));
  Session s = session(std::move(g));
  const auto out = s.run(std::array{floats({1, 2, 3, 4}, {2, 2})});
  EXPECT_EQ(out[0].to_vector<float>(), (std::vector<float>{8, 11, 16, 23}));
  EXPECT_EQ(out[1].to_vector<float>(), (std::vector<float>{49, 100, 225, 484}));
}

TEST_F(PlanTest, DropsWhatNoOutputNeeds) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2});
  g.node("sqrt", {g.node("add", {x, Scalar::of(1.0)})});
  g.output("y", g.node("mul", {x, Scalar::of(2.0)}));
  Session s = session(std::move(g));
  EXPECT_EQ(plan->program().steps.size(), 1u);
}

TEST_F(PlanTest, InsertsTheCastsThatPromotionImplies) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kI32, {3});
  const Ref y = g.input("y", Dtype::kF32, {3});
  g.output("z", g.node("add", {x, y}));
  Session s = session(std::move(g));
  const auto x_value = context.from<std::int32_t>(std::vector<std::int32_t>{1, 2, 3}, {3});
  EXPECT_EQ(s.run(std::array{x_value, floats({.5f, .5f, .5f}, {3})}).at(0).to_vector<float>(),
            (std::vector<float>{1.5f, 2.5f, 3.5f}));
}

TEST_F(PlanTest, ReportsEveryProblemOfAnInvalidGraph) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2, 3});
  g.output("a", g.node("matmul", {x, x}));
  g.output("b", g.node("no_such_op", {x}));
  try {
    Plan::compile(std::move(g).build(), backend);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "graph_invalid");
    EXPECT_NE(error.message().find("matmul"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("no_such_op"), std::string::npos) << error.message();
  }
}

TEST_F(PlanTest, NamesTheOpWhoseIndexIsOutOfRangeAndStaysUsable) {
  GraphBuilder g;
  const Ref ids = g.input("ids", Dtype::kI32, {Dim::symbol("n")});
  const Ref table = g.input("table", Dtype::kF32, {3, 2});
  g.output("rows", g.node("embedding", {table, ids}));
  Session s = session(std::move(g));
  const auto table_value = floats({0, 1, 2, 3, 4, 5}, {3, 2});
  const auto indices = [&](std::vector<std::int32_t> values) {
    const auto n = static_cast<std::int64_t>(values.size());
    return context.from<std::int32_t>(values, {n});
  };
  EXPECT_EQ(code_of([&] { s.run(std::array{indices({0, 3}), table_value}).at(0).read(); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { s.run(std::array{indices({-1}), table_value}).at(0).read(); }), "index_out_of_range");
  EXPECT_EQ(s.run(std::array{indices({2, 0}), table_value}).at(0).to_vector<float>(), (std::vector<float>{4, 5, 0, 1}));
}

}  // namespace
}  // namespace alknet::compute
