#include "alknet/compute/eager/gradcheck.h"

#include <fmt/format.h>

#include <cmath>

#include "alknet/base/error.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

/// Weights of a result's elements, the same for every call: numbers between -1 and 1.
Tensor weights(const Tensor& like, std::size_t which) {
  std::vector<double> values(static_cast<std::size_t>(like.element_count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = gradcheck_weight(which, i);
  return like.context().from<double>(values, like.shape());
}

std::vector<std::size_t> varied(std::span<const Tensor> inputs) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) continue;
    if (inputs[i].dtype() != Dtype::kF64) {
      throw Error(graph::GraphError::kDtypeMismatch,
                  fmt::format("[gradcheck] input {} is {}: use f64", i, graph::dtype_name(inputs[i].dtype())));
    }
    places.push_back(i);
  }
  return places;
}

/// Fresh leaves with the elements of `inputs`.
std::vector<Tensor> leaves(std::span<const Tensor> inputs, std::span<const std::size_t> places) {
  std::vector<Tensor> copies(inputs.begin(), inputs.end());
  for (const std::size_t i : places) copies[i] = contiguous(inputs[i].detach()).detach().requires_grad_();
  return copies;
}

/// The gradients of the weighted sum of `function`'s results; zeros where there is none.
std::vector<Tensor> analytic(const TensorFunction& function, std::span<const Tensor> inputs,
                             std::span<const std::size_t> places, bool create_graph) {
  std::vector<Tensor> outputs, seeds, wanted;
  std::size_t which = 0;
  for (const Tensor& output : function(inputs)) {
    ++which;
    if (!output || !output.requires_grad()) continue;
    outputs.push_back(output);
    seeds.push_back(weights(output, which).to(output.dtype()));
  }
  for (const std::size_t i : places) wanted.push_back(inputs[i]);
  std::vector<Tensor> gradients(wanted.size());
  if (!outputs.empty()) {
    gradients = grad(outputs, wanted, seeds, {.create_graph = create_graph, .allow_unused = true});
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (gradients[i]) continue;
    const std::vector<double> zeros(static_cast<std::size_t>(wanted[i].element_count()));
    gradients[i] = wanted[i].context().from<double>(zeros, wanted[i].shape());
  }
  return gradients;
}

/// The weighted sum of `function`'s results.
double total(const TensorFunction& function, std::span<const Tensor> inputs) {
  double sum = 0;
  std::size_t which = 0;
  for (const Tensor& output : function(inputs)) {
    ++which;
    if (!output || !graph::is_float(output.dtype())) continue;
    const auto values = output.detach().to(Dtype::kF64).to_vector<double>();
    const auto factors = weights(output, which).to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * factors[i];
  }
  return sum;
}

void compare(const TensorFunction& function, std::span<const Tensor> inputs, std::span<const std::size_t> places,
             const GradcheckOptions& options, GradcheckReport& report) {
  const auto gradients = analytic(function, leaves(inputs, places), places, false);
  for (std::size_t p = 0; p < places.size(); ++p) {
    const Tensor& input = inputs[places[p]];
    const auto got = gradients[p].to_vector<double>();
    auto values = input.to_vector<double>();
    const auto sum = [&] {
      std::vector<Tensor> moved = leaves(inputs, places);
      moved[places[p]] = input.context().from<double>(values, input.shape()).requires_grad_();
      return total(function, moved);
    };
    graph::compare_gradient(values, got, sum, fmt::format("input {}", places[p]), options, report);
  }
}

}  // namespace

double gradcheck_weight(std::size_t which, std::size_t index) {
  return std::sin(1.0 + 12.9898 * static_cast<double>(index) + 78.233 * static_cast<double>(which));
}

GradcheckReport gradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                          const GradcheckOptions& options) {
  const auto places = varied(inputs);
  GradcheckReport report;
  report.cases = 1;
  compare(function, inputs, places, options, report);
  if (!options.second_order) return report;
  const TensorFunction gradient = [&](std::span<const Tensor> given) {
    return analytic(function, given, places, true);
  };
  compare(gradient, inputs, places, options, report);
  return report;
}

}  // namespace alknet::compute
