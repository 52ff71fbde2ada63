#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "alknet/graph/expr/program.h"
#include "alknet/graph/expr/type.h"

namespace alknet::graph::expr {

/// What a simplification may change.
enum class Exactness : std::uint8_t {
  kDerivative,  ///< A product with a constant 0 is 0 whatever the other factor, and `x + 0` is x, also of -0.
  kValue,       ///< Nothing: NaN, infinities and signed zeros come out as they would have.
};

/// Appends typed steps and leaves out those that change nothing: arithmetic on constants, `x + 0`, `x * 1`, `x * 0`,
/// `x / 1`, `pow(x, 2)` for `x * x`, `-(-x)`, conditions that are known. Equal steps are shared. Throws Error
/// `expression_invalid` beyond the limits of `compile`.
class StepBuilder {
 public:
  explicit StepBuilder(std::span<const Variable> variables, Exactness exactness = Exactness::kDerivative)
      : typer_(variables, Dtype::kF32), exactness_(exactness) {}

  Operand variable(std::size_t index) { return typer_.variable(index); }
  Operand constant(double number, Dtype dtype);
  Operand cast(Dtype dtype, const Operand& value) { return typer_.cast(dtype, value, {}); }
  Operand unary(Opcode opcode, const Operand& a);
  Operand binary(Opcode opcode, const Operand& a, const Operand& b);
  Operand select(const Operand& condition, const Operand& if_true, const Operand& if_false);

  /// `instruction` of another program, on its arguments here. Not for variables.
  Operand repeat(const Instruction& instruction, std::span<const Operand> arguments);

  Dtype dtype(const Operand& value) const { return typer_.instruction(value).dtype; }
  std::optional<double> known(const Operand& value) const;

  void output(std::string name, const Operand& value) { typer_.output(std::move(name), value, {}); }
  /// The program, without steps that no output needs.
  Program finish() && { return std::move(typer_).finish(); }

 private:
  Operand append(Opcode opcode, std::span<const Operand> arguments);
  std::optional<Operand> identity(Opcode opcode, const Operand& a, const Operand& b);
  bool is(const Operand& value, double number) const { return known(value) == number; }

  Typer typer_;
  Exactness exactness_;
};

/// The same program with variables of known values (parallel to its variables; missing ones are unknown) replaced by
/// constants, and simplified.
Program simplify(const Program& program, std::span<const std::optional<double>> known = {},
                 Exactness exactness = Exactness::kDerivative);

}  // namespace alknet::graph::expr
