#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alknet/graph/expr/lexer.h"
#include "alknet/graph/expr/program.h"

namespace alknet::graph::expr {

/// A value while a source is compiled: a typed step, or a literal that has no dtype yet. Arithmetic on literals alone
/// is done here, in double; a literal takes the dtype of the first typed value it meets.
struct Operand {
  bool literal = false;
  bool integer = false;           ///< Of a literal.
  double number = 0;              ///< Of a literal.
  std::uint32_t instruction = 0;  ///< Of a typed value.
};

/// Types steps and appends each distinct one once. Errors are `expression_invalid` at the given position.
class Typer {
 public:
  /// `literal_dtype` is what an output made of literals only gets.
  Typer(std::span<const Variable> variables, Dtype literal_dtype);

  static Operand literal(double number, bool integer) { return {true, integer, number, 0}; }
  Operand boolean(bool value);
  Operand variable(std::size_t index);
  /// Adds the variable on first use.
  Operand coordinate(std::int8_t which);
  Operand cast(Dtype dtype, const Operand& value, const Position& at);
  /// Any operator or function of `opcode_table` except constants, variables and casts.
  Operand step(Opcode opcode, std::span<const Operand> arguments, const Position& at);

  /// The step of a typed value.
  const Instruction& instruction(const Operand& typed) const { return program_.instructions[typed.instruction]; }

  void output(std::string name, const Operand& value, const Position& at);

  /// The program, without steps that no output needs.
  Program finish() &&;

 private:
  Dtype dtype(const Operand& typed) const { return instruction(typed).dtype; }
  Operand append(Instruction instruction, const Position& at);
  Operand constant(double number, Dtype dtype, const Position& at);
  Operand give_dtype(const Operand& value, Dtype dtype, const Position& at);
  Operand fold(Opcode opcode, std::span<const Operand> literals, const Position& at);
  Operand select(std::span<const Operand> arguments, const Position& at);
  /// A comparison of bool, where false is less than true.
  Operand order(Opcode opcode, std::span<const Operand> bools, const Position& at);
  /// The dtype of the typed arguments, which must agree; nothing when all are literals.
  std::optional<Dtype> common_dtype(std::span<const Operand> arguments, const Position& at) const;
  void check_operands(Opcode opcode, Dtype dtype, const Position& at) const;

  struct Key {
    Opcode opcode;
    Dtype dtype;
    std::uint32_t a, b, c, index;
    std::uint64_t constant_bits;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  Program program_;
  Dtype literal_dtype_;
  std::map<Key, std::uint32_t> known_;
};

}  // namespace alknet::graph::expr
