#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/session.h"
#include "alknet/graph/initializer.h"
#include "alknet/graph/philox.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;
using graph::StateScope;
using Floats = std::vector<float>;

class StateTest : public testing::Test {
 protected:
  Tensor floats(const Floats& values, Shape shape) { return context.from<float>(values, std::move(shape)); }
  Tensor number(std::int32_t value) { return context.from<std::int32_t>(std::array{value}, {}); }

  std::shared_ptr<const Plan> compile(GraphBuilder&& builder) {
    return Plan::compile(std::move(builder).build(), backend);
  }

  std::shared_ptr<Backend> backend = make_cpu_backend({2});
  Context context{std::make_shared<BufferManager>(), backend};
  Store store{context, 42};
};

/// total += x; returns the new total and the old one.
GraphBuilder accumulate(StateScope scope = StateScope::kStore) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {3});
  const Ref total = g.state({"total", Dtype::kF32, {3}, scope, false, "zeros"});
  g.output("old", total);
  g.output("new", g.node("assign", {total, g.node("add", {total, x})}));
  return g;
}

TEST_F(StateTest, KeepsWhatAnAssignWroteForTheNextRun) {
  Session s(compile(accumulate()), store);
  auto out = s.run(std::array{floats({1, 2, 3}, {3})});
  EXPECT_EQ(out[0].to_vector<float>(), (Floats{0, 0, 0}));
  EXPECT_EQ(out[1].to_vector<float>(), (Floats{1, 2, 3}));
  out = s.run(std::array{floats({1, 1, 1}, {3})});
  EXPECT_EQ(out[0].to_vector<float>(), (Floats{1, 2, 3}));
  EXPECT_EQ(out[1].to_vector<float>(), (Floats{2, 3, 4}));
  EXPECT_EQ(store.find("total").to_vector<float>(), (Floats{2, 3, 4}));
}

TEST_F(StateTest, SharesAStoreAmongSessionsOfSeveralPlans) {
  Session train(compile(accumulate()), store);
  GraphBuilder g;
  const Ref total = g.state("total", Dtype::kF32, {3});
  g.output("doubled", g.node("mul", {total, Scalar::of(2.0)}));
  Session eval(compile(std::move(g)), store);
  train.run(std::array{floats({1, 2, 3}, {3})});
  EXPECT_EQ(eval.run({})[0].to_vector<float>(), (Floats{2, 4, 6}));
}

/// y = x w, enough rows for a kernel that packs w.
GraphBuilder product() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {40, 3});
  g.output("y", g.node("matmul", {x, g.state("w", Dtype::kF32, {3, 2})}));
  return g;
}

TEST_F(StateTest, ReadsWeightsAnewAfterEachKindOfWrite) {
  const Tensor weights = floats({1, 2, 3, 4, 5, 6}, {3, 2});
  store.set("w", weights);
  const Tensor x = floats(Floats(120, 1), {40, 3});
  Session reads(compile(product()), store);
  const auto first_row = [&] {
    const Floats y = reads.run(std::array{x})[0].to_vector<float>();
    return Floats(y.begin(), y.begin() + 2);
  };
  for (int run = 0; run < 3; ++run) EXPECT_EQ(first_row(), (Floats{9, 12}));

  GraphBuilder g;
  const Ref w = g.state("w", Dtype::kF32, {3, 2});
  g.output("w", g.node("assign", {w, g.node("mul", {w, Scalar::of(2.0)})}));
  Session doubles(compile(std::move(g)), store);
  doubles.run({});
  for (int run = 0; run < 3; ++run) EXPECT_EQ(first_row(), (Floats{18, 24}));

  weights.write(std::as_bytes(std::span<const float>(Floats{1, 0, 1, 0, 1, 0})));
  for (int run = 0; run < 3; ++run) EXPECT_EQ(first_row(), (Floats{3, 0}));

  weights.assign(floats({0, 1, 0, 1, 0, 1}, {3, 2}));
  for (int run = 0; run < 3; ++run) EXPECT_EQ(first_row(), (Floats{0, 3}));
}

TEST_F(StateTest, ForgetsWhatItKeptOfMemoryThatOthersGet) {
  const Tensor x = floats(Floats(120, 1), {40, 3});
  for (const float value : {1.0F, 2.0F}) {  // the second takes its memory from the pool
    Store own(context);
    own.set("w", floats(Floats(6, value), {3, 2}).clone());
    Session reads(compile(product()), own);
    for (int run = 0; run < 3; ++run) {
      EXPECT_EQ(reads.run(std::array{x})[0].to_vector<float>()[0], 3 * value);
    }
  }
}

TEST_F(StateTest, GivesEachSessionItsOwnStatesOfThatScope) {
  const auto plan = compile(accumulate(StateScope::kSession));
  Session a(plan, store), b(plan, store);
  a.run(std::array{floats({1, 2, 3}, {3})});
  EXPECT_EQ(b.run(std::array{floats({1, 1, 1}, {3})})[1].to_vector<float>(), (Floats{1, 1, 1}));
  EXPECT_FALSE(store.find("total"));
}

TEST_F(StateTest, TakesOverTheStatesOfAnEarlierSession) {
  Session first(compile(accumulate(StateScope::kSession)), store);
  first.run(std::array{floats({1, 2, 3}, {3})});
  Session second(compile(accumulate(StateScope::kSession)), store, {.previous = &first});
  EXPECT_EQ(second.run(std::array{floats({1, 1, 1}, {3})})[1].to_vector<float>(), (Floats{2, 3, 4}));
}

TEST_F(StateTest, RefusesToAssignToMappedMemoryWhenTheSessionOpens) {
  const Floats mapped = {5, 6, 7};
  store.set("total", context.wrap(Dtype::kF32, {3}, SharedBytes::copy(std::as_bytes(std::span(mapped)))));
  EXPECT_EQ(code_of([&] { Session(compile(accumulate()), store); }), "read_only");
  Store copies = store.writable();
  Session s(compile(accumulate()), copies);
  s.run(std::array{floats({1, 2, 3}, {3})});
  EXPECT_EQ(store.find("total").to_vector<float>(), mapped);
  EXPECT_EQ(copies.find("total").to_vector<float>(), (Floats{6, 8, 10}));
}

TEST_F(StateTest, BeginsAsTheInitialiserSays) {
  GraphBuilder g;
  g.state({"b", Dtype::kI64, {2}, StateScope::kStore, true, Json(7)});
  const Ref w = g.state({"w", Dtype::kF32, {3}, StateScope::kStore, true, JsonObject{{"name", "normal"}, {"std", 2}}});
  g.output("w", w);
  Session s(compile(std::move(g)), store);
  EXPECT_EQ(store.find("b").to_vector<std::int64_t>(), (std::vector<std::int64_t>{7, 7}));
  const auto drawn = store.find("w").to_vector<float>();
  const auto pair =
      graph::unit_normals(graph::random_word(42, 0, 0x80000001U, 0), graph::random_word(42, 0, 0x80000001U, 1));
  EXPECT_EQ(drawn[0], static_cast<float>(2 * pair[0]));
  EXPECT_EQ(drawn[1], static_cast<float>(2 * pair[1]));
  EXPECT_EQ(s.run({})[0].to_vector<float>(), drawn);
}

/// A cache [heads, length, 2] that takes `x` at `position` and is read up to there.
GraphBuilder cache() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2, Dim::symbol("n"), 2});
  g.input("position", Dtype::kI32, {});
  const Ref kept = g.state({"kept", Dtype::kF32, {2, Dim::symbol("length"), 2}, StateScope::kSession, false, {}});
  const Ref filled = g.node("assign", {kept, x}, {{"at", JsonArray{0, "position", 0}}});
  const Ref seen = g.node("slice", {filled}, {{"dim", 1}, {"start", 0}, {"end", "position + n"}});
  g.output("sum", g.node("sum", {seen}, {{"dim", JsonArray{1}}}));
  return g;
}

TEST_F(StateTest, WritesAPartAtAPlaceThatAnInputSays) {
  Session s(compile(cache()), store, {.dims = {{"length", 4}}});
  auto sum = s.run(std::array{floats({1, 2, 3, 4, 10, 20, 30, 40}, {2, 2, 2}), number(0)});
  EXPECT_EQ(sum[0].to_vector<float>(), (Floats{4, 6, 40, 60}));
  sum = s.run(std::array{floats({1, 1, 1, 1}, {2, 1, 2}), number(2)});
  EXPECT_EQ(sum[0].to_vector<float>(), (Floats{5, 7, 41, 61}));
  sum = s.run(std::array{floats({1, 1, 1, 1}, {2, 1, 2}), number(3)});
  EXPECT_EQ(sum[0].to_vector<float>(), (Floats{6, 8, 42, 62}));
  EXPECT_EQ(s.state(0).to_vector<float>(), (Floats{1, 2, 3, 4, 1, 1, 1, 1, 10, 20, 30, 40, 1, 1, 1, 1}));
  EXPECT_EQ(s.bindings_made(), 2u);
}

TEST_F(StateTest, ChecksThatAPartLiesInsideBeforeItRuns) {
  Session s(compile(cache()), store, {.dims = {{"length", 4}}});
  const auto x = floats({1, 1, 1, 1}, {2, 1, 2});
  EXPECT_EQ(code_of([&] { s.run(std::array{x, number(4)}); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { s.run(std::array{x, number(-1)}); }), "index_out_of_range");
  EXPECT_EQ(s.state(0).to_vector<float>(), Floats(16, 0));
  EXPECT_EQ(s.run(std::array{x, number(3)})[0].to_vector<float>(), (Floats{1, 1, 1, 1}));
}

TEST_F(StateTest, NeedsTheDimensionsOfItsOwnStates) {
  EXPECT_EQ(code_of([&] { Session(compile(cache()), store); }), "dim_unbound");
}

TEST_F(StateTest, RefusesInputsInTheMemoryOfAnAssignedState) {
  Session s(compile(accumulate()), store);
  EXPECT_EQ(code_of([&] { s.run(std::array{store.find("total")}); }), "invalid_argument");
}

TEST_F(StateTest, ReadsAStateThatItTurnsBeforeItWrites) {
  GraphBuilder g;
  const Ref w = g.state({"w", Dtype::kF32, {2, 2}, StateScope::kStore, false, {}});
  const Ref turned = g.node("transpose", {w}, {{"dim0", 0}, {"dim1", 1}});
  g.node("assign", {w, g.node("add", {turned, Scalar::of(1.0)})});
  store.set("w", floats({1, 2, 3, 4}, {2, 2}));
  const auto plan = compile(std::move(g));
  Session(plan, store).run({});
  EXPECT_EQ(store.find("w").to_vector<float>(), (Floats{2, 4, 3, 5})) << plan->dump();
}

/// Adam without bias correction.
GraphBuilder adam(std::int64_t n) {
  GraphBuilder g;
  const Ref gradient = g.input("g", Dtype::kF32, {n});
  const Ref rate = g.input("rate", Dtype::kF32, {});
  const auto state = [&](const char* name) {
    return g.state({name, Dtype::kF32, {n}, StateScope::kStore, false, "zeros"});
  };
  const Ref w = state("w"), m = state("m"), v = state("v");
  const auto mix = [&](const Ref& old, const Ref& fresh, double keep) {
    return g.node("add", {g.node("mul", {old, Scalar::of(keep)}), g.node("mul", {fresh, Scalar::of(1 - keep)})});
  };
  const Ref m1 = g.node("assign", {m, mix(m, gradient, 0.5)});
  const Ref v1 = g.node("assign", {v, mix(v, g.node("mul", {gradient, gradient}), 0.75)});
  const Ref root = g.node("add", {g.node("sqrt", {v1}), Scalar::of(1.0)});
  g.node("assign", {w, g.node("sub", {w, g.node("mul", {rate, g.node("div", {m1, root})})})});
  return g;
}

TEST_F(StateTest, RunsAnOptimiserStepAsOneKernelInPlace) {
  const auto plan = compile(adam(5000));
  EXPECT_EQ(plan->program().steps.size(), 1u) << plan->dump();
  EXPECT_EQ(plan->program().slots.arena, 0u);
  Session s(plan, store);
  const Tensor gradient = floats(Floats(5000, 4.0f), {5000}), rate = context.from<float>(std::array{0.5f}, {});
  s.run(std::array{gradient, rate});
  EXPECT_EQ(store.find("m").to_vector<float>(), Floats(5000, 2.0f));
  EXPECT_EQ(store.find("v").to_vector<float>(), Floats(5000, 4.0f));
  EXPECT_EQ(store.find("w").to_vector<float>(), Floats(5000, -0.5f * 2 / 3));
}

TEST(GpuState, IsWrittenAsOnTheCpu) {
  std::shared_ptr<Backend> gpu;
  try {
    gpu = Devices().open("gpu");
  } catch (const Error& error) {
    GTEST_SKIP() << error.message();
  }
  const Context context(std::make_shared<BufferManager>(), gpu);
  const Store store(context);
  Session cached(Plan::compile(cache().build(), gpu), store, {.dims = {{"length", 4}}});
  const Tensor position = context.from<std::int32_t>(std::array{2}, {});
  const Tensor x = context.from<float>(Floats{1, 2, 3, 4}, {2, 1, 2});
  EXPECT_EQ(cached.run(std::array{x, position})[0].to_vector<float>(), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(cached.state(0).to_vector<float>(), (Floats{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0}));
  Session step(Plan::compile(adam(300).build(), gpu), store);
  const Tensor gradient = context.from<float>(Floats(300, 4.0f), {300});
  step.run(std::array{gradient, context.from<float>(std::array{0.5f}, {})});
  EXPECT_EQ(store.find("m").to_vector<float>(), Floats(300, 2.0f));
  EXPECT_EQ(store.find("v").to_vector<float>(), Floats(300, 4.0f));
  EXPECT_NEAR(store.find("w").to_vector<float>()[299], -0.5f * 2 / 3, 1e-6);
}

}  // namespace
}  // namespace alknet::compute
