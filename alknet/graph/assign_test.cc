#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/graph/gradient.h"
#include "alknet/graph/initializer.h"
#include "alknet/graph/json.h"
#include "alknet/graph/philox.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

std::vector<Problem> problems(GraphBuilder&& builder) {
  return validate(std::move(builder).build(), OpTable::builtin());
}

std::vector<std::string> order(GraphBuilder&& builder) {
  const Graph graph = std::move(builder).build();
  std::vector<std::string> ids;
  for (const std::size_t index : infer(graph, OpTable::builtin()).order) ids.push_back(graph.nodes[index].id);
  return ids;
}

std::size_t place(const std::vector<std::string>& ids, const Ref& ref) {
  return static_cast<std::size_t>(std::find(ids.begin(), ids.end(), ref.name) - ids.begin());
}

TEST(Assign, RunsAfterEveryReaderOfTheVersionThatItReplaces) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2, 3});
  const Ref w = g.state("w", Dtype::kF32, {2, 3});
  const Ref updated = g.node("assign", {w, x});
  const Ref old = g.node("mul", {w, Scalar::of(2.0)});
  const Ref turned = g.node("transpose", {w}, {{"dim0", 0}, {"dim1", 1}});
  const Ref through_view = g.node("exp", {turned});
  const Ref fresh = g.node("mul", {updated, Scalar::of(3.0)});
  const Ref again = g.node("assign", {updated, fresh});
  g.output("w", again);
  const auto ids = order(std::move(g));
  EXPECT_LT(place(ids, old), place(ids, updated));
  EXPECT_LT(place(ids, through_view), place(ids, updated));
  EXPECT_LT(place(ids, updated), place(ids, fresh));
  EXPECT_LT(place(ids, fresh), place(ids, again));
}

TEST(Assign, ToOneVersionTwiceIsAProblemThatNamesBoth) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2});
  const Ref w = g.state("w", Dtype::kF32, {2});
  const Ref first = g.node("assign", {w, x});
  const Ref second = g.node("assign", {w, g.node("neg", {x})});
  const auto found = problems(std::move(g));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].code, "assign_conflict");
  EXPECT_NE((found[0].where + found[0].message).find(first.name), std::string::npos);
  EXPECT_NE((found[0].where + found[0].message).find(second.name), std::string::npos);
}

TEST(Assign, ReadingTheOldVersionAfterItIsACycleThatNamesBoth) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2});
  const Ref w = g.state("w", Dtype::kF32, {2});
  const Ref updated = g.node("assign", {w, x});
  const Ref both = g.node("add", {w, updated});
  const auto found = problems(std::move(g));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].code, "cycle");
  EXPECT_NE(found[0].message.find(updated.name), std::string::npos);
  EXPECT_NE(found[0].message.find(both.name), std::string::npos);
  EXPECT_NE(found[0].message.find("contiguous"), std::string::npos);
}

TEST(Assign, TakesStatesOnly) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2});
  g.node("assign", {x, x});
  const Ref w = g.state("w", Dtype::kF32, {2, 1});
  g.node("assign", {g.node("reshape", {w}, {{"shape", JsonArray{2}}}), x});
  const auto found = problems(std::move(g));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].code, "bad_operand");
  EXPECT_EQ(found[1].code, "bad_operand");
}

TEST(Assign, NeedsTheStatesShapeAndDtype) {
  const auto code = [](Dtype dtype, SymbolicShape shape, Json at) {
    GraphBuilder g;
    const Ref x = g.input("x", dtype, std::move(shape));
    g.input("position", Dtype::kI32, {});
    const Ref w = g.state("w", Dtype::kF32, {4, 3});
    g.node("assign", {w, x}, {{"at", std::move(at)}});
    const auto found = problems(std::move(g));
    return found.empty() ? std::string() : found.front().code;
  };
  EXPECT_EQ(code(Dtype::kF32, {4, 3}, nullptr), "");
  EXPECT_EQ(code(Dtype::kF32, {4, 1}, nullptr), "shape_mismatch");
  EXPECT_EQ(code(Dtype::kF16, {4, 3}, nullptr), "dtype_mismatch");
  EXPECT_EQ(code(Dtype::kF32, {2, 3}, JsonArray{2, 0}), "");
  EXPECT_EQ(code(Dtype::kF32, {2, 3}, JsonArray{3, 0}), "bad_attribute");
  EXPECT_EQ(code(Dtype::kF32, {2, 3}, JsonArray{-1, 0}), "bad_attribute");
  EXPECT_EQ(code(Dtype::kF32, {2, 3}, JsonArray{0}), "shape_mismatch");
  EXPECT_EQ(code(Dtype::kF32, {1, 3}, JsonArray{"position", 0}), "");
  EXPECT_EQ(code(Dtype::kF32, {1, 3}, JsonArray{"place", 0}), "dim_unbound");
}

TEST(Assign, PassesNoGradient) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {});
  const Ref w = g.state("w", Dtype::kF32, {});
  g.output("y", g.node("assign", {w, g.node("mul", {x, x})}));
  const Graph graph = std::move(g).build();
  const std::vector<std::string> outputs = {"y"}, wrt = {"x"};
  EXPECT_EQ(code_of([&] { grad(graph, {outputs, wrt}); }), "not_differentiable");
}

TEST(Initializer, RefusesWhatItDoesNotKnow) {
  for (const Json& init : {Json("gaussian"), Json(JsonObject{{"name", "uniform"}, {"std", 1}}), Json(JsonArray{}),
                           Json(JsonObject{{"name", "full"}, {"value", "1"}})}) {
    GraphBuilder g;
    g.state({"w", Dtype::kF32, {2}, StateScope::kStore, true, init});
    const auto found = problems(std::move(g));
    ASSERT_EQ(found.size(), 1u) << json_text(init);
    EXPECT_EQ(found[0].where, "state w");
  }
  GraphBuilder g;
  g.state({"w", Dtype::kI32, {2}, StateScope::kStore, true, "normal"});
  EXPECT_EQ(problems(std::move(g)).at(0).code, "dtype_mismatch");
}

TEST(Initializer, DrawsItsElementsFromTheStreamOfTheState) {
  const auto uniform = Initializer::parse(JsonObject{{"name", "uniform"}, {"low", -2}, {"high", 2}});
  const auto bytes = initial_elements(uniform, Dtype::kF64, {7}, 42, initializer_stream(3));
  ASSERT_EQ(bytes.size(), 7 * sizeof(double));
  for (std::uint64_t i = 0; i < 7; ++i) {
    double value;
    std::memcpy(&value, bytes.data() + i * sizeof(double), sizeof(double));
    EXPECT_EQ(value, -2 + 4 * unit_uniform(random_word(42, 0, 0x80000003U, i)));
  }
}

TEST(Initializer, WritesTheSeedIntoTheStateOfRandomNodes) {
  const auto bytes = initial_elements(Initializer::parse("rng"), Dtype::kU32, {4}, 0x100000002, 0);
  std::uint32_t words[4];
  ASSERT_EQ(bytes.size(), sizeof(words));
  std::memcpy(words, bytes.data(), sizeof(words));
  EXPECT_EQ(words[0], 2u);
  EXPECT_EQ(words[1], 1u);
  EXPECT_EQ(words[2], 0u);
  EXPECT_EQ(words[3], 0u);
}

}  // namespace
}  // namespace alknet::graph
