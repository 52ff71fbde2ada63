#include "alknet/graph/op_program.h"

#include <algorithm>
#include <array>
#include <string>

#include "alknet/graph/error.h"

namespace alknet::graph {
namespace {

bool has_type(const OpParameter& parameter, std::string_view type) {
  const Json* types = parameter.schema.as_object().if_contains("type");
  return types != nullptr && types->is_string() && std::string_view(types->get_string()) == type;
}

bool is_number(const OpParameter& parameter) { return has_type(parameter, "number") || has_type(parameter, "integer"); }
bool is_boolean(const OpParameter& parameter) { return has_type(parameter, "boolean"); }

/// Makes the program's output of this name end in the compute dtype of `dtype`, as a kernel stores it.
void cast_output(expr::Program& program, expr::Program::Output& output, Dtype dtype) {
  const Dtype wanted = compute_dtype(dtype);
  const expr::Instruction& value = program.instructions[output.value];
  if (value.dtype == wanted) return;
  expr::Instruction cast;
  cast.opcode = expr::Opcode::kCast;
  cast.dtype = wanted;
  cast.arguments[0] = output.value;
  output.value = static_cast<std::uint32_t>(program.instructions.size());
  program.instructions.push_back(cast);
}

expr::Program compile_cast(std::string_view source, std::span<const expr::Variable> variables,
                           const std::string& output, Dtype dtype) {
  expr::Program program = expr::compile(source, variables, std::array{output}, dtype);
  cast_output(program, program.outputs[0], dtype);
  return program;
}

/// The dtype of the first input that promotion acts on: after casts they all have it.
Dtype promoted_input(const OpSpec& op, std::span<const Dtype> inputs) {
  for (std::size_t i = 0; i < op.inputs.size() && i < inputs.size(); ++i) {
    if (op.inputs[i].promotes) return inputs[i];
  }
  return Dtype::kF32;
}

}  // namespace

std::vector<std::string> scalar_parameters(const OpSpec& op) {
  std::vector<std::string> names;
  for (const auto& parameter : op.parameters) {
    if (is_number(parameter) || is_boolean(parameter)) names.push_back(parameter.name);
  }
  return names;
}

expr::Program elementwise_program(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                  std::span<const Dtype> outputs) {
  std::vector<expr::Variable> variables;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    variables.push_back({op.inputs[i].name, compute_dtype(inputs[i]), false});
  }
  const Dtype number = compute_dtype(promoted_input(op, inputs));
  for (const auto& parameter : op.parameters) {
    if (is_number(parameter)) variables.push_back({parameter.name, number, true});
    if (is_boolean(parameter)) variables.push_back({parameter.name, Dtype::kBool, true});
  }
  std::vector<std::string> names;
  for (const auto& output : op.outputs) names.push_back(output.name);
  expr::Program program = expr::compile(op.expression(attrs), variables, names, outputs[0]);
  for (std::size_t i = 0; i < outputs.size(); ++i) cast_output(program, program.outputs[i], outputs[i]);
  return program;
}

ReductionPrograms reduction_programs(const OpSpec& op, Dtype input, Dtype output) {
  const auto& forward = std::get<ReductionForward>(op.forward);
  const std::string accumulator = "accumulator";
  ReductionPrograms programs;
  programs.accumulator = compute_dtype(input);
  const expr::Variable running{accumulator, programs.accumulator, false};
  const expr::Variable element{op.inputs.front().name, programs.accumulator, false};
  const expr::Variable count{"count", programs.accumulator, true};
  programs.init = compile_cast(forward.init, {}, accumulator, programs.accumulator);
  programs.combine = compile_cast(forward.combine, std::array{running, element}, accumulator, programs.accumulator);
  programs.finish = compile_cast(forward.finish, std::array{running, count}, op.outputs.front().name, output);
  return programs;
}

void check_expressions(const OpSpec& op) {
  if (std::holds_alternative<ReductionForward>(op.forward)) {
    if (op.inputs.size() != 1 || op.outputs.size() != 1) {
      throw Error(GraphError::kExpressionInvalid, "a reduction has one input and one output");
    }
    const Dtype dtype = op.inputs.front().dtypes.front();
    reduction_programs(op, dtype, dtype);
  }
  const auto* elementwise = std::get_if<ElementwiseForward>(&op.forward);
  if (elementwise == nullptr) return;
  std::vector<Dtype> inputs;
  for (const auto& input : op.inputs) inputs.push_back(input.dtypes.front());
  const std::vector<Dtype> outputs(op.outputs.size(), promoted_input(op, inputs));
  for (const auto& choice : elementwise->cases) {
    elementwise_program(op, {{elementwise->parameter, choice.value}}, inputs, outputs);
  }
}

}  // namespace alknet::graph
