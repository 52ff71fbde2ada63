#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/compute/eager/autograd.h"
#include "alknet/graph/gradcheck.h"
#include "alknet/graph/graph.h"

namespace alknet::compute {

using graph::GradcheckOptions;
using graph::GradcheckReport;

/// Compares gradients of `function` with central differences of fourth order. Its results are weighted by fixed numbers
/// and added up; every input that requires a gradient is varied element by element. Those inputs must be f64, and
/// `function` must give the same for the same. Elements at which the difference is NaN are left out. Throws Error
/// `dtype_mismatch`, or what `function` throws.
GradcheckReport gradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                          const GradcheckOptions& options = {});

/// What the operation compute/gradcheck checks: a graph, or one operation of the table.
struct GradcheckRequest {
  std::optional<graph::Graph> graph = {};
  std::string op = {};  ///< Instead of a graph.
  JsonObject attrs = {};
  /// Of the graph or operation, in order; an empty tensor leaves an optional input out.
  std::vector<Tensor> inputs;
  std::vector<std::string> outputs = {};  ///< By name; none: all that are floats.
  std::vector<std::string> wrt = {};      ///< Inputs by name; none: all that are floats.
  GradcheckOptions options = {};
};

/// The same for the gradient that `graph::grad` writes, on the CPU in f64, whatever the floats of the graph and of
/// `inputs` are; states begin as their `init` says. Throws Error `graph_invalid`, `unknown_op`, `unknown_ref` for a
/// name that is none, `not_differentiable`, `unsupported` for a graph that assigns to states, or what a run throws.
GradcheckReport gradcheck(const GradcheckRequest& request, const graph::OpTable& ops = graph::OpTable::builtin());

/// The weight of element `index` of result `which` in such checks: a number between -1 and 1.
double gradcheck_weight(std::size_t which, std::size_t index);

}  // namespace alknet::compute
