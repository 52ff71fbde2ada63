#include "alknet/compute/passes/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/models/bert.h"
#include "alknet/compute/session.h"
#include "alknet/graph/gradient.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

class PassesTest : public testing::Test {
 protected:
  std::shared_ptr<const Plan> compile(const graph::Graph& graph, const CompileOptions& options = {}) {
    return Plan::compile(graph, backend, options);
  }

  std::size_t kernels(const graph::Graph& graph, const CompileOptions& options = {}) {
    return compile(graph, options)->program().steps.size();
  }

  std::vector<std::vector<std::byte>> results(const graph::Graph& graph, std::span<const Tensor> inputs,
                                              const CompileOptions& options = {}) {
    Session session(compile(graph, options), Store(context));
    std::vector<std::vector<std::byte>> bytes;
    for (int run = 0; run < 2; ++run) {  // twice: states change, the arena is used again
      for (const Tensor& output : session.run(inputs)) bytes.push_back(output.read());
    }
    return bytes;
  }

  /// With all passes, and without each, the same bits come out.
  void expect_same_without_each(const graph::Graph& graph, std::span<const Tensor> inputs) {
    const auto expected = results(graph, inputs);
    for (bool CompileOptions::*pass : {&CompileOptions::fold_constants, &CompileOptions::share, &CompileOptions::fuse,
                                       &CompileOptions::fuse_epilogues, &CompileOptions::reuse_inputs}) {
      CompileOptions options;
      options.*pass = false;
      EXPECT_TRUE(results(graph, inputs, options) == expected) << compile(graph, options)->dump();
    }
    const CompileOptions none = {
        .fold_constants = false, .share = false, .fuse = false, .fuse_epilogues = false, .reuse_inputs = false};
    EXPECT_TRUE(results(graph, inputs, none) == expected) << compile(graph)->dump();
  }

  Tensor random(Shape shape, Dtype dtype = Dtype::kF32) {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (float& value : values) value = distribution(generator);
    const Tensor floats = context.from<float>(values, shape);
    if (dtype == Dtype::kF32) return floats;
    GraphBuilder g;
    const Ref x = g.input("x", Dtype::kF32, graph::SymbolicShape(shape.begin(), shape.end()));
    g.output("y", g.node("cast", {x}, {{"dtype", graph::dtype_name(dtype)}}));
    return Session(compile(std::move(g).build()), Store(context)).run(std::array{floats})[0];
  }

  std::shared_ptr<Backend> backend = make_cpu_backend({2});
  Context context{std::make_shared<BufferManager>(), backend};
  std::mt19937 generator{1};
  std::uniform_real_distribution<float> distribution{-2, 2};
};

Ref constant(GraphBuilder& g, const std::string& name, const std::vector<float>& values, Shape shape) {
  return g.constant(name, Dtype::kF32, std::move(shape), SharedBytes::copy(std::as_bytes(std::span(values))));
}

TEST_F(PassesTest, ComputesWhatDependsOnConstantsAloneWhileCompiling) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 3});
  const Ref table = constant(g, "table", {1, 4, 9, 16, 25, 36}, {2, 3});
  const Ref row = g.node("sum", {g.node("sqrt", {table})}, {{"dim", JsonArray{0}}});
  g.output("y", g.node("matmul", {x, g.node("expand", {row}, {{"size", JsonArray{3, 3}}})}));
  const auto graph = std::move(g).build();
  EXPECT_EQ(kernels(graph), 1u) << compile(graph)->dump();
  EXPECT_EQ(kernels(graph, {.fold_constants = false}), 3u);
  expect_same_without_each(graph, std::array{random({2, 3})});
}

TEST_F(PassesTest, ComputesEqualNodesOnce) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4, 4});
  const auto turned = [&] { return g.node("transpose", {x}, {{"dim0", 0}, {"dim1", 1}}); };
  g.output("a", g.node("sum", {g.node("matmul", {x, turned()})}));
  g.output("b", g.node("softmax", {g.node("matmul", {x, turned()})}, {{"dim", 1}}));
  const auto graph = std::move(g).build();
  EXPECT_EQ(kernels(graph), 3u) << compile(graph)->dump();
  EXPECT_EQ(kernels(graph, {.share = false}), 4u);
  expect_same_without_each(graph, std::array{random({4, 4})});
}

TEST_F(PassesTest, GivesEqualOutputsMemoryOfTheirOwn) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4});
  g.output("a", g.node("exp", {x}));
  g.output("b", g.node("exp", {x}));
  g.output("c", x);
  g.output("d", x);
  const auto graph = std::move(g).build();
  const auto out = Session(compile(graph), Store(context)).run(std::array{random({4})});
  EXPECT_NE(out[0].buffer(), out[1].buffer());
  EXPECT_NE(out[2].buffer(), out[3].buffer());
  EXPECT_EQ(out[0].read(), out[1].read());
  EXPECT_EQ(out[2].read(), out[3].read());
}

TEST_F(PassesTest, DoesNotShareAcrossAnAssign) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4});
  const Ref s = g.state({"s", Dtype::kF32, {4}, graph::StateScope::kSession, false, "zeros"});
  g.output("before", g.node("exp", {s}));
  const Ref updated = g.node("assign", {s, g.node("add", {s, x})});
  g.output("after", g.node("exp", {updated}));
  const auto graph = std::move(g).build();
  expect_same_without_each(graph, std::array{random({4})});
  const auto out = results(graph, std::array{random({4})});
  EXPECT_EQ(out[1], out[2]);  // after the first run as before the second
  EXPECT_NE(out[0], out[1]);
}

TEST_F(PassesTest, KeepsWhatCheckpointsRecompute) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {4, 4});
  const Ref h = g.node("matmul", {x, x});
  g.output("y", g.node("sum", {g.node("matmul", {h, h})}));
  graph::Graph graph = std::move(g).build();
  const std::vector<std::string> outputs = {"y"}, wrt = {"x"};
  const std::size_t kept = kernels(graph::grad(graph, {outputs, wrt}));
  graph.nodes.at(0).checkpoint = true;
  const auto checkpointed = graph::grad(graph, {outputs, wrt});
  EXPECT_EQ(kernels(checkpointed), kept + 1) << compile(checkpointed)->dump();
  expect_same_without_each(checkpointed, std::array{random({4, 4})});
}

TEST_F(PassesTest, WritesAResultThatOthersUseOnTheWay) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 5});
  const Ref a = g.node("exp", {x});
  g.output("rows", g.node("sum", {a}, {{"dim", JsonArray{1}}}));
  g.output("b", g.node("mul", {g.node("sqrt", {a}), x}));
  const auto graph = std::move(g).build();
  EXPECT_EQ(kernels(graph), 2u) << compile(graph)->dump();
  expect_same_without_each(graph, std::array{random({700, 5})});
}

TEST_F(PassesTest, ComputesCheapBroadcastInputsWhereTheyAreUsed) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 5});
  const Ref bias = g.input("bias", Dtype::kF32, {5});
  const Ref wide = g.node("expand", {g.node("neg", {bias})}, {{"size", JsonArray{"n", 5}}});
  g.output("y", g.node("mul", {g.node("add", {x, g.node("add", {bias, Scalar::of(1.0)})}), wide}));
  const auto graph = std::move(g).build();
  EXPECT_EQ(kernels(graph), 1u) << compile(graph)->dump();
  expect_same_without_each(graph, std::array{random({3, 5}), random({5})});
}

TEST_F(PassesTest, PutsBiasActivationAndResidualIntoTheProductAndKeepsWhatTheGradientReads) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {6, 4});
  const Ref w = g.input("w", Dtype::kF32, {4, 4});
  const Ref b = g.input("b", Dtype::kF32, {4});
  const Ref before = g.node("add", {g.node("matmul", {x, w}), b});
  g.output("y", g.node("add", {g.node("gelu", {before}), x}));
  g.output("before", before);
  const auto graph = std::move(g).build();
  EXPECT_EQ(kernels(graph), 1u) << compile(graph)->dump();
  EXPECT_EQ(kernels(graph, {.fuse_epilogues = false}), 2u);
  expect_same_without_each(graph, std::array{random({6, 4}), random({4, 4}), random({4})});
}

TEST_F(PassesTest, RoundsBetweenFusedStepsAsStoringWould) {
  for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16}) {
    GraphBuilder g;
    const Ref x = g.input("x", dtype, {64});
    const Ref m = g.input("m", dtype, {64, 64});
    const Ref third = g.node("div", {x, Scalar::of(3.0)});
    const Ref wide = g.node("cast", {g.node("mul", {third, third})}, {{"dtype", "f32"}});
    g.output("y", g.node("cast", {g.node("mul", {wide, Scalar::of(1.1)})}, {{"dtype", graph::dtype_name(dtype)}}));
    g.output("z", g.node("sub", {g.node("matmul", {m, x}), third}));
    const auto graph = std::move(g).build();
    EXPECT_LT(kernels(graph), kernels(graph, {.fuse = false}));
    expect_same_without_each(graph, std::array{random({64}, dtype), random({64, 64}, dtype)});
  }
}

TEST_F(PassesTest, WrapsBetweenFusedStepsAsStoringWould) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kI8, {4});
  const Ref sum = g.node("add", {x, x});
  g.output("positive", g.node("gt", {sum, Scalar::of(std::int64_t{0})}));
  const auto graph = std::move(g).build();
  const Tensor values = context.from<std::int8_t>(std::array<std::int8_t, 4>{100, -100, 1, -1}, {4});
  EXPECT_EQ(kernels(graph), 1u);
  expect_same_without_each(graph, std::array{values});
}

TEST_F(PassesTest, KeepsNanAndSignedZero) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {5});
  const Ref zero = constant(g, "zero", {0}, {});
  const Ref a = g.node("maximum", {g.node("add", {x, zero}), zero});
  g.output("y", g.node("mul", {g.node("div", {a, x}), g.node("expand", {zero}, {{"size", JsonArray{5}}})}));
  const auto graph = std::move(g).build();
  const Tensor values = context.from<float>(std::vector<float>{NAN, -0.0f, 0.0f, INFINITY, -INFINITY}, {5});
  expect_same_without_each(graph, std::array{values});
}

TEST_F(PassesTest, CountsPlacesInTheResultThatAnOperationHas) {
  GraphBuilder g;
  const Ref rows = g.node("unsqueeze", {g.node("arange", {}, {{"end", 3}})}, {{"dim", 1}});
  g.output("y", g.node("sub", {rows, g.node("arange", {}, {{"end", 4}})}));
  Session session(compile(std::move(g).build()), Store(context));
  EXPECT_THAT(session.run({}).front().to_vector<std::int64_t>(),
              testing::ElementsAre(0, -1, -2, -3, 1, 0, -1, -2, 2, 1, 0, -1));
}

TEST_F(PassesTest, WritesOverInputsThatNothingReadsAnyMore) {
  GraphBuilder g;
  Ref x = g.node("softmax", {g.input("x", Dtype::kF32, {64, 64})}, {{"dim", 0}});
  for (int i = 0; i < 3; ++i) x = g.node("sqrt", {x});
  g.output("y", g.node("sum", {x}));
  const auto graph = std::move(g).build();
  EXPECT_EQ(compile(graph, {.fuse = false})->program().slots.arena, 1u);
  EXPECT_EQ(compile(graph, {.fuse = false, .reuse_inputs = false})->program().slots.arena, 2u);
  expect_same_without_each(graph, std::array{random({64, 64})});
}

TEST_F(PassesTest, DoesNotWriteOverAnInputThatAlsoIsReadTurned) {
  GraphBuilder g;
  const Ref x = g.node("softmax", {g.input("x", Dtype::kF32, {40, 40})}, {{"dim", 0}});
  const Ref turned = g.node("transpose", {x}, {{"dim0", 0}, {"dim1", 1}});
  g.output("y", g.node("sum", {g.node("sub", {x, turned})}, {{"dim", JsonArray{0}}}));
  const auto graph = std::move(g).build();
  expect_same_without_each(graph, std::array{random({40, 40})});
}

graph::Graph bert(std::int64_t layers) {
  GraphBuilder g;
  const graph::SymbolicShape tokens = {Dim::symbol("batch"), Dim::symbol("seq")};
  const Ref ids = g.input("input_ids", Dtype::kI32, tokens), mask = g.input("attention_mask", Dtype::kF32, tokens);
  BertConfig config;
  config.vocab_size = 10;
  config.hidden_size = 8;
  config.num_hidden_layers = layers;
  config.num_attention_heads = 2;
  config.intermediate_size = 16;
  config.max_position_embeddings = 6;
  config.type_vocab_size = 2;
  g.output("y", add_bert_encoder(g, config, ids, mask));
  return std::move(g).build();
}

TEST_F(PassesTest, MakesNineKernelsOfALayerOfBert) {
  EXPECT_LE(kernels(bert(2)) - kernels(bert(1)), 9u) << compile(bert(2))->dump();
}

/// A product, a product with what follows it, and attention, each turned and read as if it lay so.
graph::Graph turned_results() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {3, 4, 5}), w = g.input("w", Dtype::kF32, {5, 6});
  const Ref product = g.node("matmul", {x, w});
  const Ref last_first = g.node("permute", {product}, {{"dims", JsonArray{-1, 0, 1}}});
  g.output("product", g.node("exp", {g.node("reshape", {last_first}, {{"shape", JsonArray{9, 8}}})}));
  const Ref biased = g.node(
      "relu",
      {g.node("add", {g.node("matmul", {x, g.input("v", Dtype::kF32, {5, 6})}), g.input("b", Dtype::kF32, {6})})});
  const Ref swapped = g.node("transpose", {biased}, {{"dim0", 1}, {"dim1", -1}});
  const Ref twice = g.node("transpose", {swapped}, {{"dim0", 0}, {"dim1", 2}});
  g.output("biased", g.node("matmul", {g.node("reshape", {twice}, {{"shape", JsonArray{24, 3}}}),
                                       g.input("c", Dtype::kF32, {3, 2})}));
  const Ref q = g.input("q", Dtype::kF32, {2, 3, 7, 4});
  const Ref heads = g.node("scaled_dot_product_attention", {q, q, q});
  const Ref joined = g.node("transpose", {heads}, {{"dim0", 1}, {"dim1", 2}});
  g.output("attention", g.node("exp", {g.node("reshape", {joined}, {{"shape", JsonArray{2, 7, 12}}})}));
  return std::move(g).build();
}

TEST_F(PassesTest, StoresResultsInTheOrderThatTheirOnlyReaderCopies) {
  const auto graph = turned_results();
  const auto plan = compile(graph);
  EXPECT_EQ(plan->program().steps.size(), 6u) << plan->dump();
  expect_same_without_each(graph, std::array{random({3, 4, 5}), random({5, 6}), random({5, 6}), random({6}),
                                             random({3, 2}), random({2, 3, 7, 4})});
}

TEST_F(PassesTest, KeepsTheSignOfZerosAndNansInPairsOfSteps) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {64}), y = g.input("y", Dtype::kF32, {64});
  const auto product = [&] { return g.node("mul", {x, y}); };
  for (const char* op : {"maximum", "minimum", "sub", "add"}) {
    g.output(std::string(op) + " of a product", g.node(op, {product(), y}));
    g.output(std::string(op) + " with a product", g.node(op, {y, product()}));
  }
  g.output("roots", g.node("mul", {g.node("sqrt", {g.node("abs", {product()})}), y}));
  std::vector<float> left, right;
  for (const float a : {0.0F, -0.0F, 1.0F, -1.0F, INFINITY, -INFINITY, NAN, -2.5F}) {
    for (const float b : {0.0F, -0.0F, 1.0F, -1.0F, INFINITY, -INFINITY, NAN, -2.5F}) {
      left.push_back(a);
      right.push_back(b);
    }
  }
  const std::array inputs = {context.from<float>(left, {64}), context.from<float>(right, {64})};
  expect_same_without_each(std::move(g).build(), inputs);
}

TEST_F(PassesTest, CopiesATurnedResultThatOthersRead) {
  GraphBuilder g;
  const Ref product = g.node("matmul", {g.input("x", Dtype::kF32, {6, 6}), g.input("w", Dtype::kF32, {6, 6})});
  const Ref turned = g.node("transpose", {product}, {{"dim0", 0}, {"dim1", 1}});
  g.output("flat", g.node("exp", {g.node("reshape", {turned}, {{"shape", JsonArray{36}}})}));
  g.output("sum", g.node("sum", {product}));
  g.output("turned", turned);
  expect_same_without_each(std::move(g).build(), std::array{random({6, 6}), random({6, 6})});
}

TEST_F(PassesTest, MakesThoseKernelsOnTheGpuToo) {
  std::shared_ptr<Backend> gpu;
  try {
    gpu = Devices().open("gpu");
  } catch (const Error& error) {
    GTEST_SKIP() << error.message();
  }
  const auto kernels_of = [&](std::int64_t layers) { return Plan::compile(bert(layers), gpu)->program().steps.size(); };
  EXPECT_LE(kernels_of(2) - kernels_of(1), 9u);
  const Context there(std::make_shared<BufferManager>(), gpu);
  const auto graph = turned_results();
  std::vector<Tensor> inputs, copies;
  for (const auto& input : graph.inputs) {
    inputs.push_back(random(graph::evaluate(input.shape, {})));
    copies.push_back(there.from<float>(inputs.back().to_vector<float>(), inputs.back().shape()));
  }
  const auto expected = Session(compile(graph), Store(context)).run(inputs);
  const auto results = Session(Plan::compile(graph, gpu), Store(there)).run(copies);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_THAT(results[i].to_vector<float>(),
                testing::Pointwise(testing::FloatNear(1e-2F), expected[i].to_vector<float>()));
  }
}

TEST_F(PassesTest, GivesTheSameForRandomGraphsWithAndWithoutEachPass) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 choose(seed);
    const auto pick = [&](std::size_t n) { return choose() % n; };
    GraphBuilder g;
    std::vector<Ref> square = {g.input("x", Dtype::kF32, {20, 20}), g.input("y", Dtype::kF32, {20, 20})};
    const Ref row = g.input("row", Dtype::kF32, {20});
    Ref state = g.state({"s", Dtype::kF32, {20, 20}, graph::StateScope::kSession, false, "ones"});
    for (int i = 0; i < 25; ++i) {
      const Ref a = square[pick(square.size())], b = square[pick(square.size())];
      switch (pick(8)) {
        case 0: square.push_back(g.node("add", {a, b})); break;
        case 1: square.push_back(g.node("mul", {a, row})); break;
        case 2: square.push_back(g.node("tanh", {a})); break;
        case 3: square.push_back(g.node("sub", {a, Scalar::of(0.5)})); break;
        case 4: square.push_back(g.node("matmul", {g.node("tanh", {a}), b})); break;
        case 5: square.push_back(g.node("transpose", {a}, {{"dim0", 0}, {"dim1", 1}})); break;
        case 6: square.push_back(g.node("softmax", {a}, {{"dim", 1}})); break;
        case 7:
          state = g.node("assign", {state, g.node("add", {g.node("tanh", {a}), state})});
          square.push_back(g.node("contiguous", {g.node("mul", {state, state})}));
          break;
      }
    }
    for (std::size_t i = 0; i < 4; ++i) g.output(std::to_string(i), square[square.size() - 1 - i]);
    g.output("s", state);
    SCOPED_TRACE(seed);
    expect_same_without_each(std::move(g).build(), std::array{random({20, 20}), random({20, 20}), random({20})});
  }
}

}  // namespace
}  // namespace alknet::compute
