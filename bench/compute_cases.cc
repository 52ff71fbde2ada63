// C1, C2, C3, C5, C6, C7: the compute layer.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alknet/compute/devices.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/compute/models/digits_cnn.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/train_step.h"
#include "bench/cases.h"

namespace alknet::bench {
namespace {

compute::Context make_context(const Json& parameters) {
  compute::Devices::Options options;
  options.threads = parameters.at("threads").to_number<std::size_t>();
  options.robust = false;
  compute::Devices devices(options);
  return {std::make_shared<compute::BufferManager>(), devices.open("cpu")};
}

using graph::GraphBuilder;
using graph::Ref;
using graph::Scalar;

/// A session that runs what `build` makes of inputs of these shapes, filled with random numbers in [-1, 1).
Case random_inputs(const compute::Context& context, const std::vector<compute::Shape>& shapes,
                   const std::function<Ref(GraphBuilder&, const std::vector<Ref>&)>& build) {
  GraphBuilder builder;
  std::vector<Ref> refs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    refs.push_back(builder.input(fmt::format("x{}", i), graph::Dtype::kF32, {shapes[i].begin(), shapes[i].end()}));
  }
  builder.output("y", build(builder, refs));
  auto session = std::make_shared<compute::Session>(
      compute::Plan::compile(std::move(builder).build(), context.backend()), compute::Store(context));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<compute::Tensor> inputs;
  for (const compute::Shape& shape : shapes) {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (float& value : values) value = uniform(random);
    inputs.push_back(context.from<float>(values, shape));
  }
  const auto out = session->run(inputs);
  return [session, inputs, out] { session->run_into(inputs, out); };
}

/// C6: one operation on 16 elements, called many times a run.
Case tiny(const Json& parameters) {
  const compute::Context context = make_context(parameters);
  const auto calls = parameters.at("calls").to_number<int>();
  const std::vector<float> values(16, 1.5F);
  const compute::Tensor a = context.from<float>(values, {16});
  const compute::Tensor b = context.from<float>(values, {16});
  const std::string name(parameters.at("op").as_string());
  const auto repeat = [calls](auto call) {
    return [calls, call] {
      for (int i = 0; i < calls; ++i) keep(call().element_count());
    };
  };
  if (name == "add") return repeat([a, b] { return a + b; });
  if (name == "mul by a number") return repeat([a] { return a * 0.5; });
  if (name == "exp") return repeat([a] { return exp(a); });
  return repeat([a] { return a.sum(0); });
}

/// C1: the product of two square matrices.
Case matmul(const Json& parameters) {
  const auto n = parameters.at("n").to_number<std::int64_t>();
  return random_inputs(make_context(parameters), {{n, n}, {n, n}}, [](GraphBuilder& g, const std::vector<Ref>& x) {
    return g.node("matmul", {x[0], x[1]});
  });
}

Ref chain(GraphBuilder& g, const std::vector<Ref>& x) {
  const Ref product = g.node("add", {g.node("mul", {x[0], x[1]}), x[0]});
  const Ref difference = g.node("sub", {g.node("maximum", {product, Scalar::of(0.0)}), x[1]});
  const Ref root = g.node("sqrt", {g.node("abs", {difference})});
  return g.node("minimum", {g.node("mul", {root, Scalar::of(1.5)}), Scalar::of(1.0)});
}

/// C2: a function of large tensors.
Case pointwise(const Json& parameters) {
  const auto shape = boost::json::value_to<compute::Shape>(parameters.at("shape"));
  const std::string_view function = parameters.at("function").as_string();
  const compute::Context context = make_context(parameters);
  if (function == "add") {
    return random_inputs(context, {shape, shape}, [](GraphBuilder& g, const auto& x) {
      return g.node("add", {x[0], x[1]});
    });
  }
  if (function == "chain") return random_inputs(context, {shape, shape}, chain);
  if (function == "softmax") {
    return random_inputs(context, {shape}, [](GraphBuilder& g, const auto& x) {
      return g.node("softmax", {x[0]}, {{"dim", -1}});
    });
  }
  if (function == "sum") {
    return random_inputs(context, {shape}, [](GraphBuilder& g, const auto& x) { return g.node("sum", {x[0]}); });
  }
  const compute::Shape row = {shape.back()};
  return random_inputs(context, {shape, row, row}, [&](GraphBuilder& g, const auto& x) {
    return g.node("layer_norm", {x[0], x[1], x[2]}, {{"normalized_shape", boost::json::value_from(row)}});
  });
}

/// C7: a hundred operations on tensors of a few numbers. `kind` is "chain", or "mixed" with products and sums among
/// them, which end a chain.
Case replay(const Json& parameters) {
  const bool mixed = parameters.at("kind").as_string() == "mixed";
  const compute::Context context = make_context(parameters);
  return random_inputs(context, {{4, 4}, {4, 4}}, [&](GraphBuilder& g, const std::vector<Ref>& x) {
    Ref y = x[0];
    for (int i = 0; i < 20; ++i) {
      y = g.node("tanh", {g.node("add", {g.node("mul", {y, x[1]}), x[0]})});
      if (mixed && i % 2 == 0) {
        y = g.node("matmul", {g.node("abs", {y}), x[1]});
      } else if (mixed) {
        y = g.node("sub", {y, g.node("sum", {y}, {{"dim", JsonArray{1}}, {"keepdim", true}})});
      } else {
        y = g.node("minimum", {g.node("abs", {y}), x[1]});
      }
    }
    return y;
  });
}

/// C3: sentences to vectors, tokens included.
Case embed(const Json& parameters) {
  std::vector<std::string> texts;
  for (const Json& text : parameters.at("texts").as_array()) texts.emplace_back(text.as_string());
  const std::string folder(parameters.at("model").as_string());
  compute::SentenceEncoder::Options options;
  options.batch = texts.size();
  auto encoder = std::make_shared<compute::SentenceEncoder>(
      compute::SentenceEncoder::load(folder, make_context(parameters), options));
  return [encoder, texts] { encoder->embed(texts); };
}

/// C5: a step of AdamW on one batch of images.
Case train(const Json& parameters) {
  const auto batch = parameters.at("batch").to_number<std::int64_t>();
  const compute::Context context = make_context(parameters);
  const graph::Graph step =
      compute::train_step(compute::digits_cnn(true), "loss",
                          {.optimizer = compute::OptimizerOptions::of(compute::OptimizerOptions::Kind::kAdamW)});
  auto session =
      std::make_shared<compute::Session>(compute::Plan::compile(step, context.backend()), compute::Store(context));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<float> images(static_cast<std::size_t>(batch) * 64);
  for (float& value : images) value = uniform(random);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(batch));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 10);
  const std::vector<compute::Tensor> inputs = {context.from<float>(images, {batch, 8, 8}),
                                               context.from<std::int64_t>(labels, {batch}),
                                               context.from<float>(std::vector<float>{0.001F}, {})};
  const auto out = session->run(inputs);
  return [session, inputs, out] { session->run_into(inputs, out); };
}

}  // namespace

Cases compute_cases() {
  return {{"matmul", matmul}, {"pointwise", pointwise}, {"replay", replay},
          {"tiny", tiny},     {"embed", embed},         {"train", train}};
}

}  // namespace alknet::bench
