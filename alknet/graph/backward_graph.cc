#include "alknet/graph/backward_graph.h"

#include <fmt/format.h>

#include "alknet/graph/case_writer.h"
#include "alknet/graph/error.h"
#include "alknet/graph/lower_program.h"
#include "alknet/graph/op_program.h"

namespace alknet::graph {
namespace {

Dtype dtype_of(const NodeWriter& writer, const Ref& ref) {
  return ref.scalar ? scalar_dtype(ref.scalar->kind) : writer.type(ref).dtype;
}

/// The shape of a reduction's input with the reduced sizes as 1, and those sizes.
struct Reduced {
  SymbolicShape kept, sizes;
};

Reduced reduced(const BackwardCall& call, const SymbolicShape& input) {
  const Json& dim = call.attrs.at("dim");
  std::vector<bool> named(input.size(), dim.is_null() || dim.get_array().empty());
  if (!dim.is_null()) {
    for (const Json& item : dim.get_array()) {
      const auto axis = item.to_number<std::int64_t>();
      named[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(input) : axis)] = true;
    }
  }
  Reduced result{input, {}};
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (!named[i]) continue;
    result.kept[i] = 1;
    result.sizes.push_back(input[i]);
  }
  return result;
}

std::optional<Ref> write_expression(NodeWriter& writer, const BackwardCall& call, std::size_t input) {
  std::vector<Dtype> inputs, outputs;
  for (const Ref& ref : call.inputs) inputs.push_back(dtype_of(writer, ref));
  for (const Ref& ref : call.outputs) outputs.push_back(writer.type(ref).dtype);
  // Weak scalars have the dtype that the call computes in.
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (call.inputs[i].scalar && call.op.inputs[i].promotes) inputs[i] = inputs[input];
  }
  const auto program = gradient_program(call.op, call.attrs, inputs, outputs, input);
  if (!program) return std::nullopt;
  for (const auto& variable : program->variables) {
    if (variable.coordinate == 0) continue;
    throw Error(GraphError::kNotDifferentiable,
                fmt::format("[{}] reads the element's index: its `backward` must be nodes", call.op.name),
                JsonObject{{"op", call.op.name}});
  }
  const ValueType target = writer.type(call.inputs[input]);
  const bool reduces = std::holds_alternative<ReductionForward>(call.op.forward);
  Reduced sizes;
  if (reduces) sizes = reduced(call, target.shape);
  const auto kept = [&](const Ref& ref) { return reduces ? writer.reshape(ref, sizes.kept) : ref; };
  const auto read = [&](std::size_t index) -> Ref {
    if (index < call.inputs.size()) {
      return call.inputs[index].scalar ? call.inputs[index] : call.value(call.inputs[index]);
    }
    index -= call.inputs.size() + scalar_parameters(call.op).size();
    if (index < call.outputs.size()) return kept(call.value(call.outputs[index]));
    index -= call.outputs.size();
    if (index == call.outputs.size()) return writer.count(sizes.sizes, target.dtype);
    // A count that is a value is f32, which may be more than f16 holds.
    const bool widen = reduces && !element_count(sizes.sizes).constant();
    const Ref& gradient = call.grad_outputs[index];
    return kept(widen ? writer.cast(gradient, compute_dtype(target.dtype)) : gradient);
  };
  return writer.sum_to(writer.cast(lower_program(writer, *program, read), target.dtype), target.shape);
}

/// What the cases of a gradient refer to.
CaseWriter::Values case_values(const BackwardCall& call) {
  CaseWriter::Values values;
  for (std::size_t i = 0; i < call.op.inputs.size(); ++i) values[call.op.inputs[i].name] = {call.inputs[i]};
  for (std::size_t k = 0; k < call.op.outputs.size(); ++k) {
    values[call.op.outputs[k].name] = {call.outputs[k]};
    values["grad_" + call.op.outputs[k].name] = {call.grad_outputs[k]};
  }
  return values;
}

}  // namespace

std::optional<Ref> write_backward(NodeWriter& writer, const BackwardCall& call, std::size_t input) {
  const OpSpec& op = call.op;
  const std::string& name = op.inputs[input].name;
  const bool derived = op.elementwise() && op.backward.cases.empty();
  if (derived || op.backward.expressions.contains(name)) return write_expression(writer, call, input);
  CaseWriter cases(writer, call.attrs, case_values(call), call.value);
  for (const auto& each : op.backward.cases) {
    if (!cases.applies(each)) continue;
    const auto gradient = each.results.find(name);
    if (gradient == each.results.end()) break;
    const Ref result = cases.write(each, gradient->second);
    return writer.sum_to(writer.cast(result, writer.type(call.inputs[input]).dtype),
                         writer.type(call.inputs[input]).shape);
  }
  throw Error(GraphError::kNotDifferentiable,
              fmt::format("[{}] has no gradient with respect to \"{}\"; mark the node no_grad, or give the operation a "
                          "`backward`",
                          op.name, name),
              JsonObject{{"op", op.name}});
}

}  // namespace alknet::graph
