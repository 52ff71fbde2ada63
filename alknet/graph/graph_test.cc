#include "alknet/graph/graph.h"

#include <gtest/gtest.h>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

TEST(Ref, ReadsAndWritesItsText) {
  EXPECT_EQ(Ref::parse("x").text(), "x");
  EXPECT_EQ(Ref::parse("split:2").output, 2u);
  EXPECT_EQ(Ref::parse("split:2").text(), "split:2");
  EXPECT_EQ(Ref::parse("split:0").text(), "split");
  EXPECT_TRUE(Ref{}.absent());
  for (const char* text : {"a:", "a:b", "a:-1", "a:1x", "a:99999999999"}) {
    expect_error(GraphError::kIllegalName, "not a reference", [&] { Ref::parse(text); });
  }
}

TEST(GraphBuilder, MakesAGraphThatValidates) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("batch"), 4});
  const Ref weight = g.state("weight", Dtype::kF32, {4, 4});
  const Ref y = g.node("matmul", {x, weight});
  g.output("y", g.node("add", {y, Scalar::of(1.0)}));
  const Graph graph = std::move(g).build();
  EXPECT_TRUE(validate(graph, OpTable::builtin()).empty());
  EXPECT_EQ(graph.nodes.size(), 2u);
}

TEST(GraphBuilder, LaysOperandsOutByTheTable) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4});
  g.node("layer_norm", {x, {}, x}, {{"normalized_shape", {4}}});
  g.node("layer_norm", {x}, {{"normalized_shape", {4}}});
  g.node("layer_norm", {x, Ref{}}, {{"normalized_shape", {4}}});
  const Graph graph = std::move(g).build();
  EXPECT_TRUE(graph.nodes[0].inputs[1].empty());
  EXPECT_EQ(graph.nodes[0].inputs[2].size(), 1u);
  EXPECT_EQ(graph.nodes[1].inputs.size(), 3u);
  EXPECT_TRUE(graph.nodes[2].inputs[1].empty());
}

TEST(GraphBuilder, PathsNest) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4});
  {
    const auto encoder = g.scope("encoder");
    const auto layer = g.scope("layer.0");
    g.node("tanh", {x});
  }
  g.node("tanh", {x});
  const Graph graph = std::move(g).build();
  EXPECT_EQ(graph.nodes[0].path, "encoder.layer.0");
  EXPECT_EQ(graph.nodes[1].path, "");
}

TEST(GraphBuilder, IdsAvoidNamesInUse) {
  GraphBuilder g;
  const Ref x = g.input("tanh_0", Dtype::kF32, {4});
  const Ref y = g.node("tanh", {x});
  EXPECT_NE(y.name, x.name);
}

TEST(DimAttribute, IsAnIntegerOrItsText) {
  EXPECT_EQ(dim_attribute(Dim(3)), Json(3));
  EXPECT_EQ(dim_attribute(Dim::parse("2*seq+1")), Json("2*seq + 1"));
  EXPECT_EQ(dim_from_attribute("2*seq + 1"), Dim::parse("2*seq+1"));
  expect_error(GraphError::kDimInvalid, "1.5 is not a dimension", [] { dim_from_attribute(1.5); });
}

}  // namespace
}  // namespace alknet::graph
