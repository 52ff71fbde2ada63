#include <fmt/format.h>

#include <cmath>

#include "alknet/graph/expr/program.h"

namespace alknet::graph::expr {
namespace {

std::string literal(const Instruction& step) {
  if (step.dtype == Dtype::kBool) return step.constant != 0 ? "true" : "false";
  const double number = std::fabs(step.constant);
  const std::string text = std::isnan(number) ? "nan" : std::isinf(number) ? "inf" : fmt::format("{:.17g}", number);
  return fmt::format("{}({}{})", dtype_name(step.dtype), std::signbit(step.constant) ? "-" : "", text);
}

}  // namespace

std::string source_text(const Program& program) {
  std::string text;
  std::vector<std::string> names;
  for (const Instruction& step : program.instructions) {
    const auto argument = [&](std::size_t i) -> const std::string& { return names[step.arguments[i]]; };
    const OpcodeInfo& info = opcode_info(step.opcode);
    if (step.opcode == Opcode::kVariable) {
      const Variable& from = program.variables[step.index];
      names.push_back(from.coordinate == 0              ? from.name
                      : from.coordinate == kLinearIndex ? "index()"
                                                        : fmt::format("index({})", from.coordinate));
      continue;
    }
    if (step.opcode == Opcode::kConstant) {
      names.push_back(literal(step));
      continue;
    }
    std::string value;
    if (step.opcode == Opcode::kCast) {
      value = fmt::format("{}({})", dtype_name(step.dtype), argument(0));
    } else if (step.opcode == Opcode::kSelect) {
      value = fmt::format("{} ? {} : {}", argument(0), argument(1), argument(2));
    } else if (info.function) {
      value = fmt::format("{}({}{})", info.spelling, argument(0), info.arity == 2 ? ", " + argument(1) : "");
    } else {
      value = info.arity == 1 ? fmt::format("{}{}", info.spelling, argument(0))
                              : fmt::format("{} {} {}", argument(0), info.spelling, argument(1));
    }
    names.push_back(fmt::format("t{}_", names.size()));
    text += fmt::format("var {} = {};\n", names.back(), value);
  }
  for (const auto& output : program.outputs) text += fmt::format("{} = {};\n", output.name, names[output.value]);
  return text;
}

}  // namespace alknet::graph::expr
