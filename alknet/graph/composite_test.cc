#include "alknet/graph/composite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "alknet/base/testing.h"
#include "alknet/graph/gradient.h"
#include "alknet/graph/json.h"
#include "alknet/graph/reference_run.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Graph loss_graph(std::string_view reduction = "mean") {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {2, 3});
  const Ref y = g.input("y", Dtype::kF64, {3});
  const auto scope = g.scope("model.loss");
  g.output("loss", g.node("mse_loss", {x, y}, {{"reduction", reduction}}));
  return std::move(g).build();
}

TEST(Composite, IsTypedByTheNodesItStandsFor) {
  const Graph mean = loss_graph(), none = loss_graph("none");
  const auto type = [](const Graph& graph) {
    return infer(graph, OpTable::builtin()).types.at(graph.outputs.front().value.text());
  };
  EXPECT_EQ(type(mean), (ValueType{Dtype::kF64, {}}));
  EXPECT_EQ(type(none), (ValueType{Dtype::kF64, {2, 3}}));
}

TEST(Composite, ExpandsToNodesThatCarryItsPathAndId) {
  const Graph graph = loss_graph();
  const Expansion expansion = expand_composites(graph, OpTable::builtin());
  ASSERT_EQ(expansion.graph.nodes.size(), 3u);
  for (const Node& node : expansion.graph.nodes) {
    EXPECT_EQ(node.path, "model.loss");
    EXPECT_THAT(node.id, StartsWith("mse_loss_0."));
  }
  EXPECT_TRUE(validate(expansion.graph, OpTable::builtin()).empty());
  const auto values = reference_run(graph, {{"x", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"y", {{3}, {1, 1, 1}}}});
  EXPECT_DOUBLE_EQ(values.at("loss").data.front(), (0 + 1 + 4 + 9 + 16 + 25) / 6.0);
}

TEST(Composite, KeepsItsNameAndIsDifferentiable) {
  const Graph graph = loss_graph();
  const std::vector<std::string> outputs = {"loss"}, wrt = {"x", "mse_loss_0"};
  const Graph extended = grad(graph, {outputs, wrt});
  const auto values = reference_run(extended, {{"x", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"y", {{3}, {1, 1, 1}}}});
  EXPECT_THAT(values.at("grad/mse_loss_0").data, ElementsAre(1));
  EXPECT_DOUBLE_EQ(values.at("grad/x").data.back(), 2 * 5 / 6.0);
}

TEST(Composite, RefusesToBecomeAGraphWithoutEnd) {
  const auto problem = [](std::string_view op, std::int64_t size, const JsonObject& attrs) {
    GraphBuilder g;
    const Ref x = g.input("x", Dtype::kI8, {size, 2});
    g.output("y", g.node(op, {x}, attrs));
    const auto problems = validate(std::move(g).build(), OpTable::builtin());
    return problems.empty() ? std::string() : problems.front().message;
  };
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  EXPECT_THAT(problem("unbind", kHuge, {}), HasSubstr("asks for 1099511627776 outputs"));
  EXPECT_THAT(problem("split", kHuge, {{"split_size", 1}}), HasSubstr("there may be 65536"));
  EXPECT_THAT(problem("chunk", kHuge, {{"chunks", kHuge}}), HasSubstr("outputs"));
  EXPECT_THAT(problem("chunk", 0, {{"chunks", kHuge}}), HasSubstr("outputs"));
  EXPECT_EQ(problem("split", 7, {{"split_size", std::numeric_limits<std::int64_t>::max()}}), "");
  EXPECT_EQ(problem("roll", 7, {{"shifts", std::numeric_limits<std::int64_t>::min()}, {"dims", 0}}), "");
}

TEST(Composite, GivesItsFlagsToItsNodes) {
  Graph graph = loss_graph();
  graph.nodes.front().no_grad = true;
  graph.nodes.front().checkpoint = true;
  graph.nodes.front().source = JsonObject{{"line", 7}};
  for (const Node& node : expand_composites(graph, OpTable::builtin()).graph.nodes) {
    EXPECT_TRUE(node.no_grad && node.checkpoint);
    EXPECT_EQ(json_text(node.source), R"({"line":7})");
  }
}

TEST(Composite, ErrorsNameTheOperationThatWasWritten) {
  GraphBuilder g;
  g.output("loss", g.node("mse_loss", {g.input("x", Dtype::kF32, {2}), g.input("y", Dtype::kF32, {3})}));
  const auto problems = validate(std::move(g).build(), OpTable::builtin());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems.front().where, "mse_loss_0");
  EXPECT_EQ(problems.front().code, "shape_mismatch");
  EXPECT_THAT(problems.front().message, StartsWith("[mse_loss] [sub]"));
}

TEST(Composite, CastsWhatItPromotes) {
  GraphBuilder g;
  g.output("loss", g.node("mse_loss", {g.input("x", Dtype::kF16, {2}), g.input("y", Dtype::kF32, {2})}));
  const Graph graph = std::move(g).build();
  EXPECT_EQ(infer(graph, OpTable::builtin()).types.at("mse_loss_0").dtype, Dtype::kF32);
}

Graph split_graph(Json size, std::size_t output) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {5, 2});
  Ref part = g.node("split", {x}, {{"split_size", std::move(size)}});
  part.output = output;
  g.output("y", g.node("neg", {part}));
  return std::move(g).build();
}

TEST(Composite, HasAsManyOutputsAsItsAttributesSay) {
  const ReferenceValues input = {{"x", {{5, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}}};
  EXPECT_THAT(reference_run(split_graph(2, 1), input).at("y").data, ElementsAre(-4, -5, -6, -7));
  EXPECT_THAT(reference_run(split_graph(2, 2), input).at("y").data, ElementsAre(-8, -9));
  EXPECT_THAT(reference_run(split_graph({1, 4}, 0), input).at("y").data, ElementsAre(-0.0, -1));
}

TEST(Composite, RefusesAnOutputThatItDoesNotHave) {
  const auto problems = validate(split_graph(2, 3), OpTable::builtin());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems.front().code, "unknown_ref");
  EXPECT_THAT(problems.front().message, HasSubstr("names output 3, but there are 3"));
  Graph at_output = split_graph(2, 0);
  at_output.outputs.front().value = {"split_0", 7, std::nullopt};
  EXPECT_EQ(validate(at_output, OpTable::builtin()).size(), 1u);
}

TEST(Composite, ListsOfOutputsSurviveJson) {
  const Graph graph = split_graph(2, 2);
  const Graph back = from_message(to_message(graph, OpTable::builtin()), OpTable::builtin());
  EXPECT_EQ(back.nodes.at(1).inputs.at(0).at(0).text(), "split_0:2");
}

TEST(Composite, PassesGradientsThroughOneOfItsOutputs) {
  const Graph graph = split_graph(2, 1);
  const std::vector<std::string> outputs = {"y"}, wrt = {"x", "split_0:1"}, seeds = {"x_part"};
  Graph seeded = graph;
  seeded.inputs.push_back({"x_part", Dtype::kF64, {2, 2}});
  const auto values =
      reference_run(grad(seeded, {outputs, wrt, seeds}),
                    {{"x", {{5, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}}, {"x_part", {{2, 2}, {1, 2, 3, 4}}}});
  EXPECT_THAT(values.at("grad/x").data, ElementsAre(0, 0, 0, 0, -1, -2, -3, -4, 0, 0));
  EXPECT_THAT(values.at("grad/split_0.1").data, ElementsAre(-1, -2, -3, -4));
}

TEST(Composite, PlainAttentionIsOneNode) {
  GraphBuilder g;
  const Ref q = g.input("q", Dtype::kF32, {2, 3, 4});
  const Ref rng = g.input("rng", Dtype::kU32, {4});
  g.output("y", g.node("scaled_dot_product_attention", {q, q, q, {}, rng}, {{"enable_gqa", true}, {"dropout_p", 0}}));
  const Expansion expansion = expand_composites(std::move(g).build(), OpTable::builtin());
  ASSERT_EQ(expansion.graph.nodes.size(), 1u);
  EXPECT_EQ(expansion.graph.nodes.front().op, "attention");
}

TEST(Composite, AttentionRefusesGroupsThatDoNotFit) {
  const auto refuses = [](const SymbolicShape& key, const SymbolicShape& value, bool grouped, const char* message) {
    GraphBuilder g;
    g.output("y", g.node("scaled_dot_product_attention",
                         {g.input("q", Dtype::kF32, {6, 3, 4}), g.input("k", Dtype::kF32, key),
                          g.input("v", Dtype::kF32, value)},
                         {{"enable_gqa", grouped}}));
    const auto problems = validate(std::move(g).build(), OpTable::builtin());
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_THAT(problems.front().message, HasSubstr(message));
  };
  refuses({2, 3, 4}, {2, 3, 4}, false, "before the last two differ");
  refuses({4, 3, 4}, {4, 3, 4}, true, "4 key heads do not divide 6 query heads");
  refuses({0, 3, 4}, {0, 3, 4}, true, "0 key heads do not divide 6 query heads");
  refuses({2, 3, 4}, {3, 3, 4}, true, "key and value differ in the number of heads");
  refuses({3, 4}, {3, 4}, true, "one rank of at least 3");
}

TEST(Composite, ThatStandsForItselfIsRefused) {
  JsonArray entries = parse_json(R"([{
    "name": "again", "kind": "structured", "inputs": [{"name": "input", "dtypes": "all"}],
    "outputs": [{"name": "output", "dtype": "input"}], "promotion": "none", "shape": "composite",
    "forward": {"composite": {"nodes": [{"id": "a", "op": "again", "inputs": ["input"]}], "outputs": {"output": "a"}}},
    "test": null, "bound": {}, "doc": "Stands for itself."}])")
                          .as_array();
  const OpTable table = OpTable::from_json(entries);
  GraphBuilder g(table);
  g.output("y", g.node("again", {g.input("x", Dtype::kF32, {2})}));
  const auto problems = validate(std::move(g).build(), table);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems.front().code, "op_table_invalid");
}

}  // namespace
}  // namespace alknet::graph
