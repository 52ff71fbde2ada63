#include "alknet/compute/training/train_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/graph/error.h"
#include "alknet/graph/gradient.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::Graph;
using graph::NodeWriter;
using graph::OpTable;
using graph::Ref;
using graph::State;

constexpr std::string_view kRng = "rng";

Ref named(std::string_view name) { return {std::string(name), 0, std::nullopt}; }

std::vector<std::string> trainable_states(const Graph& graph) {
  std::vector<std::string> names;
  for (const State& state : graph.states) {
    if (state.trainable) names.push_back(state.name);
  }
  if (names.empty()) {
    throw Error(graph::GraphError::kGraphInvalid,
                "the graph has no trainable state, so there is nothing to train: declare parameters as trainable");
  }
  return names;
}

Ref add_input(Graph& graph, std::string_view name) {
  graph.inputs.push_back({std::string(name), Dtype::kF32, {}});
  return named(name);
}

/// `forward` with the gradients of all trainable states; `gradients` receives them in the order of the states.
Graph with_gradients(const Graph& forward, std::string_view loss, bool scaled, const OpTable& ops,
                     std::vector<Ref>& gradients) {
  Graph prepared = forward;
  std::string seed;
  if (scaled) seed = add_input(prepared, kLossScale).name;
  const std::vector<std::string> wrt = trainable_states(forward);
  const std::vector<std::string> outputs = {std::string(loss)};
  const std::vector<std::string> seeds = {seed};
  Graph graph = graph::grad(prepared, {.outputs = outputs, .wrt = wrt, .seeds = seeds}, ops);
  const auto first = graph.outputs.end() - static_cast<std::ptrdiff_t>(wrt.size());
  for (auto output = first; output != graph.outputs.end(); ++output) gradients.push_back(output->value);
  graph.outputs.erase(first, graph.outputs.end());
  return graph;
}

/// Appends what follows the gradients to a graph.
class StepWriter {
 public:
  StepWriter(Graph& graph, const OpTable& ops) : graph_(graph), writer_(graph, ops, graph::infer(graph, ops).types) {
    writer_.set_path("optim");
  }

  Expression expression(const Ref& ref) { return {writer_, ref}; }
  Expression expression(std::string_view name) { return expression(named(name)); }
  Dtype dtype(const Ref& ref) const { return writer_.type(ref).dtype; }
  Expression cast(const Expression& value, Dtype dtype) { return {writer_, writer_.cast(value.ref(), dtype)}; }

  /// A new state, shaped like `like` unless that is empty; zeros at first unless `initial` says otherwise.
  Expression add_state(const std::string& name, Dtype dtype, std::string_view like, double initial) {
    State state{.name = name, .dtype = dtype, .shape = {}, .init = initial};
    if (!like.empty()) state.shape = writer_.type(named(like)).shape;
    if (std::none_of(graph_.states.begin(), graph_.states.end(), [&](const State& s) { return s.name == name; })) {
      writer_.declare(name, {state.dtype, state.shape});
      graph_.states.push_back(std::move(state));
    }
    return expression(name);
  }

  /// The state's next value: `value`, or its old one where `condition` is given and false.
  void assign(std::string_view state, Expression value) {
    value = cast(value, dtype(named(state)));
    if (finite_) value = Expression::apply("where", {*finite_, value, expression(state)});
    Expression::apply("assign", {expression(state), value});
  }

  /// Makes a state zeros, whatever `require` says.
  void clear(std::string_view state) {
    const Ref zeros = writer_.zeros(writer_.type(named(state)));
    Expression::apply("assign", {expression(state), expression(zeros)});
  }

  /// Raises the step of the state `rng`, if the graph has it, so that the next run draws other numbers.
  void advance_rng() {
    if (std::none_of(graph_.states.begin(), graph_.states.end(), [](const State& s) { return s.name == kRng; })) return;
    constexpr std::array<std::uint32_t, 4> kOneStep = {0, 0, 1, 0};
    const std::string name = "rng.one_step";
    graph_.constants.push_back({name, Dtype::kU32, {4}, SharedBytes::copy(std::as_bytes(std::span(kOneStep)))});
    writer_.declare(name, {Dtype::kU32, {4}});
    Expression::apply("assign", {expression(kRng), expression(kRng) + expression(name)});
  }

  /// From now on states change only where this is true.
  void require(const Expression& condition) { finite_ = condition; }

  void output(std::string_view name, const Expression& value) {
    graph_.outputs.push_back({std::string(name), value.ref()});
  }

 private:
  Graph& graph_;
  NodeWriter writer_;
  std::optional<Expression> finite_;
};

Expression sum_of_all(const Expression& value) { return Expression::apply("sum", {value}); }

/// The square root of the sum of all squares.
Expression total_norm(const std::vector<Expression>& gradients) {
  std::optional<Expression> sum;
  for (const Expression& gradient : gradients) {
    const Expression squares = sum_of_all(gradient * gradient);
    sum = sum ? *sum + squares : squares;
  }
  return Expression::apply("sqrt", {*sum});
}

/// True when no element of any is infinite or NaN: a sum with such an element is so itself. One pass over each
/// gradient; a sum of finite elements that overflows counts as well, since they are about to.
Expression all_finite(const std::vector<Expression>& gradients) {
  std::optional<Expression> sum;
  for (const Expression& gradient : gradients) {
    const Expression of_one = sum_of_all(gradient);
    sum = sum ? *sum + of_one : of_one;
  }
  return Expression::apply("eq", {*sum * 0.0, 0.0});
}

void clip(StepWriter& step, const TrainStepOptions& options, std::vector<Expression>& gradients) {
  if (options.clip_value) {
    for (Expression& gradient : gradients) {
      gradient = Expression::apply(
          "maximum", {Expression::apply("minimum", {gradient, *options.clip_value}), -*options.clip_value});
    }
  }
  if (!options.clip_norm) return;
  const Expression norm = total_norm(gradients);
  step.output(kGradientNorm, norm);
  const Expression factor = Expression::apply("minimum", {*options.clip_norm / (norm + 1e-6), 1.0});
  for (Expression& gradient : gradients) gradient = gradient * factor;
}

/// Unscales, clips and steps; `gradients` are those of the trainable states, in order.
void write_step(StepWriter& step, const Graph& forward, const TrainStepOptions& options,
                std::vector<Expression> gradients) {
  const auto parameters = trainable_states(forward);
  const auto work_dtype = [&](std::size_t i) {
    return step.dtype(named(parameters[i])) == Dtype::kF64 ? Dtype::kF64 : Dtype::kF32;
  };
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = step.cast(gradients[i], work_dtype(i));
  if (options.loss_scaling) {
    // Of the gradients as they come, so that dividing them is part of each parameter's update.
    const Expression finite = all_finite(gradients);
    for (Expression& gradient : gradients) gradient = gradient / step.expression(kLossScale);
    step.output(kGradientsFinite, finite);
    step.require(finite);
  }
  clip(step, options, gradients);
  const Expression count = step.add_state(std::string(kOptimizerStep), Dtype::kF32, "", 0) + 1.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i];
    const auto moment_name = [&](std::string_view moment) { return fmt::format("optim.{}.{}", name, moment); };
    ParameterUpdate update{
        .parameter = step.cast(step.expression(name), work_dtype(i)),
        .gradient = gradients[i],
        .learning_rate = step.expression(kLearningRate),
        .step = count,
        .moment = [&](std::string_view moment,
                      double initial) { return step.add_state(moment_name(moment), work_dtype(i), name, initial); },
        .set_moment = [&](std::string_view moment,
                          const Expression& value) { step.assign(moment_name(moment), value); },
    };
    step.assign(name, write_update(options.optimizer, update));
  }
  step.assign(kOptimizerStep, count);
}

std::string sum_name(const std::string& parameter) { return "grad." + parameter; }

}  // namespace

Graph train_step(const Graph& forward, std::string_view loss, const TrainStepOptions& options, const OpTable& ops) {
  Graph prepared = forward;
  add_input(prepared, kLearningRate);
  std::vector<Ref> refs;
  Graph graph = with_gradients(prepared, loss, options.loss_scaling, ops, refs);
  StepWriter step(graph, ops);
  std::vector<Expression> gradients;
  for (const Ref& ref : refs) gradients.push_back(step.expression(ref));
  write_step(step, forward, options, std::move(gradients));
  step.advance_rng();
  return graph;
}

Graph accumulate_step(const Graph& forward, std::string_view loss, const TrainStepOptions& options,
                      const OpTable& ops) {
  std::vector<Ref> refs;
  Graph graph = with_gradients(forward, loss, options.loss_scaling, ops, refs);
  StepWriter step(graph, ops);
  const auto parameters = trainable_states(forward);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Expression sum = step.add_state(sum_name(parameters[i]), step.dtype(refs[i]), parameters[i], 0);
    step.assign(sum_name(parameters[i]), sum + step.expression(refs[i]));
  }
  step.advance_rng();
  return graph;
}

Graph apply_step(const Graph& forward, std::int64_t count, const TrainStepOptions& options, const OpTable& ops) {
  if (count < 1) {
    throw Error(BaseError::kInvalidArgument, fmt::format("gradients of {} runs cannot be averaged", count));
  }
  Graph graph;
  graph.dims = forward.dims;
  add_input(graph, kLearningRate);
  if (options.loss_scaling) add_input(graph, kLossScale);
  for (const State& state : forward.states) {
    if (state.trainable) graph.states.push_back(state);
  }
  const auto parameters = trainable_states(forward);
  StepWriter step(graph, ops);
  std::vector<Expression> gradients;
  for (const std::string& name : parameters) {
    const Expression sum = step.add_state(sum_name(name), step.dtype(named(name)), name, 0);
    gradients.push_back(sum / static_cast<double>(count));
  }
  write_step(step, forward, options, std::move(gradients));
  // Also after gradients that were not finite: else they would stay so.
  for (const std::string& name : parameters) step.clear(sum_name(name));
  return graph;
}

}  // namespace alknet::compute
