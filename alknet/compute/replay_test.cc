#include <gtest/gtest.h>

#include <array>

#include "alknet/compute/device_cpu/allocation_counter.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/session.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

/// Views, reductions, products, parts of states and whole ones.
graph::Graph varied_graph() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 64});
  const Ref w = g.state({"w", Dtype::kF32, {64, 64}, graph::StateScope::kStore, true, "ones"});
  const Ref seen = g.state({"seen", Dtype::kF32, {64}, graph::StateScope::kSession, false, {}});
  const Ref kept = g.state({"kept", Dtype::kF32, {4, 64}, graph::StateScope::kSession, false, {}});
  const Ref h = g.node("matmul", {x, g.node("transpose", {w}, {{"dim0", 0}, {"dim1", 1}})});
  const Ref y = g.node("softmax", {g.node("add", {h, x})}, {{"dim", 1}});
  const Ref columns = g.node("sum", {y}, {{"dim", JsonArray{0}}});
  g.output("seen", g.node("assign", {seen, g.node("add", {seen, columns})}));
  g.node("assign", {kept, g.node("unsqueeze", {columns}, {{"dim", 0}})}, {{"at", JsonArray{2, 0}}});
  g.node("assign", {w, g.node("sub", {w, g.node("mul", {w, Scalar::of(0.1)})})});
  g.output("y", g.node("slice", {y}, {{"dim", 1}, {"start", 1}, {"end", 9}}));
  return std::move(g).build();
}

TEST(Replay, AllocatesNothingOnceLayoutsAreKnown) {
  const auto backend = make_cpu_backend({.threads = 2});
  const Context context(std::make_shared<BufferManager>(), backend);
  const auto plan = Plan::compile(varied_graph(), backend);
  Session session(plan, Store(context));
  std::vector<Tensor> inputs, more_inputs;
  inputs.push_back(context.from<float>(std::vector<float>(300 * 64, 0.5f), {300, 64}));
  more_inputs.push_back(context.from<float>(std::vector<float>(5 * 64, 0.25f), {5, 64}));
  const auto out = session.run(inputs), more_out = session.run(more_inputs);
  session.run_into(inputs, out);
  const std::size_t before = testing::allocation_count();
  for (int repeat = 0; repeat < 3; ++repeat) {
    session.run_into(inputs, out);
    session.run_into(more_inputs, more_out);
  }
  EXPECT_EQ(testing::allocation_count() - before, 0u) << plan->dump();
  EXPECT_EQ(session.bindings_made(), 2u);
}

TEST(Replay, GrowsTheArenaForLargerSizesAndCompilesNothing) {
  const auto backend = make_cpu_backend({.threads = 2});
  const Context context(std::make_shared<BufferManager>(), backend);
  Session session(Plan::compile(varied_graph(), backend), Store(context));
  const auto x = [&](std::int64_t n) {
    return context.from<float>(std::vector<float>(static_cast<std::size_t>(n) * 64, 0.5f), {n, 64});
  };
  const auto small = session.run(std::array{x(2)})[1].to_vector<float>();
  const std::size_t bytes = session.arena_bytes();
  const auto compiled = backend->statistics().kernels_compiled;
  session.run(std::array{x(500)});
  EXPECT_GT(session.arena_bytes(), bytes);
  EXPECT_EQ(backend->statistics().kernels_compiled, compiled);
  EXPECT_EQ(session.run(std::array{x(2)})[1].to_vector<float>().size(), small.size());
  EXPECT_EQ(session.bindings_made(), 2u);
}

}  // namespace
}  // namespace alknet::compute
