#include "tests/operations/perf.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <ostream>

#include "alknet/base/error.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "tests/operations/calls.h"

namespace alknet::operations {
namespace {

using graph::Dtype;
using graph::OpSpec;
using graph::Shape;

/// Multiplications and additions of products and convolutions; 0 of others.
double operations_of(const OpSpec& op, const Call& call, const Shape& result) {
  const auto results = static_cast<double>(graph::element_count(result));
  const auto size = [&](std::size_t input, std::size_t from_end) {
    const Shape& shape = *call.inputs[input];
    return static_cast<double>(shape[shape.size() - from_end]);
  };
  const std::string& name = op.name;
  if (name == "matmul" || name == "int_mm" || name == "mm" || name == "bmm" || name == "mv" || name == "dot" ||
      name == "einsum") {
    return 2 * results * size(0, 1);
  }
  if (name == "addmm" || name == "baddbmm" || name == "addmv") return 2 * results * size(1, 1);
  if (name == "attention" || name == "scaled_dot_product_attention") return 4 * results * size(1, 2);
  if (name.starts_with("conv") && call.inputs.size() > 1) {
    const Shape& weight = *call.inputs[1];
    const double taps = static_cast<double>(graph::element_count(weight)) / static_cast<double>(weight[0]);
    if (name.starts_with("conv_transpose"))
      return 2 * static_cast<double>(graph::element_count(*call.inputs[0])) * taps;
    if (!name.ends_with("_weight") && !name.ends_with("_input")) return 2 * results * taps;
  }
  return 0;
}

struct Figures {
  double seconds, bytes, operations;
};

Figures fastest(const std::shared_ptr<compute::Backend>& backend, const OpSpec& op, const Call& call,
                const graph::Graph& graph, double budget) {
  const compute::Context context(std::make_shared<compute::BufferManager>(), backend);
  compute::Session session(compute::Plan::compile(graph, backend), compute::Store(context));
  std::vector<compute::Tensor> inputs;
  double bytes = 0;
  const auto add_bytes = [&](const compute::Tensor& tensor) {
    bytes += static_cast<double>(graph::element_count(tensor.shape())) *
             static_cast<double>(graph::dtype_bytes(tensor.dtype()));
  };
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    inputs.push_back(random_input(context, op, i, graph.inputs[i]));
    add_bytes(inputs.back());
  }
  const auto outputs = session.run(inputs);
  add_bytes(outputs.front());
  backend->synchronize();
  using Clock = std::chrono::steady_clock;
  double best = std::numeric_limits<double>::infinity();
  const auto until = Clock::now() + std::chrono::duration<double>(budget);
  do {
    const auto start = Clock::now();
    session.run_into(inputs, outputs);
    backend->synchronize();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() < until);
  return {best, bytes, operations_of(op, call, outputs.front().shape())};
}

std::string shapes_of(const graph::Graph& graph, const JsonObject& attrs) {
  std::string text;
  for (const auto& input : graph.inputs) text += graph::shape_text(input.shape) + ' ';
  return attrs.empty() ? text : text + json_text(attrs);
}

}  // namespace

void measure(const std::shared_ptr<compute::Backend>& backend, const PerfOptions& options, std::ostream& out) {
  out << fmt::format("{:<32} {:>12} {:>9} {:>9}  {}\n", "operation", "microseconds", "GB/s", "GFLOP/s", "call");
  for (const OpSpec& op : graph::OpTable::builtin().ops()) {
    const auto& only = options.ops;
    if (!only.empty() && std::find(only.begin(), only.end(), op.name) == only.end()) continue;
    const Call call = typical_call(op);
    const auto graph = graph_of(op, call, options.dtype);
    if (!graph || op.name == "assign") continue;  // takes no such dtype; has no result to wait for
    try {
      const Figures figures = fastest(backend, op, call, *graph, options.seconds);
      const std::string flops =
          figures.operations > 0 ? fmt::format("{:.2f}", figures.operations / figures.seconds * 1e-9) : "";
      out << fmt::format("{:<32} {:>12.1f} {:>9.2f} {:>9}  {}", op.name, figures.seconds * 1e6,
                         figures.bytes / figures.seconds * 1e-9, flops, shapes_of(*graph, call.attrs))
          << std::endl;
    } catch (const Error& error) {
      out << fmt::format("{:<32} {:>12}  {}", op.name, error.code_name(), error.message()) << std::endl;
    }
  }
}

}  // namespace alknet::operations
