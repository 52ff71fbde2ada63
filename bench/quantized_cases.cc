// Q1, Q2, Q3: products with weights in GGUF's block formats.
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alknet/base/float16.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/session.h"
#include "bench/cases.h"

namespace alknet::bench {
namespace {

/// Any quants; every 16 bits a small number where they are read as f16, so that no scale is infinite or NaN.
std::vector<std::byte> random_blocks(std::size_t bytes) {
  std::mt19937 random(1);
  std::vector<std::byte> blocks(bytes);
  for (std::size_t i = 0; i + 2 <= bytes; i += 2) {
    const auto bits = static_cast<std::uint16_t>(random() & 0xBFFF);  // below 2
    std::memcpy(&blocks[i], &bits, sizeof bits);
  }
  return blocks;
}

/// quantized_matmul(x [rows, k], w [n, k]), `burst` times; a GPU is waited for once.
Case quantized(const Json& parameters) {
  const auto rows = parameters.at("rows").to_number<std::int64_t>();
  const auto n = parameters.at("n").to_number<std::int64_t>();
  const auto k = parameters.at("k").to_number<std::int64_t>();
  const auto& activations = parameters.at("activations").as_string();
  const auto burst = parameters.at("burst").to_number<int>();
  const auto dtype = graph::parse_dtype(std::string(parameters.at("format").as_string())).value();
  compute::Devices::Options options;
  options.threads = parameters.at("threads").to_number<std::size_t>();
  options.robust = false;
  compute::Devices devices(options);
  const auto backend = devices.open(std::string(parameters.at("device").as_string()));
  const compute::Context context(std::make_shared<compute::BufferManager>(), backend);
  graph::GraphBuilder g;
  const graph::Ref x = g.input("x", graph::Dtype::kF32, {rows, k});
  const graph::Ref w = g.input("w", dtype, {n, k});
  g.output("y", g.node("quantized_matmul", {x, w}, {{"activations", activations}}));
  auto session = std::make_shared<compute::Session>(compute::Plan::compile(std::move(g).build(), backend),
                                                    compute::Store(context));
  const std::vector<float> values(static_cast<std::size_t>(rows * k), 0.5F);
  const auto bytes = random_blocks(graph::storage_bytes(dtype, n * k));
  const std::vector<compute::Tensor> inputs = {context.from<float>(values, {rows, k}),
                                               context.from_bytes(dtype, {n, k}, bytes)};
  const auto out = session->run(inputs);
  return [backend, session, inputs, out, burst] {
    for (int i = 0; i < burst; ++i) session->run_into(inputs, out);
    backend->synchronize();
  };
}

}  // namespace

Cases quantized_cases() { return {{"quantized", quantized}}; }

}  // namespace alknet::bench
