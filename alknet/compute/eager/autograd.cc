#include "alknet/compute/eager/autograd.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/backward_walk.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/resolve.h"
#include "alknet/compute/eager/tape.h"
#include "alknet/compute/error.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

Tensor seed_of(const Tensor& output, const Tensor& seed) {
  if (!needs_gradient(output)) {
    throw Error(graph::GraphError::kNotDifferentiable,
                "[backward] the output does not require a gradient: no operand that requires one led to it, or it was "
                "computed under NoGrad");
  }
  if (!seed) {
    if (output.element_count() == 1) {
      return filled(TensorAccess::state(output)->context, output.buffer()->backend(), Scalar::of(1.0), output.dtype(),
                    output.shape());
    }
    throw Error(graph::GraphError::kMissingInput,
                fmt::format("[backward] the output has the shape {}: give its gradient, or take its sum()",
                            graph::shape_text(output.shape())));
  }
  if (seed.dtype() != output.dtype() || seed.shape() != output.shape()) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[backward] the output is {} {}, but its gradient {} {}", graph::dtype_name(output.dtype()),
                            graph::shape_text(output.shape()), graph::dtype_name(seed.dtype()),
                            graph::shape_text(seed.shape())));
  }
  return seed;
}

std::shared_ptr<ContextState> shared_context(std::span<const Tensor> tensors) {
  if (tensors.empty()) throw Error(BaseError::kInvalidArgument, "[backward] no outputs were given");
  const auto context = ContextAccess::state(tensors.front().context());
  for (const Tensor& tensor : tensors) {
    if (ContextAccess::state(tensor.context()) == context) continue;
    throw Error(ComputeError::kContextMismatch, "[backward] the tensors belong to two contexts");
  }
  return context;
}

/// `function` again, with what it records, for its gradient.
class CheckpointNode final : public GradNode {
 public:
  CheckpointNode(ContextState& context, TensorFunction function, std::span<const Tensor> inputs, std::size_t outputs,
                 std::uint64_t step)
      : GradNode(context, "checkpoint", outputs), function_(std::move(function)), step_(step) {
    for (const Tensor& input : inputs) {
      add_edge(TensorAccess::state(input)->autograd);
      save(input);
    }
  }
  bool reaches_others() const override { return true; }

 private:
  std::vector<Tensor> compute(const std::shared_ptr<ContextState>& context, std::vector<Tensor> gradients) override {
    std::vector<Tensor> inputs, wanted;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < saved().size(); ++i) {
      const Tensor& input = saved()[i].get(name());
      inputs.push_back(input.detach());
      if (!needs_gradient(input)) continue;
      inputs.back().requires_grad_();
      wanted.push_back(inputs.back());
      places.push_back(i);
    }
    const int depth = std::exchange(context->no_grad, 0);
    const std::uint64_t step = std::exchange(context->step, step_);
    std::vector<Tensor> outputs;
    try {
      outputs = function_(inputs);
    } catch (...) {
      context->no_grad = depth;
      context->step = step;
      throw;
    }
    context->no_grad = depth;
    context->step = step;
    BackwardWalk walk(context, {});
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (gradients[k] && needs_gradient(outputs[k])) walk.seed(outputs[k], gradients[k]);
    }
    for (const Tensor& input : wanted) walk.want(input);
    walk.run();
    std::vector<Tensor> results(saved().size());
    for (std::size_t t = 0; t < wanted.size(); ++t) results[places[t]] = walk.result(t);
    return results;
  }

  TensorFunction function_;
  std::uint64_t step_;
};

}  // namespace

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, std::span<const Tensor> seeds,
                         const GradOptions& options) {
  const auto context = shared_context(outputs);
  shared_context(inputs);
  BackwardWalk walk(context, {.create_graph = options.create_graph, .retain_graph = options.retain_graph});
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    walk.seed(outputs[i], seed_of(outputs[i], i < seeds.size() ? seeds[i] : Tensor()));
  }
  for (const Tensor& input : inputs) {
    if (!needs_gradient(input)) {
      throw Error(graph::GraphError::kNotDifferentiable,
                  "[grad] an input does not require a gradient: call requires_grad_() before it is used");
    }
    walk.want(input);
  }
  walk.run();
  std::vector<Tensor> gradients;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    gradients.push_back(walk.result(i));
    if (gradients.back() || options.allow_unused) continue;
    throw Error(graph::GraphError::kNotDifferentiable,
                fmt::format("[grad] no gradient reaches input {}: the outputs do not depend on it; leave it out or "
                            "allow unused inputs",
                            i));
  }
  return gradients;
}

void backward(std::span<const Tensor> outputs, std::span<const Tensor> seeds, const GradOptions& options) {
  BackwardWalk walk(shared_context(outputs),
                    {.create_graph = options.create_graph, .retain_graph = options.retain_graph, .accumulate = true});
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    walk.seed(outputs[i], seed_of(outputs[i], i < seeds.size() ? seeds[i] : Tensor()));
  }
  walk.run();
}

void Tensor::backward(const Tensor& gradient) const {
  checked();
  compute::backward(std::span(this, 1), std::span(&gradient, gradient ? 1 : 0));
}

std::vector<Tensor> checkpoint(const TensorFunction& function, std::span<const Tensor> inputs) {
  const auto context = shared_context(inputs);
  const std::uint64_t step = context->step;
  const bool records = context->no_grad == 0;
  std::vector<Tensor> outputs;
  {
    const NoGrad guard(ContextAccess::make(context));
    outputs = function(inputs);
  }
  if (!records) return outputs;
  for (Tensor& output : outputs) output = output.detach();  // an input that is passed on keeps its own node
  connect(std::make_shared<CheckpointNode>(*context, function, inputs, outputs.size(), step), outputs);
  return outputs;
}

}  // namespace alknet::compute
