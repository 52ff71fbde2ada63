#include "alknet/graph/cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

using ::testing::ElementsAre;

constexpr auto kByLayer = [](const State& state) { return layer_of(state.name); };

std::vector<std::string> names(const auto& declared) {
  std::vector<std::string> all;
  for (const auto& each : declared) all.push_back(each.name);
  return all;
}

TEST(CutGraph, NamesTheLayerOfAParameter) {
  EXPECT_EQ(layer_of("encoder.layer.3.output.bias"), "encoder.layer.3");
  EXPECT_EQ(layer_of("embeddings.LayerNorm.weight"), "embeddings");
  EXPECT_EQ(layer_of("blk.10.attn_q.weight"), "blk.10");
  EXPECT_EQ(layer_of("weight"), "weight");
  EXPECT_EQ(layer_of(""), "");
}

TEST(CutGraph, GivesEachStageTheStatesOfOneGroupMore) {
  GraphBuilder g;
  g.dim("n");
  const SymbolicShape shape = {Dim::symbol("n"), 4};
  const Ref x = g.input("x", Dtype::kF32, shape);
  const Ref a = g.state("layer.0.w", Dtype::kF32, {4});
  const Ref b = g.state("layer.1.w", Dtype::kF32, {4});
  const Ref c = g.state("layer.0.b", Dtype::kF32, {4});
  const Ref free = g.node("neg", {x});
  const Ref first = g.node("add", {g.node("mul", {x, a}), c});
  const Ref second = g.node("add", {g.node("mul", {first, b}), free});
  g.output("y", g.node("add", {second, a}));
  g.output("middle", first);
  const auto stages = cut_by_states(std::move(g).build(), kByLayer);
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_THAT(names(stages[0].states), ElementsAre("layer.0.w", "layer.0.b"));
  EXPECT_THAT(names(stages[1].states), ElementsAre("layer.0.w", "layer.1.w"));
  EXPECT_EQ(stages[0].nodes.size(), 3U) << "what needs no state is in the first stage";
  EXPECT_EQ(stages[1].nodes.size(), 3U);
  EXPECT_EQ(stages[1].inputs.size(), 3U) << "x and two values that cross";
  for (const Graph& stage : stages) {
    const auto problems = validate(stage, OpTable::builtin());
    EXPECT_TRUE(problems.empty()) << problems.front().where << ": " << problems.front().message;
  }
  EXPECT_EQ(names(stages[0].outputs).size(), 3U) << "the two that cross, and the graph's own";
  EXPECT_THAT(names(stages[1].outputs), ElementsAre("y"));
}

TEST(CutGraph, RefusesGraphsThatChangeStates) {
  GraphBuilder g;
  const Ref w = g.state("w", Dtype::kF32, {4});
  g.output("y", g.node("assign", {w, g.node("neg", {w})}));
  const Graph graph = std::move(g).build();
  EXPECT_EQ(code_of([&] { cut_by_states(graph, kByLayer); }), "unsupported");
}

}  // namespace
}  // namespace alknet::graph
