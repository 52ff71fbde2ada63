#include "alknet/graph/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

constexpr std::string_view kDocument = R"({
  "alknet_graph": 1,
  "dims": {"batch": {"min": 1}, "seq": {"min": 1, "max": 512}},
  "inputs": [{"name": "x", "dtype": "f32", "shape": ["batch", "seq", 4]}],
  "states": [{"name": "w", "dtype": "f32", "shape": [4], "scope": "store", "trainable": true, "init": "ones"}],
  "constants": [{"name": "c", "dtype": "u8", "shape": [3], "data": {"$bytes": 0}}],
  "nodes": [
    {"id": "n", "op": "layer_norm", "inputs": {"input": "x", "weight": "w", "bias": null},
     "attrs": {"normalized_shape": [4]}, "path": "encoder.norm", "source": {"line": 3}, "no_grad": true, "checkpoint": true},
    {"id": "a", "op": "add", "inputs": {"input": "n", "other": {"scalar": 2, "kind": "int"}}, "attrs": {"alpha": 0.5}}
  ],
  "outputs": [{"name": "y", "value": "a"}, {"name": "bytes", "value": "c"}]
})";

Message message(std::string_view text) { return {parse_json(text), {SharedBytes::copy("abc")}}; }

TEST(GraphJson, ReadsTheDocumentOfTheDesign) {
  const Graph graph = from_message(message(kDocument));
  EXPECT_TRUE(validate(graph, OpTable::builtin()).empty());
  EXPECT_EQ(graph.dims[1].max, 512);
  EXPECT_EQ(graph.inputs[0].shape[1], Dim::symbol("seq"));
  EXPECT_TRUE(graph.states[0].trainable);
  EXPECT_EQ(graph.constants[0].data.text(), "abc");
  EXPECT_TRUE(graph.nodes[0].inputs[2].empty());
  EXPECT_EQ(graph.nodes[0].path, "encoder.norm");
  EXPECT_TRUE(graph.nodes[0].no_grad);
  EXPECT_EQ(graph.nodes[1].inputs[1][0].scalar->kind, DtypeClass::kInteger);
}

TEST(GraphJson, WritesWhatItReads) {
  const Message first = to_message(from_message(message(kDocument)));
  const Message second = to_message(from_message(first));
  EXPECT_EQ(json_text(first.value), json_text(second.value));
  ASSERT_EQ(first.bytes.size(), 1u);
  EXPECT_EQ(first.bytes[0].text(), "abc");
  EXPECT_EQ(first.value.at("nodes").at(0).at("source"), parse_json(R"({"line": 3})"));
  EXPECT_EQ(first.value.at("nodes").at(1).at("inputs").at("other"), parse_json(R"({"scalar": 2, "kind": "int"})"));
}

TEST(GraphJson, ScalarsKeepTheirKindAndValue) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4});
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Scalar> scalars = {
      Scalar::of(true), Scalar::of(std::int64_t{1} << 62), Scalar::of(0.1), Scalar::of(-inf), Scalar::of(inf),
      Scalar::of(2.0),  Scalar::of(std::nan(""))};
  for (const auto& scalar : scalars) g.node("add", {x, scalar});
  const Message written = to_message(std::move(g).build());
  const Graph graph = from_message({parse_json(json_text(written.value)), {}});
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    const Scalar& read = *graph.nodes[i].inputs[1][0].scalar;
    EXPECT_EQ(read.kind, scalars[i].kind);
    EXPECT_EQ(read.integer, scalars[i].integer);
    EXPECT_TRUE(read.number == scalars[i].number || (std::isnan(read.number) && std::isnan(scalars[i].number)));
  }
}

TEST(GraphJson, TheKindOfAScalarFollowsItsValueWhenLeftOut) {
  const auto kind = [](std::string_view scalar) {
    const std::string text =
        R"({"alknet_graph": 1, "nodes": [{"id": "a", "op": "add", "inputs": {"other": {"scalar": )" +
        std::string(scalar) + "}}}]}";
    return from_message(message(text)).nodes[0].inputs[1][0].scalar->kind;
  };
  EXPECT_EQ(kind("true"), DtypeClass::kBool);
  EXPECT_EQ(kind("3"), DtypeClass::kInteger);
  EXPECT_EQ(kind("3.0"), DtypeClass::kFloat);
  EXPECT_EQ(kind("\"-inf\""), DtypeClass::kFloat);
}

TEST(GraphJson, UnknownOperationsSurviveForValidateToReport) {
  const Graph graph = from_message(message(
      R"({"alknet_graph": 1, "inputs": [{"name": "x", "dtype": "f32", "shape": []}],
          "nodes": [{"id": "a", "op": "tahn", "inputs": {"input": "x"}}]})"));
  const auto problems = validate(graph, OpTable::builtin());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].code, "unknown_op");
}

TEST(GraphJson, RefusesWrongFormAtItsPlace) {
  const auto refuses = [](std::string_view from, std::string_view to, const std::string& text) {
    std::string document(kDocument);
    const std::size_t at = document.find(from);
    ASSERT_NE(at, std::string::npos);
    document.replace(at, from.size(), to);
    expect_error(GraphError::kGraphInvalid, text, [&] { from_message(message(document)); });
  };
  refuses("\"alknet_graph\": 1", "\"alknet_graph\": 2", "is version 2; this program reads 1");
  refuses("\"alknet_graph\": 1,", "", "lacks the member \"alknet_graph\"");
  refuses("\"dims\": {", "\"dimensions\": {", "unknown member \"dimensions\"");
  refuses("{\"min\": 1}", "{\"min\": 1.5}", "/dims/batch/min");
  refuses("\"dtype\": \"f32\"", "\"dtype\": \"float\"", "/inputs/0/dtype");
  refuses("\"seq\", 4]", "\"seq**2\", 4]", "/inputs/0/shape/1");
  refuses("[\"batch\"", "[1.5", "/inputs/0/shape/0");
  refuses("\"scope\": \"store\"", "\"scope\": \"global\"", "/states/0/scope");
  refuses("{\"$bytes\": 0}", "{\"$bytes\": 1}", "/constants/0/data");
  refuses("{\"$bytes\": 0}", "\"YWJj\"", "/constants/0/data");
  refuses("\"id\": \"n\", ", "", "/nodes/0");
  refuses("\"bias\": null", "\"biases\": null", "the operation layer_norm has no input \"biases\"");
  refuses("\"input\": \"n\"", "\"input\": 3", "/nodes/1/inputs/input");
  refuses("\"input\": \"n\"", "\"input\": \"n:x\"", "/nodes/1/inputs/input");
  refuses("\"input\": \"n\"", "\"input\": \"\"", "must not be empty");
  refuses("\"input\": \"n\"", "\"input\": [[\"n\"]]", "/nodes/1/inputs/input/0");
  refuses("\"kind\": \"int\"", "\"kind\": \"long\"", "/nodes/1/inputs/other/kind");
  refuses("{\"scalar\": 2,", "{\"scalar\": 2.5,", "/nodes/1/inputs/other/scalar");
  refuses("{\"scalar\": 2,", "{\"value\": 2,", "unknown member \"value\"");
  refuses("\"attrs\": {\"alpha\": 0.5}", "\"attrs\": []", "/nodes/1/attrs");
  refuses("\"value\": \"a\"", "\"value\": {}", "/outputs/0/value");
}

TEST(GraphJson, RefusesWhatIsNoObject) {
  for (const char* text : {"null", "[]", "1", "\"graph\"", "{}"}) {
    expect_error(GraphError::kGraphInvalid, "graph at", [&] { from_message(message(text)); });
  }
}

// Documents with members swapped at random: an Error of this layer or a graph that validate can look at, never a crash.
TEST(GraphJson, SurvivesMutatedDocuments) {
  std::mt19937 random(11);
  const std::vector<std::string> pieces = {"null",       "-1",
                                           "1e300",      "\"x\"",
                                           "[]",         "{}",
                                           "true",       "\"a:7\"",
                                           "\"seq//0\"", "9223372036854775807",
                                           "[\"x\"]",    "{\"scalar\": 1}",
                                           "\"add\"",    "\"bool\""};
  std::size_t read = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string text(kDocument);
    for (int edit = 0; edit < 2; ++edit) {
      const std::size_t colon = text.find(": ", random() % text.size());
      if (colon == std::string::npos) continue;
      const std::size_t end = text.find_first_of(",}]", colon);
      text.replace(colon + 2, end - colon - 2, pieces[random() % pieces.size()]);
    }
    Json document;
    try {
      document = parse_json(text);
    } catch (const Error&) {
      continue;
    }
    try {
      const Graph graph = from_message({document, {SharedBytes::copy("abc")}});
      ++read;
      if (validate(graph, OpTable::builtin()).empty()) insert_casts(graph, OpTable::builtin());
    } catch (const Error& error) {
      EXPECT_EQ(error.code().category(), graph_category()) << error.message() << "\n" << text;
    }
  }
  EXPECT_GT(read, 100u);
}

}  // namespace
}  // namespace alknet::graph
