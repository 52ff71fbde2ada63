#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/graph/dtype.h"

namespace alknet::graph::expr {

/// Operators and functions of the expression language. Names in source: operators as in C, functions as listed in
/// `opcode_info` (`max`, `exp`, `erf`, `select` from `?:`, ...).
enum class Opcode : std::uint8_t {
  kConstant,  ///< literal
  kVariable,  ///< an input or parameter: `index` into the program's variables
  kCast,      ///< to the instruction's dtype; written as a call of the dtype: `f32(x)`
  kNegate,
  kNot,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kRemainder,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kAnd,
  kOr,
  kSelect,  ///< arguments: condition, value if true, value if false
  kAbs,
  kExp,
  kLog,
  kSqrt,
  kRsqrt,
  kTanh,
  kErf,
  kMaximum,
  kMinimum,
  kIsNan,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kExp2,
  kExpm1,
  kLog2,
  kLog10,
  kLog1p,
  kErfc,
  kErfinv,
  kLgamma,  ///< log |gamma(x)|
  kDigamma,
  kFloor,
  kCeil,
  kRound,  ///< half to even
  kTrunc,
  kAtan2,
  kPow,  ///< as C's; of integers wraps, and 0 for a negative exponent unless the base is 1 or -1
  kCopysign,
  kZeta,    ///< Hurwitz: the sum of (x + k)^-s over k >= 0; arguments s, x
  kBitAnd,  ///< of integers, as the others here; written for bool they are the logical ones
  kBitOr,
  kBitXor,
  kBitNot,
  kShiftLeft,   ///< 0 where the count is negative or no less than the bits
  kShiftRight,  ///< arithmetic; of such counts the sign: 0 or -1
};

/// One row per opcode: how it is written and typed.
struct OpcodeInfo {
  Opcode opcode;
  std::string_view spelling;  ///< "+", "max"; empty for kConstant, kVariable, kCast
  std::uint8_t arity;
  bool function;  ///< written name(args) rather than as an operator
  bool yields_bool;
  bool needs_float;    ///< integer arguments are an error
  bool needs_integer;  ///< float arguments are an error
};
std::span<const OpcodeInfo> opcode_table();
const OpcodeInfo& opcode_info(Opcode opcode);

/// One step in single-assignment form; its value is named by its index in `Program::instructions`.
struct Instruction {
  Opcode opcode = Opcode::kConstant;
  Dtype dtype = Dtype::kF32;               ///< of the result; f16 and bf16 never occur: they compute in f32
  std::uint32_t arguments[3] = {0, 0, 0};  ///< earlier instructions; as many as the opcode's arity
  std::uint32_t index = 0;                 ///< kVariable: which
  double constant = 0;                     ///< kConstant, exact for integers up to 2^53
  friend bool operator==(const Instruction&, const Instruction&) = default;
};

/// Of Variable::coordinate: the linear index of the element.
inline constexpr std::int8_t kLinearIndex = 1;
/// How many dimensions, from the last, expressions may ask for.
inline constexpr int kMaxCoordinates = 4;

struct Variable {
  std::string name;
  Dtype dtype = Dtype::kF32;
  bool parameter = false;  ///< a scalar attribute rather than a tensor element
  /// Not 0: where in the result the element is: kLinearIndex, or the place in dimension `coordinate` (from the end).
  std::int8_t coordinate = 0;
  friend bool operator==(const Variable&, const Variable&) = default;
};

/// A typed expression without control flow: pure, total, free of common subexpressions and dead steps.
struct Program {
  std::vector<Variable> variables;
  std::vector<Instruction> instructions;
  struct Output {
    std::string name;
    std::uint32_t value;  ///< instruction
    friend bool operator==(const Output&, const Output&) = default;
  };
  std::vector<Output> outputs;
};

/// Parses and types `source`: statements `var x = e;`, `name = e;` and one final assignment per output; a lone
/// expression statement `output = e` may leave out its semicolon. Operators with C's precedence, `?:`, calls, number
/// and `true`/`false`/`inf`/`nan`/`pi` literals. A literal takes the dtype of the other operand; operands of different
/// dtypes are an error (`f32(x)` casts). f16 and bf16 variables have dtype f32 here. `outputs` names what must be
/// assigned. `index()` is the element's linear index in the result and `index(-1)`, ... its place in the last
/// dimensions, as i64: such variables come after the given ones. Between literals alone arithmetic is exact to double
/// and `/` of integers must be exact. An output made of literals only has `literal_dtype`, whose largest and smallest
/// finite numbers are `highest` and `lowest` (of integers those of f32); `as_output(x)` casts to it. Throws Error
/// `expression_invalid` with line and column.
Program compile(std::string_view source, std::span<const Variable> variables, std::span<const std::string> outputs,
                Dtype literal_dtype = Dtype::kF32);

/// Source text of a program: compiled again, with the same variables, it gives the same results.
std::string source_text(const Program& program);

/// The reference interpreter in double precision: what tests compare kernels with. Integers wrap to their dtype; an
/// integer divided by zero is the dividend and its remainder 0 (WGSL's rules); `/` truncates and `%` has the dividend's
/// sign; casts as `convert` of expr/scalar.h says.
/// `values` is parallel to `variables`; returns one number per output.
std::vector<double> evaluate(const Program& program, std::span<const double> values);

/// The value of a coordinate for the element `linear` of a row-major result with those sizes.
std::int64_t coordinate_value(std::int8_t coordinate, std::int64_t linear, std::span<const std::int64_t> sizes);

}  // namespace alknet::graph::expr
