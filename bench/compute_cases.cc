// C1, C3, C6: the compute layer.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alknet/compute/devices.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/session.h"
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

/// C1: the product of two square matrices of random numbers.
Case matmul(const Json& parameters) {
  const auto n = parameters.at("n").to_number<std::int64_t>();
  const compute::Context context = make_context(parameters);
  graph::GraphBuilder builder;
  const auto a = builder.input("a", graph::Dtype::kF32, {n, n});
  const auto b = builder.input("b", graph::Dtype::kF32, {n, n});
  builder.output("c", builder.node("matmul", {a, b}));
  auto session = std::make_shared<compute::Session>(
      compute::Plan::compile(std::move(builder).build(), context.backend()), compute::Store(context));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(n * n));
  std::vector<compute::Tensor> inputs;
  for (int i = 0; i < 2; ++i) {
    for (float& value : values) value = uniform(random);
    inputs.push_back(context.from<float>(values, {n, n}));
  }
  const auto out = session->run(inputs);
  return [session, inputs, out] { session->run(inputs, out); };
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

}  // namespace

Cases compute_cases() { return {{"matmul", matmul}, {"tiny", tiny}, {"embed", embed}}; }

}  // namespace alknet::bench
