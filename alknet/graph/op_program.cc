#include "alknet/graph/op_program.h"

#include <algorithm>
#include <array>
#include <string>

#include "alknet/graph/error.h"
#include "alknet/graph/expr/derive.h"
#include "alknet/graph/expr/simplify.h"

namespace alknet::graph {
namespace {

bool has_type(const OpParameter& parameter, std::string_view type) {
  const Json* types = parameter.schema.as_object().if_contains("type");
  return types != nullptr && types->is_string() && std::string_view(types->get_string()) == type;
}

/// "type": ["number", "null"].
bool is_nullable_number(const OpParameter& parameter) {
  const Json* types = parameter.schema.as_object().if_contains("type");
  return types != nullptr && *types == Json(JsonArray{"number", "null"});
}

constexpr std::string_view kPresence = "has_";

/// Appends what expressions read of a parameter; `number` is the dtype of numbers.
void add_variables(const OpParameter& parameter, Dtype number, std::vector<expr::Variable>& variables) {
  if (has_type(parameter, "number")) {
    variables.push_back({parameter.name, number, true});
  } else if (has_type(parameter, "integer")) {
    variables.push_back({parameter.name, Dtype::kI64, true});
  } else if (has_type(parameter, "boolean")) {
    variables.push_back({parameter.name, Dtype::kBool, true});
  } else if (is_nullable_number(parameter)) {
    variables.push_back({parameter.name, number, true});
    variables.push_back({std::string(kPresence) + parameter.name, Dtype::kBool, true});
  }
}

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

/// What an accumulator starts with, as a constant of its dtype: -inf is the lowest integer.
expr::Program initial_value(std::string_view source, const std::string& output, Dtype dtype) {
  expr::Program program = expr::compile(source, {}, std::array{output}, dtype == Dtype::kBool ? dtype : Dtype::kF64);
  cast_output(program, program.outputs[0], dtype);
  expr::Instruction constant;
  constant.dtype = dtype;
  constant.constant = expr::evaluate(program, {})[0];
  program.instructions = {constant};
  program.outputs[0].value = 0;
  return program;
}

/// The dtype of the first input that promotion acts on: after casts they all have it. `otherwise` if there is none.
Dtype promoted_input(const OpSpec& op, std::span<const Dtype> inputs, Dtype otherwise) {
  for (std::size_t i = 0; i < op.inputs.size() && i < inputs.size(); ++i) {
    if (op.inputs[i].promotes) return inputs[i];
  }
  return otherwise;
}

/// Inputs and scalar parameters.
std::vector<expr::Variable> operands(const OpSpec& op, std::span<const Dtype> inputs, std::span<const Dtype> outputs) {
  std::vector<expr::Variable> variables;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    variables.push_back({op.inputs[i].name, compute_dtype(inputs[i]), false});
  }
  const Dtype number = compute_dtype(promoted_input(op, inputs, outputs.empty() ? Dtype::kF32 : outputs.front()));
  for (const auto& parameter : op.parameters) add_variables(parameter, number, variables);
  return variables;
}

/// `program` with the parameters' values folded in; nothing when it is 0.
std::optional<expr::Program> with_parameters(const expr::Program& program, const JsonObject& attrs) {
  std::vector<std::optional<double>> known;
  for (const auto& variable : program.variables) {
    known.push_back(variable.parameter ? scalar_value(attrs, variable.name) : std::nullopt);
  }
  expr::Program simple = expr::simplify(program, known);
  const expr::Instruction& result = simple.instructions[simple.outputs[0].value];
  if (result.opcode == expr::Opcode::kConstant && result.constant == 0) return std::nullopt;
  return simple;
}

expr::Program written_gradient(const OpSpec& op, const std::string& expression, std::span<const Dtype> inputs,
                               std::span<const Dtype> outputs, std::size_t input) {
  std::vector<expr::Variable> variables = operands(op, inputs, outputs);
  for (const char* prefix : {"", "grad_"}) {
    for (std::size_t k = 0; k < op.outputs.size(); ++k) {
      variables.push_back({prefix + op.outputs[k].name, compute_dtype(outputs[k]), false});
    }
  }
  if (std::holds_alternative<ReductionForward>(op.forward)) {
    variables.push_back({"count", compute_dtype(outputs[0]), true});
  }
  // A lone expression is what the gradient is.
  const bool statements = expression.find(';') != std::string::npos;
  return expr::compile(statements ? expression : "gradient = " + expression, variables,
                       std::array{std::string("gradient")}, inputs[input]);
}

}  // namespace

std::optional<expr::Program> derived_gradient(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                              std::span<const Dtype> outputs, std::size_t input) {
  // By all inputs at once: that of a tie depends on whether both sides are variable.
  std::vector<std::uint32_t> wrt;
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    if (op.inputs[i].differentiable && is_float(inputs[i])) wrt.push_back(i);
  }
  expr::Program program = expr::derive(elementwise_program(op, attrs, inputs, outputs), wrt);
  const auto place = std::find(wrt.begin(), wrt.end(), input);
  if (place == wrt.end()) return std::nullopt;
  program.outputs = {{"gradient", program.outputs[static_cast<std::size_t>(place - wrt.begin())].value}};
  return with_parameters(program, attrs);
}

std::optional<expr::Program> gradient_program(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                              std::span<const Dtype> outputs, std::size_t input) {
  const auto written = op.backward.expressions.find(op.inputs[input].name);
  if (written == op.backward.expressions.end()) return derived_gradient(op, attrs, inputs, outputs, input);
  const std::string& expression = op.expression(written->second, attrs);
  return with_parameters(written_gradient(op, expression, inputs, outputs, input), attrs);
}

void check_gradient_expressions(const OpSpec& op, const OpBackward& backward) {
  if (!op.elementwise() && !std::holds_alternative<ReductionForward>(op.forward)) {
    throw Error(GraphError::kExpressionInvalid,
                "only element-wise operations and reductions have gradients that are "
                "expressions; write {nodes, gradients}");
  }
  // Gradients are of floats: the first that every input takes.
  const auto first_float = [](const OpInput& input) {
    const auto found = std::find_if(input.dtypes.begin(), input.dtypes.end(), is_float);
    return found == input.dtypes.end() ? input.dtypes.front() : *found;
  };
  std::vector<Dtype> inputs;
  for (const auto& input : op.inputs) inputs.push_back(first_float(input));
  const std::vector<Dtype> outputs(op.outputs.size(), promoted_input(op, inputs, Dtype::kF32));
  for (const auto& [name, forward] : backward.expressions) {
    const auto index = static_cast<std::size_t>(op.input(name) - op.inputs.data());
    for (const auto& choice : forward.cases) written_gradient(op, choice.expression, inputs, outputs, index);
  }
}

std::vector<std::string> scalar_parameters(const OpSpec& op) {
  std::vector<expr::Variable> variables;
  for (const auto& parameter : op.parameters) add_variables(parameter, Dtype::kF64, variables);
  std::vector<std::string> names;
  for (auto& variable : variables) names.push_back(std::move(variable.name));
  return names;
}

std::optional<double> scalar_value(const JsonObject& attrs, std::string_view name) {
  if (const Json* value = attrs.if_contains(name)) {
    if (value->is_null()) return 0;
    return value->is_bool() ? static_cast<double>(value->get_bool()) : value->to_number<double>();
  }
  if (!name.starts_with(kPresence)) return std::nullopt;
  const Json* value = attrs.if_contains(name.substr(kPresence.size()));
  if (value == nullptr) return std::nullopt;
  return value->is_null() ? 0 : 1;
}

expr::Program elementwise_program(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                  std::span<const Dtype> outputs) {
  const std::vector<expr::Variable> variables = operands(op, inputs, outputs);
  std::vector<std::string> names;
  for (const auto& output : op.outputs) names.push_back(output.name);
  expr::Program program = expr::compile(op.expression(attrs), variables, names, outputs[0]);
  for (std::size_t i = 0; i < outputs.size(); ++i) cast_output(program, program.outputs[i], outputs[i]);
  return program;
}

Dtype reduction_dtype(const OpSpec& op, Dtype input) {
  return op.promotion == Promotion::kAccumulate && !is_float(input) ? Dtype::kI64 : compute_dtype(input);
}

ReductionPrograms reduction_programs(const OpSpec& op, Dtype input, Dtype output) {
  const auto& forward = std::get<ReductionForward>(op.forward);
  const std::string accumulator = "accumulator";
  ReductionPrograms programs;
  programs.accumulator = reduction_dtype(op, input);
  const expr::Variable running{accumulator, programs.accumulator, false};
  const expr::Variable element{op.inputs.front().name, programs.accumulator, false};
  const expr::Variable count{"count", programs.accumulator, true};
  programs.init = initial_value(forward.init, accumulator, programs.accumulator);
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
    reduction_programs(op, dtype, reduction_dtype(op, dtype));
  }
  const auto* elementwise = std::get_if<ElementwiseForward>(&op.forward);
  if (elementwise == nullptr) return;
  std::vector<Dtype> inputs;
  for (const auto& input : op.inputs) inputs.push_back(input.dtypes.front());
  const std::vector<Dtype> outputs(op.outputs.size(), promoted_input(op, inputs, Dtype::kF32));
  for (const auto& choice : elementwise->cases) {
    elementwise_program(op, {{elementwise->parameter, choice.value}}, inputs, outputs);
  }
}

}  // namespace alknet::graph
