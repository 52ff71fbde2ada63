#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/eager/gradcheck.h"
#include "alknet/compute/error.h"
#include "alknet/compute/session.h"
#include "alknet/graph/error.h"
#include "alknet/graph/gradient.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {
namespace {

using graph::Graph;

/// The operation as a graph whose inputs have its inputs' names.
Graph graph_of(const GradcheckRequest& request, const graph::OpTable& ops) {
  const OpSpec& op = ops.at(request.op);
  graph::GraphBuilder g(ops);
  std::vector<graph::GraphBuilder::Operand> operands(op.inputs.size());
  if (request.inputs.size() > op.inputs.size()) {
    throw Error(graph::GraphError::kBadOperand,
                fmt::format("[gradcheck] {} takes {} inputs, {} were given; lists of inputs need a graph", op.name,
                            op.inputs.size(), request.inputs.size()));
  }
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const Tensor& tensor = request.inputs[i];
    if (!tensor) continue;
    graph::SymbolicShape shape(tensor.shape().begin(), tensor.shape().end());
    operands[i].refs.push_back(g.input(op.inputs[i].name, tensor.dtype(), std::move(shape)));
  }
  const graph::Ref result = g.node(op.name, std::move(operands), request.attrs);
  for (std::size_t k = 0; k < op.outputs.size(); ++k) g.output(op.outputs[k].name, {result.name, k, {}});
  return std::move(g).build();
}

/// Floats become f64, and casts to them.
void widen(Graph& graph) {
  const auto widened = [](Dtype dtype) { return graph::is_float(dtype) ? Dtype::kF64 : dtype; };
  for (auto& input : graph.inputs) input.dtype = widened(input.dtype);
  for (auto& state : graph.states) state.dtype = widened(state.dtype);
  for (auto& node : graph.nodes) {
    if (node.op == "assign") {
      throw Error(
          ComputeError::kUnsupported,
          fmt::format("[gradcheck] node {} assigns to a state, so that no two runs are the same; check the graph "
                      "without it",
                      node.id));
    }
    Json* dtype = node.attrs.if_contains("dtype");
    const auto named =
        dtype && dtype->is_string() ? graph::parse_dtype(std::string_view(dtype->get_string())) : std::nullopt;
    if (named) *dtype = graph::dtype_name(widened(*named));
  }
}

class GraphCheck {
 public:
  GraphCheck(Graph graph, const GradcheckRequest& request, const graph::OpTable& ops)
      : graph_(std::move(graph)), ops_(ops), options_(request.options), store_(context_) {
    widen(graph_);
    std::vector<Tensor> given;
    for (const Tensor& tensor : request.inputs) {
      if (tensor) given.push_back(tensor);
    }
    if (given.size() != graph_.inputs.size()) {
      throw Error(ComputeError::kMissingInput, fmt::format("[gradcheck] the graph has {} inputs, {} were given",
                                                           graph_.inputs.size(), given.size()));
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Tensor copy = context_.from_bytes(given[i].dtype(), given[i].shape(), given[i].read());
      values_.push_back(copy.to(graph_.inputs[i].dtype));
    }
    choose(request);
  }

  GradcheckReport run() {
    GradcheckReport report;
    report.cases = 1;
    for (const auto& node : graph_.nodes) report.ops.insert(node.op);
    compare(report, "");
    if (!options_.second_order) return report;
    // The gradient of what is a gradient.
    const std::size_t first = gradients_.outputs.size() - wrt_.size();
    graph_ = gradients_;
    outputs_.clear();
    for (std::size_t i = first; i < graph_.outputs.size(); ++i) outputs_.push_back(graph_.outputs[i].name);
    compare(report, "second order of ");
    return report;
  }

 private:
  void choose(const GradcheckRequest& request) {
    const auto types = graph::infer(graph_, ops_).types;
    outputs_ = request.outputs;
    for (const auto& output : graph_.outputs) {
      if (request.outputs.empty() && graph::is_float(types.at(output.value.text()).dtype)) {
        outputs_.push_back(output.name);
      }
    }
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const auto& input = graph_.inputs[i];
      const bool wanted = request.wrt.empty()
                              ? graph::is_float(input.dtype)
                              : std::find(request.wrt.begin(), request.wrt.end(), input.name) != request.wrt.end();
      if (wanted) wrt_.push_back(i);
    }
    for (const std::string& name : request.wrt) {
      const bool known = std::any_of(graph_.inputs.begin(), graph_.inputs.end(),
                                     [&](const auto& input) { return input.name == name; });
      if (!known) {
        throw Error(graph::GraphError::kUnknownRef, fmt::format("[gradcheck] the graph has no input \"{}\"", name));
      }
    }
    if (outputs_.empty() || wrt_.empty()) {
      throw Error(graph::GraphError::kNotDifferentiable,
                  fmt::format("[gradcheck] there is no float {} to check", outputs_.empty() ? "output" : "input"));
    }
  }

  Session session(const Graph& graph) const { return {Plan::compile(graph, context_.backend(), {}, ops_), store_}; }

  /// The weighted sum of the outputs of a run.
  static double total(std::span<const Tensor> results, std::span<const std::size_t> places) {
    double sum = 0;
    for (std::size_t which = 0; which < places.size(); ++which) {
      const auto numbers = results[places[which]].to_vector<double>();
      for (std::size_t k = 0; k < numbers.size(); ++k) sum += gradcheck_weight(which, k) * numbers[k];
    }
    return sum;
  }

  std::vector<std::size_t> places_of_outputs() const {
    std::vector<std::size_t> places;
    for (const std::string& name : outputs_) {
      const auto at = std::find_if(graph_.outputs.begin(), graph_.outputs.end(),
                                   [&](const auto& output) { return output.name == name; });
      if (at == graph_.outputs.end()) {
        throw Error(graph::GraphError::kUnknownRef, fmt::format("[gradcheck] the graph has no output \"{}\"", name));
      }
      places.push_back(static_cast<std::size_t>(at - graph_.outputs.begin()));
    }
    return places;
  }

  /// Compares the gradient of `outputs_` of `graph_`, which it leaves in `gradients_`.
  void compare(GradcheckReport& report, std::string_view order) {
    const auto places = places_of_outputs();
    Session forward = session(graph_);
    const auto results = forward.run(values_);
    const auto types = graph::infer(graph_, ops_).types;
    Graph seeded = graph_;
    std::vector<std::string> seeds, wrt;
    std::vector<Tensor> seeded_values = values_;
    for (std::size_t which = 0; which < places.size(); ++which) {
      const Tensor& result = results[places[which]];
      const auto& type = types.at(graph_.outputs[places[which]].value.text());
      seeds.push_back(fmt::format("{}seed of {}", order, outputs_[which]));
      seeded.inputs.push_back({seeds.back(), type.dtype, type.shape});
      std::vector<double> weights(static_cast<std::size_t>(result.element_count()));
      for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = gradcheck_weight(which, k);
      seeded_values.push_back(context_.from<double>(weights, result.shape()));
    }
    for (const std::size_t i : wrt_) wrt.push_back(graph_.inputs[i].name);
    gradients_ = graph::grad(seeded, {outputs_, wrt, seeds, true}, ops_);
    const auto got = session(gradients_).run(seeded_values);

    for (std::size_t w = 0; w < wrt_.size(); ++w) {
      const Tensor& input = values_[wrt_[w]];
      auto numbers = input.to_vector<double>();
      const auto analytic = got[got.size() - wrt_.size() + w].to_vector<double>();
      const auto sum = [&] {
        input.write(std::as_bytes(std::span(numbers)));
        return total(forward.run(values_), places);
      };
      graph::compare_gradient(numbers, analytic, sum, fmt::format("{}{}", order, wrt[w]), options_, report);
      input.write(std::as_bytes(std::span(numbers)));
    }
    values_ = std::move(seeded_values);
  }

  Graph graph_, gradients_;
  const graph::OpTable& ops_;
  GradcheckOptions options_;
  Context context_{std::make_shared<BufferManager>(), make_cpu_backend({1})};
  Store store_;
  std::vector<Tensor> values_;  ///< Of the inputs of `graph_`.
  std::vector<std::string> outputs_;
  std::vector<std::size_t> wrt_;  ///< Indices of inputs.
};

}  // namespace

GradcheckReport gradcheck(const GradcheckRequest& request, const graph::OpTable& ops) {
  return GraphCheck(request.graph ? *request.graph : graph_of(request, ops), request, ops).run();
}

}  // namespace alknet::compute
