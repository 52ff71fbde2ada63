#include "alknet/graph/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"

namespace alknet::graph {
namespace {

using testing::HasSubstr;

const OpTable& kOps = OpTable::builtin();
const Dim B = Dim::symbol("batch");
const Dim S = Dim::symbol("seq");

/// A graph with the input x f32 [batch, 4], to be broken.
struct Draft {
  Graph graph;
  Draft() { graph.inputs.push_back({"x", Dtype::kF32, {B, 4}}); }
  Node& node(std::string id, std::string op, std::vector<std::string> inputs, JsonObject attrs = {}) {
    Node node;
    node.id = std::move(id);
    node.op = std::move(op);
    for (const auto& input : inputs) node.inputs.push_back({Ref::parse(input)});
    node.attrs = std::move(attrs);
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back();
  }
  std::vector<Problem> problems() const { return validate(graph, kOps); }
};

void expect_only(const Draft& draft, const std::string& where, const std::string& code, const std::string& message) {
  const auto problems = draft.problems();
  ASSERT_EQ(problems.size(), 1u) << (problems.empty() ? "" : problems.back().message);
  EXPECT_EQ(problems[0].where, where);
  EXPECT_EQ(problems[0].code, code);
  EXPECT_THAT(problems[0].message, HasSubstr(message));
}

TEST(Validate, AcceptsAnAttentionBlockWithSymbols) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {B, S, 384});
  const Ref mask = g.input("mask", Dtype::kBool, {B, S});
  const Ref w = g.state("w", Dtype::kF32, {384, 384});
  const auto heads = [&](Ref value) {
    const Ref split = g.node("reshape", {g.node("matmul", {value, w})}, {{"shape", {"batch", "seq", 12, 32}}});
    return g.node("permute", {split}, {{"dims", {0, 2, 1, 3}}});
  };
  const Ref keys = g.node("unsqueeze", {g.node("unsqueeze", {mask}, {{"dim", 1}})}, {{"dim", 1}});
  const Ref attended = g.node("scaled_dot_product_attention", {heads(x), heads(x), heads(x), keys});
  const Ref joined =
      g.node("reshape", {g.node("permute", {attended}, {{"dims", {0, 2, 1, 3}}})}, {{"shape", {"batch", "seq", -1}}});
  g.output("y", g.node("layer_norm", {g.node("add", {joined, x})}, {{"normalized_shape", {384}}}));
  const Graph graph = std::move(g).build();
  const TypedGraph typed = infer(graph, kOps);
  EXPECT_EQ(typed.types.at(graph.outputs[0].value.text()), (ValueType{Dtype::kF32, {B, S, 384}}));
  EXPECT_EQ(typed.order.size(), graph.nodes.size());
}

TEST(Validate, NodesMayComeInAnyOrder) {
  Draft draft;
  draft.node("b", "tanh", {"a"});
  draft.node("a", "tanh", {"x"});
  EXPECT_EQ(infer(draft.graph, kOps).order, (std::vector<std::size_t>{1, 0}));
}

TEST(Validate, ReportsUnknownOperations) {
  Draft draft;
  draft.node("a", "tahn", {"x"}).path = "encoder.layer.0";
  draft.node("b", "tanh", {"a"});
  expect_only(draft, "encoder.layer.0 (a)", "unknown_op", "did you mean tan ");
}

TEST(Validate, ReportsUnknownReferences) {
  Draft draft;
  draft.node("a", "tanh", {"xx"});
  expect_only(draft, "a", "unknown_ref", "there is no value \"xx\"; did you mean x?");
  Draft second;
  second.node("a", "tanh", {"x"});
  second.node("b", "tanh", {"a:1"});
  expect_only(second, "b", "unknown_ref", "\"a:1\" names output 1, but there is 1");
  Draft input;
  input.node("a", "tanh", {"x:1"});
  expect_only(input, "a", "unknown_ref", "names output 1");
}

TEST(Validate, ReportsMissingAndSurplusOperands) {
  Draft draft;
  draft.node("a", "add", {"x"});
  expect_only(draft, "a", "missing_input", "\"other\" is missing");
  Draft surplus;
  surplus.node("a", "tanh", {"x", "x"});
  expect_only(surplus, "a", "bad_operand", "takes 1 input(s) but gets 2");
  Draft list;
  list.node("a", "tanh", {"x"}).inputs[0].push_back(Ref::parse("x"));
  expect_only(list, "a", "bad_operand", "not a list of 2");
}

TEST(Validate, ReportsCyclesWithTheirPath) {
  Draft draft;
  draft.node("a", "add", {"x", "c"});
  draft.node("b", "tanh", {"a"});
  draft.node("c", "tanh", {"b"});
  draft.node("d", "tanh", {"c"});
  draft.graph.outputs.push_back({"y", Ref::parse("d")});
  expect_only(draft, "a", "cycle", "a -> b -> c -> a");
  Draft self;
  self.node("a", "tanh", {"a"});
  expect_only(self, "a", "cycle", "a -> a");
}

TEST(Validate, ReportsNames) {
  Draft draft;
  draft.node("x", "tanh", {"x"});
  expect_only(draft, "node x", "duplicate_name", "another input");
  Draft colon;
  colon.graph.inputs.push_back({"a:b", Dtype::kF32, {}});
  expect_only(colon, "input a:b", "illegal_name", "without ':'");
  Draft empty;
  empty.graph.states.push_back({});
  expect_only(empty, "state ", "illegal_name", "1 to 512 bytes");
  Draft outputs;
  outputs.graph.outputs = {{"y", Ref::parse("x")}, {"y", Ref::parse("x")}};
  expect_only(outputs, "output y", "duplicate_name", "another output");
}

TEST(Validate, ReportsShapesDtypesAndAttributes) {
  Draft shapes;
  shapes.node("a", "matmul", {"x", "x"});
  expect_only(shapes, "a", "shape_mismatch", "[matmul] [batch, 4] and [batch, 4]");
  Draft dtypes;
  dtypes.graph.inputs.push_back({"h", Dtype::kF16, {4, 4}});
  dtypes.node("a", "matmul", {"x", "h"});
  expect_only(dtypes, "a", "dtype_mismatch", "need one dtype");
  Draft attrs;
  attrs.node("a", "softmax", {"x"}, {{"axis", 1}});
  expect_only(attrs, "a", "bad_attribute", "\"axis\" does not exist");
}

TEST(Validate, ReportsOutputsWithoutValue) {
  Draft draft;
  draft.graph.outputs = {{"y", Ref{}}};
  expect_only(draft, "output y", "bad_operand", "not a scalar or nothing");
  draft.graph.outputs = {{"y", Ref::parse("z")}};
  expect_only(draft, "output y", "unknown_ref", "\"z\"");
}

TEST(Validate, ReportsConstantsWhoseDataDoNotFit) {
  Draft draft;
  draft.graph.constants.push_back({"c", Dtype::kF32, {2, 2}, SharedBytes::copy("123")});
  expect_only(draft, "constant c", "shape_mismatch", "f32 [2, 2] does not have the 3 bytes");
  draft.graph.constants[0].shape = {1LL << 40, 1LL << 40};
  expect_only(draft, "constant c", "size_overflow", "2^59");
  draft.graph.constants[0].shape = {-1};
  expect_only(draft, "constant c", "shape_mismatch", "negative size");
}

TEST(Validate, ReportsDimensions) {
  Draft unbound;
  unbound.node("a", "expand", {"x"}, {{"size", {"heads", "batch", 4}}});
  expect_only(unbound, "a", "dim_unbound", "\"heads\" occurs in no input");
  unbound.graph.dims.push_back({"heads", 1, 12});
  EXPECT_TRUE(unbound.problems().empty());
  unbound.graph.dims[0].min = 13;
  expect_only(unbound, "dimension heads", "dim_invalid", "min not above max");
  Draft names;
  names.graph.dims = {{"a b", {}, {}}};
  expect_only(names, "dimension a b", "illegal_name", "cannot name");
}

TEST(Validate, ReportsEveryProblemOnceAndNoConsequences) {
  Draft draft;
  draft.node("a", "tahn", {"x"});
  draft.node("b", "softmax", {"x"});
  draft.node("c", "add", {"a", "b"});
  draft.node("d", "matmul", {"c", "nowhere"});
  draft.graph.outputs = {{"y", Ref::parse("d")}, {"z", Ref::parse("e")}};
  std::vector<std::string> places;
  for (const auto& problem : draft.problems()) places.push_back(problem.where + " " + problem.code);
  EXPECT_THAT(places, testing::UnorderedElementsAre("a unknown_op", "d unknown_ref", "b bad_attribute",
                                                    "output z unknown_ref"));
  try {
    infer(draft.graph, kOps);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GraphError::kGraphInvalid);
    EXPECT_THAT(error.message(), HasSubstr("4 problem(s)"));
    EXPECT_THAT(error.message(), HasSubstr("\n  b: [softmax] parameter \"dim\" is required"));
    EXPECT_EQ(error.details().at("problems").as_array().size(), 4u);
  }
}

TEST(Validate, ScalarsAreNoTensors) {
  Draft draft;
  draft.node("a", "matmul", {"x", "x"}).inputs[1] = {Ref{{}, 0, Scalar::of(2.0)}};
  expect_only(draft, "a", "bad_operand", "must be a tensor, not a scalar");
}

TEST(CheckDimValues, ComparesWithTheDeclaredRanges) {
  Graph graph;
  graph.dims = {{"seq", 1, 512}, {"batch", {}, {}}};
  EXPECT_NO_THROW(check_dim_values(graph, {{"seq", 512}, {"batch", 0}, {"other", -1}}));
  expect_error(GraphError::kDimInvalid, "\"seq\" is 513; the graph takes 1 to 512", [&] {
    check_dim_values(graph, {{"seq", 513}});
  });
  expect_error(GraphError::kDimInvalid, "\"batch\" is -1", [&] { check_dim_values(graph, {{"batch", -1}}); });
}

TEST(InsertCasts, WritesEachImpliedCastOnce) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {B, 4});
  const Ref mask = g.input("mask", Dtype::kI64, {B, 4});
  const Ref kept = g.node("mul", {x, mask});
  const Ref again = g.node("add", {kept, mask});
  const Ref counts = g.node("sum", {g.input("flags", Dtype::kBool, {B})});
  g.output("y", again);
  g.output("n", counts);
  const Graph cast = insert_casts(std::move(g).build(), kOps);
  std::vector<std::string> ops;
  for (const auto& node : cast.nodes) ops.push_back(node.op);
  EXPECT_EQ(ops, (std::vector<std::string>{"cast", "mul", "add", "sum"}));
  EXPECT_EQ(cast.nodes[1].inputs[1][0].name, cast.nodes[0].id);
  EXPECT_EQ(cast.nodes[2].inputs[1][0].name, cast.nodes[0].id);
  EXPECT_TRUE(validate(cast, kOps).empty());
  EXPECT_EQ(infer(cast, kOps).types.at(cast.outputs[1].value.text()).dtype, Dtype::kI64);
}

TEST(InsertCasts, LeavesScalarsAndTypedGraphsAlone) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF16, {4});
  g.output("y", g.node("div", {g.node("add", {x, Scalar::of(std::int64_t{1})}), Scalar::of(0.5)}));
  const Graph graph = std::move(g).build();
  const Graph cast = insert_casts(graph, kOps);
  EXPECT_EQ(cast.nodes.size(), 2u);
  EXPECT_EQ(cast.nodes[0].inputs[1][0].scalar->integer, 1);
  EXPECT_EQ(infer(cast, kOps).types.at(cast.outputs[0].value.text()).dtype, Dtype::kF16);
}

TEST(InsertCasts, FollowsThePromotionOfRankZero) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4});
  const Ref scale = g.input("scale", Dtype::kF64, {});
  g.output("y", g.node("mul", {x, scale}));
  const Graph cast = insert_casts(std::move(g).build(), kOps);
  ASSERT_EQ(cast.nodes.size(), 2u);
  EXPECT_EQ(cast.nodes[0].inputs[0][0].name, "scale");
  EXPECT_EQ(cast.nodes[0].attrs.at("dtype"), Json("f32"));
}

TEST(InsertCasts, RefusesWhatDoesNotValidate) {
  Draft draft;
  draft.node("a", "tanh", {"y"});
  expect_error(GraphError::kGraphInvalid, "there is no value", [&] { insert_casts(draft.graph, kOps); });
}

TEST(Validate, TakesALongChainInStride) {
  Draft draft;
  std::string last = "x";
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = "n" + std::to_string(i);
    draft.node(id, "tanh", {last});
    last = id;
  }
  EXPECT_EQ(infer(draft.graph, kOps).order.size(), 20'000u);
}

}  // namespace
}  // namespace alknet::graph
