#include "alknet/graph/op_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/op_program.h"

namespace alknet::graph {
namespace {

/// The operation that only plans run.
const std::set<std::string> kWithoutKernels = {"assign"};

TEST(BuiltinOps, HaveEverythingThatGeneratorsAndTestsNeed) {
  for (const OpSpec& op : OpTable::builtin().ops()) {
    SCOPED_TRACE(op.name);
    EXPECT_GE(op.doc.size(), 12u);
    EXPECT_TRUE(op.doc.ends_with('.'));
    if (kWithoutKernels.contains(op.name)) {
      EXPECT_TRUE(op.test.is_null());
      continue;
    }
    ASSERT_TRUE(op.test.is_object());
    ASSERT_TRUE(op.bound.is_object());
    for (const auto& input : op.inputs) {
      EXPECT_TRUE(op.test.get_object().contains(input.name)) << "no test domain for " << input.name;
      EXPECT_FALSE(input.dtypes.empty());
    }
    if (op.view() || (op.composite() && op.kind == OpKind::kView)) continue;
    const auto fixed = parse_dtype(op.outputs.front().dtype);
    if (fixed && !is_float(*fixed)) continue;  // exact
    for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16, Dtype::kF32, Dtype::kF64}) {
      const auto& taken = op.inputs.empty() ? std::vector<Dtype>{dtype} : op.inputs.front().dtypes;
      if (std::find(taken.begin(), taken.end(), dtype) == taken.end()) continue;
      EXPECT_TRUE(op.bound.get_object().contains(dtype_name(dtype))) << "no bound for " << dtype_name(dtype);
    }
  }
}

TEST(BuiltinOps, CompileForEveryDtypeTheyAccept) {
  for (const OpSpec& op : OpTable::builtin().ops()) {
    SCOPED_TRACE(op.name);
    if (op.inputs.empty()) continue;
    for (const Dtype dtype : op.inputs.back().dtypes) {
      if (const auto* forward = std::get_if<ElementwiseForward>(&op.forward)) {
        for (const auto& choice : forward->cases) {
          std::vector<Dtype> inputs;
          for (const auto& input : op.inputs) inputs.push_back(input.promotes ? dtype : input.dtypes.front());
          const Dtype output = parse_dtype(op.outputs[0].dtype).value_or(dtype);
          const auto program = elementwise_program(op, {{forward->parameter, choice.value}}, inputs, {{output}});
          EXPECT_EQ(program.instructions[program.outputs[0].value].dtype, compute_dtype(output));
        }
      } else if (std::holds_alternative<ReductionForward>(op.forward)) {
        EXPECT_EQ(reduction_programs(op, dtype, dtype).accumulator, reduction_dtype(op, dtype));
      }
    }
  }
}

TEST(OpTable, FindsByNameAndAlias) {
  const OpTable& ops = OpTable::builtin();
  EXPECT_EQ(ops.find("multiply"), ops.find("mul"));
  EXPECT_EQ(ops.find("nothing"), nullptr);
  EXPECT_EQ(ops.at("gelu").kind, OpKind::kUnary);
}

TEST(OpTable, NamesNearMisses) {
  expect_error(GraphError::kUnknownOp, "did you mean softmax", [] { OpTable::builtin().at("softmx"); });
  expect_error(GraphError::kUnknownOp, "no operation", [] { OpTable::builtin().at(std::string(100'000, 'x')); });
}

TEST(OpSpec, PicksTheExpressionOfACase) {
  const OpSpec& gelu = OpTable::builtin().at("gelu");
  EXPECT_NE(gelu.expression({{"approximate", "none"}}).find("erf"), std::string::npos);
  EXPECT_NE(gelu.expression({{"approximate", "tanh"}}).find("tanh"), std::string::npos);
  expect_error(GraphError::kBadAttribute, "selects no case", [&] { gelu.expression({}); });
}

constexpr std::string_view kEntry = R"([{
  "name": "twice", "kind": "unary", "inputs": [{"name": "input", "dtypes": "float"}],
  "outputs": [{"name": "output", "dtype": "promoted"}], "promotion": "float", "shape": "elementwise",
  "forward": {"expression": "output = 2 * input"}, "test": {"input": [-1, 1]}, "bound": {}, "doc": "Twice the input."
}])";

std::string edited(std::string_view from, std::string_view to) {
  std::string text(kEntry);
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(OpTable, ReadsAnEntryRegisteredAtRunTime) {
  const OpTable table = OpTable::parse(kEntry);
  EXPECT_EQ(table.at("twice").promotion, Promotion::kFloat);
  EXPECT_TRUE(table.at("twice").elementwise());
}

TEST(OpTable, RefusesBadEntriesAtTheirPlace) {
  const auto refuses = [](std::string_view from, std::string_view to, const std::string& message) {
    expect_error(GraphError::kOpTableInvalid, message, [&] { OpTable::parse(edited(from, to)); });
  };
  refuses("\"unary\"", "\"unarry\"", "/0/kind");
  refuses("\"float\"}]", "\"floats\"}]", "/0/inputs/0/dtypes");
  refuses("\"promoted\"", "\"other\"", "/0/outputs/0/dtype");
  refuses("\"elementwise\"", "\"pointwise\"", "no shape rule \"pointwise\"");
  refuses("2 * input", "2 * inputs", "nothing is called \"inputs\"");
  refuses("2 * input", "input && input", "/0/forward");
  refuses("\"doc\"", "\"docs\"", "unknown member \"docs\"");
  refuses("Twice the input.", "", "/0/doc");
  refuses("{\"expression\": \"output = 2 * input\"}", "{\"view\": true}", "belong together");
  refuses("\"twice\"", "\"2ce\"", "snake_case");
  refuses("\"output\"", "\"input\"", "\"input\" twice");
  refuses("[{", "{", "operation table");
}

TEST(OpTable, ReadsGradients) {
  const OpTable& ops = OpTable::builtin();
  EXPECT_EQ(ops.at("mul").backward.expressions.at("other").cases.front().expression, "grad_output * input");
  EXPECT_EQ(ops.at("gelu").backward.expressions.at("input").parameter, "approximate");
  EXPECT_TRUE(ops.at("erf").backward.empty());
  const auto& cases = ops.at("matmul").backward.cases;
  ASSERT_EQ(cases.size(), 4u);
  EXPECT_EQ(cases[0].ranks.at("other"), 1u);
  EXPECT_EQ(cases[3].results.at("input"), "a_sum");
  EXPECT_EQ(ops.at("softmax").backward.cases[1].nodes.front().op, "mul");
}

TEST(OpTable, RefusesBadGradientsAtTheirPlace) {
  const auto refuses = [](const std::string& backward, const std::string& message) {
    expect_error(GraphError::kOpTableInvalid, message,
                 [&] { OpTable::parse(edited("\"test\"", "\"backward\": " + backward + ", \"test\"")); });
  };
  const auto nodes = [](const std::string& node) {
    return R"({"nodes": [)" + node + R"(], "gradients": {"input": "g"}})";
  };
  refuses(R"({"other": "grad_output"})", "\"other\" is no input");
  refuses(R"({"input": "grad_outputs"})", "nothing is called \"grad_outputs\"");
  refuses(R"({"input": "var x = 1; output = x"})", "/0/backward");
  refuses(R"({"input": {"on": "form", "cases": {}}})", "names no parameter");
  refuses(R"({"nodes": [], "gradients": {}})", "must name an input");
  refuses(R"({"nodes": [], "gradients": {"input": "g"}})", "\"g\" is no input, output");
  refuses(R"({"nodes": [], "gradients": {"x": "grad_output"}})", "\"x\" is no input");
  refuses(nodes(R"({"id": "g", "op": "tanhh", "inputs": ["input"]})"), "/0/backward/nodes/0/op");
  refuses(nodes(R"({"id": "g", "op": "twice", "inputs": ["g"]})"), "/0/backward/nodes/0/inputs/0");
  refuses(nodes(R"({"id": "g", "op": "twice", "inputs": ["input", 2]})"), "[twice] takes 1 input");
  refuses(nodes(R"({"id": "g", "op": "sum_to", "inputs": ["input"]})"), "sum_to takes 2 input");
  refuses(nodes(R"({"id": "g", "op": "twice", "inputs": ["input"], "attrs": {"dim": 1}})"), "has no \"dim\"");
  refuses(nodes(R"({"id": "g", "op": "twice", "inputs": [{"attr": "eps"}]})"), "names no parameter");
  refuses(nodes(R"({"id": "g", "op": "twice", "inputs": ["input"], "attrs": {"a": {"shape": "x"}}})"), "\"x\" is no");
  refuses(nodes(R"({"id": "input", "op": "twice", "inputs": ["input"]})"), "nodes/0/id\": is taken");
  refuses(R"({"cases": [{"when": {"rank": {"x": 1}}, "nodes": [], "gradients": {"input": "input"}}]})",
          "/0/backward/cases/0/when/rank/x");
}

TEST(OpTable, RefusesTwoEntriesOfOneName) {
  const std::string entry(kEntry.substr(1, kEntry.size() - 2));
  expect_error(GraphError::kOpTableInvalid, "taken", [&] { OpTable::parse("[" + entry + "," + entry + "]"); });
}

}  // namespace
}  // namespace alknet::graph
