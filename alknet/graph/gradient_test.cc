#include "alknet/graph/gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/json.h"
#include "alknet/graph/op_program.h"
#include "alknet/graph/ops_json.h"
#include "alknet/graph/reference_run.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

TEST(Gradient, OfGeluIsFiniteFarOut) {
  const OpSpec& gelu = OpTable::builtin().at("gelu");
  const double inf = std::numeric_limits<double>::infinity();
  for (const char* form : {"none", "tanh"}) {
    const auto program = gradient_program(gelu, {{"approximate", form}}, {{Dtype::kF64}}, {{Dtype::kF64}}, 0);
    EXPECT_EQ(expr::evaluate(*program, std::vector<double>{inf, inf, 2}).front(), 2);
    EXPECT_EQ(expr::evaluate(*program, std::vector<double>{-inf, 0, 2}).front(), 0);
    EXPECT_TRUE(std::isnan(expr::evaluate(*program, std::vector<double>{std::nan(""), 0, 2}).front()));
  }
}

/// The gradient of the only output, of one element, at `inputs`.
ReferenceValues gradients(const Graph& graph, const std::vector<std::string>& wrt, const ReferenceValues& inputs) {
  const std::vector<std::string> outputs = {graph.outputs.front().name};
  return reference_run(grad(graph, {outputs, wrt}), inputs);
}

// alpha of add and sub was lost in the design that this one follows.
TEST(Gradient, AppliesAlpha) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {}), y = g.input("y", Dtype::kF64, {});
  const Ref sum = g.node("add", {x, y}, {{"alpha", 3}});
  g.output("z", g.node("sub", {sum, y}, {{"alpha", 0.5}}));
  const auto got = gradients(std::move(g).build(), {"x", "y"}, {{"x", {{}, {1}}}, {"y", {{}, {1}}}});
  EXPECT_EQ(got.at("grad/x").data.at(0), 1);
  EXPECT_EQ(got.at("grad/y").data.at(0), 2.5);
}

TEST(Gradient, PassesViews) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {2, 3});
  const Ref turned = g.node("transpose", {x}, {{"dim0", 0}, {"dim1", 1}});
  const Ref flat = g.node("reshape", {turned}, {{"shape", {-1}}});
  const Ref part = g.node("slice", {flat}, {{"start", 1}, {"step", 2}});
  const Ref wide = g.node("expand", {part}, {{"size", {4, -1}}});
  g.output("z", g.node("sum", {g.node("mul", {wide, wide})}));
  const auto got = gradients(std::move(g).build(), {"x"}, {{"x", {{2, 3}, {1, 2, 3, 4, 5, 6}}}});
  EXPECT_EQ(got.at("grad/x").data, (std::vector<double>{0, 0, 0, 32, 40, 48}));
}

// 2^60 paths lead from the last value to the first.
TEST(Gradient, VisitsEachNodeOnce) {
  GraphBuilder g;
  Ref x = g.input("x", Dtype::kF64, {2});
  for (int i = 0; i < 60; ++i) x = g.node("add", {x, x});
  g.output("z", g.node("sum", {x}));
  const Graph graph = std::move(g).build();
  const Graph extended = grad(graph, {std::vector<std::string>{"z"}, std::vector<std::string>{"x"}});
  EXPECT_LT(extended.nodes.size(), 4 * graph.nodes.size());
  const auto got = reference_run(extended, {{"x", {{2}, {1, 2}}}});
  EXPECT_EQ(got.at("grad/x").data.at(1), std::ldexp(1, 60));
}

TEST(Gradient, IsLinearInNodesWithoutRecursion) {
  GraphBuilder g;
  const Ref w = g.input("w", Dtype::kF32, {});
  Ref x = w;
  for (int i = 0; i < 30'000; ++i) x = g.node("mul", {x, w});
  g.output("z", x);
  const Graph extended = grad(std::move(g).build(), {std::vector<std::string>{"z"}, std::vector<std::string>{"w"}});
  EXPECT_LT(extended.nodes.size(), 130'000u);
}

TEST(Gradient, AddsEveryUse) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {});
  const Ref square = g.node("mul", {x, x});
  g.output("z", g.node("add", {g.node("mul", {square, x}), g.node("div", {square, x})}));  // x^3 + x
  const auto got = gradients(std::move(g).build(), {"x"}, {{"x", {{}, {3}}}});
  EXPECT_NEAR(got.at("grad/x").data.at(0), 28, 1e-12);
}

TEST(Gradient, StopsAtNoGradAndIntegers) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {});
  const Ref square = g.node("mul", {x, x});
  const Ref integer = g.node("cast", {g.node("cast", {x}, {{"dtype", "i32"}})}, {{"dtype", "f64"}});
  g.output("z", g.node("mul", {g.node("mul", {square, x}), integer}));
  Graph graph = std::move(g).build();
  graph.nodes[0].no_grad = true;
  const auto got = gradients(graph, {"x"}, {{"x", {{}, {3}}}});
  EXPECT_EQ(got.at("grad/x").data.at(0), 27);  // 9 * 3, with 9 and 3 taken as constants
}

TEST(Gradient, CastsToTheDtypeOfEachInput) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF16, {3}), y = g.input("y", Dtype::kF32, {}), n = g.input("n", Dtype::kI32, {3});
  const Ref product = g.node("mul", {g.node("add", {x, n}), y});
  g.output("z", g.node("sum", {g.node("mul", {product, Scalar::of(2.0)})}));
  const Graph extended =
      grad(std::move(g).build(), {std::vector<std::string>{"z"}, std::vector<std::string>{"x", "y"}});
  const auto types = infer(extended, OpTable::builtin()).types;
  EXPECT_EQ(types.at(extended.outputs.at(1).value.text()), (ValueType{Dtype::kF16, {3}}));
  EXPECT_EQ(types.at(extended.outputs.at(2).value.text()), (ValueType{Dtype::kF32, {}}));
  const auto got = reference_run(extended, {{"x", {{3}, {1, 2, 3}}}, {"y", {{}, {5}}}, {"n", {{3}, {1, 1, 1}}}});
  EXPECT_EQ(got.at("grad/x").data, (std::vector<double>{10, 10, 10}));
  EXPECT_EQ(got.at("grad/y").data, (std::vector<double>{18}));
}

TEST(Gradient, OfAnInnerValueAndOfAConstant) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {});
  const Ref square = g.node("mul", {x, x});
  g.output("z", g.node("mul", {square, square}));
  const auto got = gradients(std::move(g).build(), {square.text(), "x"}, {{"x", {{}, {3}}}});
  EXPECT_EQ(got.at("grad/" + square.text()).data.at(0), 18);
  EXPECT_EQ(got.at("grad/x").data.at(0), 108);
}

TEST(Gradient, NamesOfSecondDerivativesDoNotClash) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {});
  g.output("z", g.node("mul", {g.node("mul", {x, x}), x}));
  const std::vector<std::string> wrt = {"x"};
  const Graph once = grad(std::move(g).build(), {std::vector<std::string>{"z"}, wrt});
  const Graph twice = grad(once, {std::vector<std::string>{"grad/x"}, wrt});
  const Graph thrice = grad(twice, {std::vector<std::string>{"grad/grad/x"}, wrt});
  const auto got = reference_run(thrice, {{"x", {{}, {5}}}});
  EXPECT_EQ(got.at("grad/x").data.at(0), 75);
  EXPECT_EQ(got.at("grad/grad/x").data.at(0), 30);
  EXPECT_EQ(got.at("grad/grad/grad/x").data.at(0), 6);
}

TEST(Gradient, RecomputesCheckpoints) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF64, {});
  const Ref a = g.node("exp", {x});
  const Ref b = g.node("mul", {a, a});
  g.output("z", g.node("mul", {b, b}));
  Graph graph = std::move(g).build();
  graph.nodes[0].checkpoint = graph.nodes[1].checkpoint = true;
  const Graph extended = grad(graph, {std::vector<std::string>{"z"}, std::vector<std::string>{"x"}});
  for (std::size_t i = graph.nodes.size(); i < extended.nodes.size(); ++i) {
    const Node& node = extended.nodes[i];
    EXPECT_FALSE(node.checkpoint);
    for (const auto& refs : node.inputs) {
      for (const Ref& ref : refs) {
        EXPECT_NE(ref.name, a.name) << node.id;
        EXPECT_NE(ref.name, b.name) << node.id;
      }
    }
  }
  const auto once = [&](const std::string& op) {
    return std::count_if(extended.nodes.begin(), extended.nodes.end(), [&](const Node& n) { return n.op == op; });
  };
  EXPECT_EQ(once("exp"), 2);
  EXPECT_NEAR(reference_run(extended, {{"x", {{}, {0.3}}}}).at("grad/x").data.at(0), 4 * std::exp(1.2), 1e-12);
}

TEST(Gradient, SharesWhatTheForwardPassComputed) {
  GraphBuilder g;
  g.output("z", g.node("tanh", {g.node("exp", {g.input("x", Dtype::kF64, {})})}));
  const Graph extended = grad(std::move(g).build(), {std::vector<std::string>{"z"}, std::vector<std::string>{"x"}});
  for (const char* op : {"exp", "tanh"}) {
    EXPECT_EQ(std::count_if(extended.nodes.begin(), extended.nodes.end(), [&](const Node& n) { return n.op == op; }),
              1);
  }
}

TEST(Gradient, SurvivesJson) {
  GraphBuilder g;
  const Ref q = g.input("q", Dtype::kF32, {2, 3, 4});
  g.output("z", g.node("sum", {g.node("scaled_dot_product_attention", {q, q, q}, {{"is_causal", true}})}));
  const Graph extended = grad(std::move(g).build(), {std::vector<std::string>{"z"}, std::vector<std::string>{"q"}});
  const Graph again = from_message(to_message(extended));
  EXPECT_TRUE(validate(again, OpTable::builtin()).empty());
  EXPECT_EQ(again.nodes.size(), extended.nodes.size());
}

TEST(Gradient, SaysWhatIsWrong) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {2}), n = g.input("n", Dtype::kI32, {2});
  g.input("other", Dtype::kF32, {2});
  g.input("wide", Dtype::kF64, {2});
  g.output("y", g.node("mul", {x, n}));
  g.output("z", g.node("sum", {x}));
  g.output("k", n);
  const Graph graph = std::move(g).build();
  const auto refuses = [&](GraphError code, const std::string& text, std::vector<std::string> outputs,
                           std::vector<std::string> wrt, std::vector<std::string> seeds = {}) {
    expect_error(code, text, [&] { grad(graph, {outputs, wrt, seeds}); });
  };
  refuses(GraphError::kMissingInput, "output \"y\" has the shape [2]: give a seed", {"y"}, {"x"});
  refuses(GraphError::kUnknownRef, "no output \"yy\"", {"yy"}, {"x"});
  refuses(GraphError::kUnknownRef, "no value \"xx\"", {"z"}, {"xx"});
  refuses(GraphError::kUnknownRef, "no value \"seed\"", {"y"}, {"x"}, {"seed"});
  refuses(GraphError::kShapeMismatch, "its seed \"sum_1\" is f32 []", {"y"}, {"x"}, {"sum_1"});
  refuses(GraphError::kDtypeMismatch, "its seed \"wide\" is f64", {"y"}, {"x"}, {"wide"});
  refuses(GraphError::kNotDifferentiable, "\"n\" is i32", {"z"}, {"n"});
  refuses(GraphError::kNotDifferentiable, "output \"k\" is i32", {"k"}, {"x"});
  refuses(GraphError::kNotDifferentiable, "no gradient reaches \"other\"", {"z"}, {"other"});
  const Graph zero = grad(graph, {std::vector<std::string>{"z"}, std::vector<std::string>{"other"}, {}, true});
  EXPECT_EQ(
      reference_run(zero, {{"x", {{2}, {1, 2}}}, {"n", {{2}, {1, 2}}}, {"other", {{2}, {3, 4}}}}).at("grad/other").data,
      (std::vector<double>{0, 0}));
}

TEST(Gradient, OfCausalAttentionTakesAnyNumberOfRows) {
  GraphBuilder g;
  const Ref q = g.input("q", Dtype::kF32, {Dim::symbol("batch"), 4});
  g.output("z", g.node("sum", {g.node("scaled_dot_product_attention", {q, q, q}, {{"is_causal", true}})}));
  const Graph graph = grad(std::move(g).build(), {std::vector<std::string>{"z"}, std::vector<std::string>{"q"}});
  for (const std::int64_t rows : {1, 3}) {
    const ReferenceTensor same{{rows, 4}, std::vector<double>(static_cast<std::size_t>(rows * 4), 0.5)};
    // Equal rows give an output that is q, whatever the weights: the values pass the gradient on, each row's once.
    const auto results = reference_run(graph, {{"q", same}}, {{"batch", rows}});
    double total = 0;
    for (const double value : results.at("grad/q").data) total += value;
    EXPECT_NEAR(total, static_cast<double>(rows * 4), 1e-9);
  }
}

/// The built-in table with one more entry, as a user registers it.
OpTable with_entry(std::string_view inputs, std::string_view forward) {
  std::string entry = R"({"name": "mine", "kind": "unary", "inputs": [)" + std::string(inputs) +
                      R"(], "outputs": [{"name": "output", "dtype": "promoted"}], "promotion": "promote",
          "shape": "elementwise", "test": null, "bound": {}, "doc": "An operation of a user.", "forward": )" +
                      std::string(forward) + "}";
  JsonArray builtin = ops_json();
  builtin.push_back(parse_json(entry));
  return OpTable::from_json(builtin);
}

TEST(Gradient, OfARegisteredExpressionIsDerived) {
  const OpTable ops =
      with_entry(R"({"name": "input", "dtypes": "float"})",
                 R"({"expression": "var s = 1 / (1 + exp(-input)); output = input > 0 ? input * s : 0"})");
  GraphBuilder g(ops);
  g.output("z", g.node("mine", {g.input("x", Dtype::kF64, {})}));
  const Graph extended =
      grad(std::move(g).build(), {std::vector<std::string>{"z"}, std::vector<std::string>{"x"}}, ops);
  EXPECT_TRUE(validate(extended, ops).empty());
  const double s = 1 / (1 + std::exp(-2.0));
  EXPECT_NEAR(reference_run(extended, {{"x", {{}, {2}}}}, {}, ops).at("grad/x").data.at(0), s + 2 * s * (1 - s), 1e-12);
}

TEST(Gradient, NamesWhatHasNone) {
  const auto refuses = [](std::string_view forward, const std::string& message) {
    const OpTable ops = with_entry(R"({"name": "input", "dtypes": "float"})", forward);
    GraphBuilder g(ops);
    g.output("z", g.node("mine", {g.input("x", Dtype::kF64, {})}));
    const Graph graph = std::move(g).build();
    expect_error(GraphError::kNotDifferentiable, message, [&] {
      grad(graph, {std::vector<std::string>{"z"}, std::vector<std::string>{"x"}}, ops);
    });
  };
  refuses(R"({"template": "mine"})", "[mine] has no gradient with respect to \"input\"");
  refuses(R"({"expression": "output = as_output(i64(input) / 3) * input"})", "a gradient needs \"/\" of i64");
}

// A query without any key gives 0 and takes no part in gradients.
TEST(Gradient, OfAttentionIgnoresMaskedRows) {
  GraphBuilder g;
  const Ref q = g.input("q", Dtype::kF64, {2, 2}), mask = g.input("mask", Dtype::kBool, {2, 2});
  g.output("z", g.node("sum", {g.node("scaled_dot_product_attention", {q, q, q, mask})}));
  const auto got =
      gradients(std::move(g).build(), {"q"}, {{"q", {{2, 2}, {1, 2, 3, 4}}}, {"mask", {{2, 2}, {1, 0, 0, 0}}}});
  EXPECT_EQ(got.at("grad/q").data, (std::vector<double>{1, 1, 0, 0}));
}

}  // namespace
}  // namespace alknet::graph
