#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alknet/base/error.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/graph/op_program.h"

namespace alknet::compute {
namespace {

using graph::compute_dtype;
using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::Program;
using Constants = std::vector<std::pair<std::string, double>>;

/// Appends the programs of steps to one program, replacing their variables by values that exist already.
class Composer {
 public:
  Composer(const ElementwiseProgram& source, Constants& constants) : source_(source), constants_(constants) {
    const auto is_i64 = [](Dtype dtype) { return dtype == Dtype::kI64; };
    indices_only_ =
        std::none_of(source.inputs.begin(), source.inputs.end(), is_i64) &&
        std::none_of(source.steps.begin(), source.steps.end(), [&](const auto& step) { return is_i64(step.dtype); });
  }

  Program run() {
    for (std::size_t i = 0; i < source_.inputs.size(); ++i) {
      values_.push_back(add_variable({fmt::format("x{}", i), compute_dtype(source_.inputs[i]), false}));
    }
    for (std::size_t s = 0; s < source_.steps.size(); ++s) values_.push_back(add_step(s));
    for (std::size_t k = 0; k < source_.outputs.size(); ++k) {
      result_.outputs.push_back({fmt::format("y{}", k), values_.at(source_.outputs[k])});
    }
    return std::move(result_);
  }

 private:
  /// Where no tensor is i64, what is i64 is an element's index: it fits the i32 that shaders have.
  Dtype narrowed(Dtype dtype) const { return dtype == Dtype::kI64 && indices_only_ ? Dtype::kI32 : dtype; }

  std::uint32_t add(Instruction step) {
    step.dtype = narrowed(step.dtype);
    result_.instructions.push_back(step);
    return static_cast<std::uint32_t>(result_.instructions.size() - 1);
  }

  std::uint32_t add_variable(graph::expr::Variable variable) {
    variable.dtype = narrowed(variable.dtype);
    Instruction read;
    read.opcode = Opcode::kVariable;
    read.dtype = variable.dtype;
    read.index = static_cast<std::uint32_t>(result_.variables.size());
    result_.variables.push_back(std::move(variable));
    return add(read);
  }

  /// The dtype that a scalar takes among the tensors of its step.
  Dtype scalar_dtype(const ElementwiseProgram::Step& step, std::size_t argument) const {
    const auto& accepted = step.op->inputs[argument].dtypes;
    if (accepted.size() == 1) return accepted.front();
    for (std::size_t i = 0; i < step.arguments.size(); ++i) {
      const bool fixed = step.op->inputs[i].dtypes.size() == 1;
      if (!fixed && !step.arguments[i].scalar) return source_.dtype_of(step.arguments[i].value);
    }
    return step.dtype;
  }

  std::uint32_t add_step(std::size_t index) {
    const auto& step = source_.steps[index];
    std::vector<Dtype> dtypes;
    for (std::size_t i = 0; i < step.arguments.size(); ++i) {
      dtypes.push_back(step.arguments[i].scalar ? scalar_dtype(step, i) : source_.dtype_of(step.arguments[i].value));
    }
    const Dtype outputs[] = {step.dtype};
    const Program program = graph::elementwise_program(*step.op, step.attrs, dtypes, outputs);

    std::vector<std::uint32_t> variables;
    for (std::size_t v = 0; v < program.variables.size(); ++v) {
      if (program.variables[v].coordinate != 0) {
        variables.push_back(add_coordinate(program.variables[v]));
        continue;
      }
      variables.push_back(v < step.arguments.size() && !step.arguments[v].scalar
                              ? values_.at(step.arguments[v].value)
                              : add_scalar(index, v, program.variables[v]));
    }
    std::vector<std::uint32_t> steps;
    for (Instruction instruction : program.instructions) {
      if (instruction.opcode == Opcode::kVariable) {
        steps.push_back(variables[instruction.index]);
        continue;
      }
      for (std::size_t k = 0; k < graph::expr::opcode_info(instruction.opcode).arity; ++k) {
        instruction.arguments[k] = steps[instruction.arguments[k]];
      }
      steps.push_back(add(instruction));
    }
    return steps.at(program.outputs.front().value);
  }

  std::uint32_t add_coordinate(const graph::expr::Variable& variable) {
    const auto [known, added] = coordinates_.try_emplace(variable.coordinate, 0);
    if (added) known->second = add_variable(variable);
    return known->second;
  }

  /// A scalar operand or a numeric attribute of a step, as a parameter of the kernel.
  std::uint32_t add_scalar(std::size_t index, std::size_t variable, const graph::expr::Variable& from) {
    const auto& step = source_.steps[index];
    const double value = variable < step.arguments.size() ? step.arguments[variable].scalar->number
                                                          : *graph::scalar_value(step.attrs, from.name);
    std::string name = fmt::format("s{}_{}", index, from.name);
    constants_.emplace_back(name, value);
    return add_variable({std::move(name), from.dtype, true});
  }

  const ElementwiseProgram& source_;
  Constants& constants_;
  Program result_;
  std::vector<std::uint32_t> values_;
  std::map<std::int8_t, std::uint32_t> coordinates_;
  bool indices_only_ = false;
};

}  // namespace

Program compose(const ElementwiseProgram& program, Constants& constants) { return Composer(program, constants).run(); }

}  // namespace alknet::compute
