#include <gtest/gtest.h>

#include <random>

#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/json.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

class GraphOperations : public OperationsTest {
 protected:
  Json compile(graph::Graph graph) { return call("compute/compile", document(graph)).value; }

  static Message document(const graph::Graph& graph, JsonObject rest = {}) {
    Message message = graph::to_message(graph);
    rest.emplace("graph", std::move(message.value));
    message.value = std::move(rest);
    return message;
  }

  /// y = x w + b with trainable w and b, and the mean squared error against `target`.
  static graph::Graph regression() {
    GraphBuilder g;
    const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("batch"), 2});
    const Ref target = g.input("target", Dtype::kF32, {Dim::symbol("batch"), 1});
    const auto parameter = [&](std::string name, graph::SymbolicShape shape) {
      graph::State state{std::move(name), Dtype::kF32, std::move(shape), graph::StateScope::kStore, true, {}};
      state.init = parse_json(R"({"name":"uniform","low":-0.5,"high":0.5})");
      return g.state(std::move(state));
    };
    const Ref w = parameter("weight", {2, 1}), b = parameter("bias", {1});
    const Ref y = g.node("add", {g.node("matmul", {x, w}), b});
    g.output("y", y);
    g.output("loss", g.node("mse_loss", {y, target}));
    return std::move(g).build();
  }

  static Json with_plan(const Json& compiled) { return JsonObject{{"plan", compiled.at("plan")}}; }
};

TEST_F(GraphOperations, CompileAndRunWithAnySize) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n")});
  const Ref scale = g.input("scale", Dtype::kF32, {});
  const std::vector<float> offsets = {0.5F};
  const Ref offset = g.constant("offset", Dtype::kF32, {1}, SharedBytes::copy(std::as_bytes(std::span(offsets))));
  g.output("y", g.node("add", {g.node("mul", {x, scale}), offset}));
  const Json compiled = compile(std::move(g).build());
  EXPECT_EQ(compiled.at("outputs"), Json(JsonArray{"y"}));
  for (const std::int64_t n : {1, 5}) {
    const Json x_handle = tensor<float>({n}, std::vector<float>(static_cast<std::size_t>(n), 2));
    const Json run = call("compute/run", JsonObject{{"plan", compiled.at("plan")},
                                                    {"inputs", JsonObject{{"x", x_handle}, {"scale", 3}}}});
    EXPECT_EQ(read_as<float>(run.at("outputs").at("y")), std::vector<float>(static_cast<std::size_t>(n), 6.5F));
  }
}

TEST_F(GraphOperations, TrainARegressionUntilItFits) {
  const Message step = call("compute/train_step",
                            document(regression(), {{"loss", "loss"}, {"optimizer", JsonObject{{"name", "adam"}}}}));
  const Json compiled = call("compute/compile", Message{step.value, step.bytes}).value;
  const Json opened = call("compute/open", JsonObject{{"plan", compiled.at("plan")}, {"seed", 3}});
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  double first = 0, last = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<float> x(32), target;
    for (float& value : x) value = normal(random);
    for (std::size_t row = 0; row < 16; ++row) target.push_back(2 * x[2 * row] - 3 * x[2 * row + 1] + 0.5F);
    const Json inputs = JsonObject{
        {"x", tensor<float>({16, 2}, x)}, {"target", tensor<float>({16, 1}, target)}, {"learning_rate", 0.05}};
    const Json run = call("compute/run", JsonObject{{"execution", opened.at("execution")}, {"inputs", inputs}});
    last = read_as<float>(run.at("outputs").at("loss")).front();
    if (i == 0) first = last;
    call("compute/dispose", JsonObject{{"handles", JsonArray{run.at("outputs").at("loss"), run.at("outputs").at("y"),
                                                             inputs.at("x"), inputs.at("target")}}});
  }
  EXPECT_GT(first, 1);
  EXPECT_LT(last, 1e-3);

  // Another plan on the same store predicts with what was learned.
  const Json forward = compile(regression());
  const Json evaluation = call("compute/open", JsonObject{{"plan", forward.at("plan")}, {"store", opened.at("store")}});
  EXPECT_EQ(evaluation.at("store"), opened.at("store"));
  const Json run = call(
      "compute/run",
      JsonObject{{"execution", evaluation.at("execution")},
                 {"inputs", JsonObject{{"x", tensor<float>({1, 2}, {1, 1})}, {"target", tensor<float>({1, 1}, {0})}}}});
  EXPECT_NEAR(read_as<float>(run.at("outputs").at("y")).front(), -0.5, 0.1);
}

TEST_F(GraphOperations, ARunAnswersNumbersForWhatIsOnlyRead) {
  const Json plan = compile(regression());
  const Json parameters = JsonObject{{"weight", tensor<float>({2, 1}, {10, 100})}, {"bias", tensor<float>({1}, {0})}};
  const Json opened = call("compute/open", JsonObject{{"plan", plan.at("plan")}, {"parameters", parameters}});
  const Json inputs =
      JsonObject{{"x", tensor<float>({2, 2}, {1, 0, 0, 1})}, {"target", tensor<float>({2, 1}, {7, 104})}};
  const auto run = [&](JsonObject asked) {
    asked.emplace("execution", opened.at("execution"));
    asked.emplace("inputs", inputs);
    return Json(std::move(asked));
  };
  const auto kept = [&] { return call("compute/stats", JsonObject{}).at("resources"); };
  const Json loss_only = run({{"values", JsonArray{"loss"}}, {"outputs", JsonArray{}}});
  call("compute/run", loss_only);  // the first run makes its arena
  const Json before = kept();

  const Json only = call("compute/run", loss_only);
  EXPECT_EQ(only, parse_json(R"({"outputs":{},"values":{"loss":12.5}})"));
  EXPECT_EQ(kept(), before) << "nothing stays that would have to be let go";
  const Json both = call("compute/run", run({{"values", JsonArray{"y", "loss"}}, {"outputs", JsonArray{"y"}}}));
  EXPECT_EQ(both.at("values"), parse_json(R"({"y":[[10.0],[100.0]],"loss":12.5})"));
  EXPECT_EQ(read_as<float>(both.at("outputs").at("y")), (std::vector<float>{10, 100}));
  const Json rest = call("compute/run", run({{"values", JsonArray{"loss"}}}));
  EXPECT_EQ(rest.at("outputs").as_object().size(), 1U) << "all others are tensors";
  EXPECT_TRUE(rest.at("outputs").as_object().contains("y"));
  EXPECT_FALSE(call("compute/run", run({})).as_object().contains("values"));

  for (const std::string_view asked : {"values", "outputs"}) {
    const auto error = error_of([&] { call("compute/run", run({{asked, JsonArray{"los"}}})); });
    EXPECT_EQ(call::wire_code(error), "INVALID_INPUT");
    EXPECT_NE(error.message().find("no output \"los\""), std::string::npos) << error.message();
  }
}

TEST_F(GraphOperations, ARunDoesNotAnswerMoreNumbersThanADocumentShouldHave) {
  GraphBuilder g;
  g.output("y", g.node("neg", {g.input("x", Dtype::kF32, {Dim::symbol("n")})}));
  const Json compiled = compile(std::move(g).build());
  const Json x = call("compute/create_tensor", JsonObject{{"dtype", "f32"}, {"shape", JsonArray{1'000'001}}});
  EXPECT_EQ(
      code("compute/run",
           JsonObject{{"plan", compiled.at("plan")}, {"inputs", JsonObject{{"x", x}}}, {"values", JsonArray{"y"}}}),
      "INVALID_INPUT");
}

TEST_F(GraphOperations, TheNumbersOfARunCountTogether) {
  GraphBuilder g;
  const Ref y = g.node("neg", {g.input("x", Dtype::kF32, {Dim::symbol("n")})});
  g.output("y", y);
  g.output("z", g.node("neg", {y}));
  const Json compiled = compile(std::move(g).build());
  const Json x = call("compute/create_tensor", JsonObject{{"dtype", "f32"}, {"shape", JsonArray{500'001}}});
  const auto run = [&](JsonArray values) {
    return code("compute/run", JsonObject{{"plan", compiled.at("plan")},
                                          {"inputs", JsonObject{{"x", x}}},
                                          {"values", std::move(values)},
                                          {"outputs", JsonArray{}}});
  };
  EXPECT_NE(run({"y"}), "INVALID_INPUT");
  EXPECT_NE(run({"z", "z"}), "INVALID_INPUT") << "once, however often it is named";
  EXPECT_EQ(run({"y", "z"}), "INVALID_INPUT");
}

TEST_F(GraphOperations, OpenWithTensorsOfTheCaller) {
  const Json plan = compile(regression());
  const Json parameters =
      JsonObject{{"weight", tensor<float>({2, 1}, {10, 100})}, {"bias", tensor<float>({1}, {1000})}};
  const Json opened = call("compute/open", JsonObject{{"plan", plan.at("plan")}, {"parameters", parameters}});
  const Json run = call(
      "compute/run",
      JsonObject{{"execution", opened.at("execution")},
                 {"inputs", JsonObject{{"x", tensor<float>({1, 2}, {1, 2})}, {"target", tensor<float>({1, 1}, {0})}}}});
  EXPECT_EQ(read_as<float>(run.at("outputs").at("y")), (std::vector<float>{1210}));
}

TEST_F(GraphOperations, ExtendGraphsByGradients) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {3});
  g.output("total", g.node("sum", {g.node("mul", {x, x})}));
  const Message extended =
      call("compute/grad", document(std::move(g).build(), {{"outputs", JsonArray{"total"}}, {"wrt", JsonArray{"x"}}}));
  const Json compiled = call("compute/compile", Message{extended.value, extended.bytes}).value;
  const Json run = call("compute/run", JsonObject{{"plan", compiled.at("plan")},
                                                  {"inputs", JsonObject{{"x", tensor<float>({3}, {1, -2, 3})}}}});
  EXPECT_EQ(read_as<float>(run.at("outputs").at("grad/x")), (std::vector<float>{2, -4, 6}));
}

TEST_F(GraphOperations, ReportAllProblemsOfAGraph) {
  const auto error = error_of([&] {
    call("compute/compile", R"({"graph":{"alknet_graph":1,"inputs":[{"name":"x","dtype":"f32","shape":[2]}],
      "nodes":[{"id":"a","op":"no_such","inputs":{"input":"x"},"attrs":{}},
               {"id":"b","op":"relu","inputs":{"input":"y"},"attrs":{}}],"outputs":[]}})");
  });
  EXPECT_EQ(call::wire_code(error), "GRAPH_INVALID");
  EXPECT_GE(error.details().at("details").at("problems").as_array().size(), 2U) << json_text(error.details());
}

TEST_F(GraphOperations, NameWhatARunLacks) {
  const Json plan = compile(regression());
  EXPECT_EQ(code("compute/run", JsonObject{{"plan", plan.at("plan")}, {"inputs", JsonObject{}}}), "INVALID_INPUT")
      << "it has states";
  const Json opened = call("compute/open", with_plan(plan));
  const auto run = [&](JsonObject inputs) {
    return code("compute/run", JsonObject{{"execution", opened.at("execution")}, {"inputs", std::move(inputs)}});
  };
  const Json x = tensor<float>({4, 2}, std::vector<float>(8)), target = tensor<float>({4, 1}, std::vector<float>(4));
  EXPECT_EQ(run({{"x", x}}), "MISSING_INPUT");
  EXPECT_EQ(run({{"x", x}, {"target", x}}), "SHAPE_MISMATCH");
  EXPECT_EQ(run({{"x", x}, {"target", target}, {"z", 1}}), "INVALID_INPUT");
  EXPECT_EQ(run({{"x", x}, {"target", target}}), "no error");
  EXPECT_EQ(code("compute/run", JsonObject{{"execution", plan.at("plan")}, {"inputs", JsonObject{}}}), "INVALID_INPUT");
}

TEST_F(GraphOperations, NeedParametersWithoutInitialValue) {
  GraphBuilder g;
  g.output("y", g.node("relu", {g.state("w", Dtype::kF32, {2})}));
  const Json plan = compile(std::move(g).build());
  EXPECT_EQ(code("compute/open", with_plan(plan)), "MISSING_PARAMETER");
}

TEST_F(GraphOperations, FreeEverythingWithTheirHandles) {
  const std::uint64_t before = live_bytes();
  const Json plan = compile(regression());
  const Json opened = call("compute/open", with_plan(plan));
  const Json run = call(
      "compute/run",
      JsonObject{{"execution", opened.at("execution")},
                 {"inputs", JsonObject{{"x", tensor<float>({1, 2}, {1, 1})}, {"target", tensor<float>({1, 1}, {0})}}}});
  EXPECT_GT(live_bytes(), before);
  call("compute/dispose", R"({"handles":["h2","h3","h4","h5","h6","h7","h8","h9","h10"]})");
  EXPECT_EQ(live_bytes(), before) << json_text(run);
}

TEST_F(GraphOperations, RefuseStatesBeyondTheQuota) {
  GraphBuilder g;
  graph::State state{"w", Dtype::kF32, {1'000'000}, graph::StateScope::kStore, true, "zeros"};
  g.output("y", g.node("sum", {g.state(std::move(state))}));
  const auto small = make_owner(call::Owner::Kind::kConnection, {.max_count = 100, .max_bytes = 1'000'000});
  const Json plan = call("compute/compile", document(std::move(g).build()), small).value;
  EXPECT_EQ(code("compute/open", with_plan(plan), small), "RESOURCE_EXHAUSTED");
  end(small);
}

using GradientOperations = GraphOperations;

TEST_F(GradientOperations, ComeFromRecordedCalls) {
  const Json x = call("compute/create_tensor", R"({"dtype":"f32","shape":[2],"values":[3,4],"requires_grad":true})");
  const Json w = call("compute/requires_grad", JsonObject{{"tensor", tensor<float>({2}, {5, 6})}});
  const Json total =
      call("tensor/sum", JsonObject{{"input", call("tensor/mul", JsonObject{{"input", x}, {"other", w}})}});
  const Json found =
      call("compute/backward", JsonObject{{"output", total}, {"inputs", JsonArray{x, w}}, {"retain_graph", true}});
  EXPECT_EQ(values(found.at("gradients").at(0)), Json(JsonArray{5.0, 6.0}));
  EXPECT_EQ(values(found.at("gradients").at(1)), Json(JsonArray{3.0, 4.0}));
  const auto backward = [&] {
    return code("compute/backward", JsonObject{{"output", total}, {"inputs", JsonArray{x}}});
  };
  EXPECT_EQ(backward(), "no error");
  EXPECT_EQ(backward(), "GRAPH_FREED");
}

TEST_F(GradientOperations, TakeWeightsAndNullForTheUnused) {
  const Json x = call("compute/create_tensor", R"({"dtype":"f32","shape":[2],"values":[3,4],"requires_grad":true})");
  const Json other = call("compute/create_tensor", R"({"dtype":"f32","shape":[],"requires_grad":true})");
  const Json y = call("tensor/mul", JsonObject{{"input", x}, {"other", x}});
  JsonObject input{{"output", y}, {"inputs", JsonArray{x, other}}};
  EXPECT_EQ(code("compute/backward", input), "MISSING_INPUT") << "a weight for each element";
  input["grad"] = tensor<float>({2}, {1, 10});
  input["allow_unused"] = true;
  const Json gradients = call("compute/backward", input).at("gradients");
  EXPECT_EQ(values(gradients.at(0)), Json(JsonArray{6.0, 80.0}));
  EXPECT_TRUE(gradients.at(1).is_null());
}

TEST_F(GradientOperations, AreRefusedAfterAWrite) {
  const Json x = call("compute/create_tensor", R"({"dtype":"f32","shape":[1],"values":[3],"requires_grad":true})");
  const Json factor = tensor<float>({1}, {2});
  const Json y = call("tensor/mul", JsonObject{{"input", x}, {"other", factor}});
  call("compute/write_tensor", JsonObject{{"tensor", factor}, {"values", JsonArray{9}}});
  EXPECT_EQ(code("compute/backward", JsonObject{{"output", y}, {"inputs", JsonArray{x}}}), "STALE_VERSION");
}

TEST_F(GradientOperations, AreCheckedAgainstDifferences) {
  const Json x = tensor<double>({3}, {0.1, -0.4, 0.7});
  const Json report = call("compute/gradcheck", JsonObject{{"operation", "tanh"}, {"inputs", JsonArray{x}}});
  EXPECT_EQ(report.at("passed"), true) << json_text(report);
  const Message of_graph = document(
      regression(), {{"inputs", JsonArray{tensor<float>({2, 2}, {1, 2, 3, 4}), tensor<float>({2, 1}, {1, 2})}}});
  EXPECT_EQ(call("compute/gradcheck", of_graph).value.at("passed"), true);
}

TEST_F(GradientOperations, AreCheckedOnOnlySoManyElements) {
  const auto most = service().options().max_gradcheck_elements;
  for (const std::int64_t size : {most, most + 1}) {
    const Json x = call("tensor/ones", Json(JsonObject{{"size", JsonArray{size}}, {"dtype", "f64"}}));
    EXPECT_EQ(code("compute/gradcheck", JsonObject{{"operation", "neg"}, {"inputs", JsonArray{x}}}),
              size == most ? "no error" : "RESOURCE_EXHAUSTED");
  }
}

}  // namespace
}  // namespace alknet::compute
