// The measured side of the benchmarks: prepares one case and times it on request. bench/run talks to it in JSON lines
// on standard input and output, and alternates it with the peers, which speak the same protocol:
//
//   {"prepare": {"case": "matmul", "n": 256, "threads": 2}}   ->  {"ready": true, "version": "..."}
//   {"run": 10}                                               ->  {"seconds": 0.0123}

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "alknet/compute/session.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/file.h"

namespace alknet::bench {
namespace {

using Case = std::function<void()>;

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

/// F2: open a file and read all its bytes once, as 64-bit words.
Case read_file(const Json& parameters) {
  const std::string path(parameters.at("file").as_string());
  return [path] {
    std::uint64_t sum = 0;
    const auto file = tensor::File::open(path);
    for (const auto& entry : file.entries()) {
      const auto view = file.tensor(entry);
      const auto bytes = view.data();
      std::size_t i = 0;
      for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + i, sizeof word);
        sum += word;
      }
      for (; i < bytes.size(); ++i) sum += static_cast<std::uint64_t>(bytes[i]);
    }
    volatile std::uint64_t sink = sum;
    (void)sink;
  };
}

/// F5: the verdict of a compiled schema on a parsed instance.
Case validate(const Json& parameters) {
  const auto schema = schema::Schema::from_json(parameters.at("schema"));
  return [schema, instance = parameters.at("instance")] {
    if (!schema.is_valid(instance)) throw Error(BaseError::kInternal, "validate: the instance is not valid");
  };
}

const std::map<std::string, Case (*)(const Json&), std::less<>> kCases = {
    {"matmul", matmul}, {"embed", embed}, {"read_file", read_file}, {"validate", validate}};

Json answer(const Json& request, Case& current) {
  const JsonObject& object = request.as_object();
  if (const Json* parameters = object.if_contains("prepare")) {
    current = kCases.at(std::string(parameters->at("case").as_string()))(*parameters);
    current();
    return JsonObject{{"ready", true}, {"version", "alknet " ALKNET_VERSION}};
  }
  const auto count = object.at("run").to_number<int>();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) current();
  return JsonObject{{"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()}};
}

}  // namespace
}  // namespace alknet::bench

int main() {
  alknet::bench::Case current;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << alknet::json_text(alknet::bench::answer(alknet::parse_json(line), current)) << std::endl;
    } catch (const std::exception& error) {
      std::cout << alknet::json_text(alknet::JsonObject{{"error", error.what()}}) << std::endl;
    }
  }
}
