#include <array>

#include "alknet/graph/expr/program.h"

namespace alknet::graph::expr {
namespace {

/// In the order of the enum.
constexpr std::array kTable = {
    // clang-format off
    //         opcode                  spelling arity function yields_bool needs_float needs_integer
    OpcodeInfo{Opcode::kConstant,      "",      0,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kVariable,      "",      0,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kCast,          "",      1,    true,    false,      false,      false},
    OpcodeInfo{Opcode::kNegate,        "-",     1,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kNot,           "!",     1,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kAdd,           "+",     2,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kSubtract,      "-",     2,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kMultiply,      "*",     2,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kDivide,        "/",     2,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kRemainder,     "%",     2,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kLess,          "<",     2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kLessEqual,     "<=",    2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kGreater,       ">",     2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kGreaterEqual,  ">=",    2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kEqual,         "==",    2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kNotEqual,      "!=",    2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kAnd,           "&&",    2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kOr,            "||",    2,    false,   true,       false,      false},
    OpcodeInfo{Opcode::kSelect,        "?:",    3,    false,   false,      false,      false},
    OpcodeInfo{Opcode::kAbs,           "abs",   1,    true,    false,      false,      false},
    OpcodeInfo{Opcode::kExp,           "exp",   1,    true,    false,      true,       false},
    OpcodeInfo{Opcode::kLog,           "log",   1,    true,    false,      true,       false},
    OpcodeInfo{Opcode::kSqrt,          "sqrt",  1,    true,    false,      true,       false},
    OpcodeInfo{Opcode::kRsqrt,         "rsqrt", 1,    true,    false,      true,       false},
    OpcodeInfo{Opcode::kTanh,          "tanh",  1,    true,    false,      true,       false},
    OpcodeInfo{Opcode::kErf,           "erf",   1,    true,    false,      true,       false},
    OpcodeInfo{Opcode::kMaximum,       "max",   2,    true,    false,      false,      false},
    OpcodeInfo{Opcode::kMinimum,       "min",   2,    true,    false,      false,      false},
    OpcodeInfo{Opcode::kIsNan,         "isnan", 1,    true,    true,       false,       false},
    OpcodeInfo{Opcode::kSin,       "sin",     1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kCos,       "cos",     1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kTan,       "tan",     1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kAsin,      "asin",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kAcos,      "acos",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kAtan,      "atan",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kSinh,      "sinh",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kCosh,      "cosh",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kAsinh,     "asinh",   1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kAcosh,     "acosh",   1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kAtanh,     "atanh",   1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kExp2,      "exp2",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kExpm1,     "expm1",   1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kLog2,      "log2",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kLog10,     "log10",   1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kLog1p,     "log1p",   1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kErfc,      "erfc",    1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kErfinv,    "erfinv",  1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kLgamma,    "lgamma",  1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kDigamma,   "digamma", 1,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kFloor,     "floor",   1,    true,    false,       false,      false},
    OpcodeInfo{Opcode::kCeil,      "ceil",    1,    true,    false,       false,      false},
    OpcodeInfo{Opcode::kRound,     "round",   1,    true,    false,       false,      false},
    OpcodeInfo{Opcode::kTrunc,     "trunc",   1,    true,    false,       false,      false},
    OpcodeInfo{Opcode::kAtan2,     "atan2",   2,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kPow,       "pow",     2,    true,    false,       false,      false},
    OpcodeInfo{Opcode::kCopysign,  "copysign",2,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kZeta,      "zeta",    2,    true,    false,       true,       false},
    OpcodeInfo{Opcode::kBitAnd,    "&",       2,    false,   false,       false,      true},
    OpcodeInfo{Opcode::kBitOr,     "|",       2,    false,   false,       false,      true},
    OpcodeInfo{Opcode::kBitXor,    "^",       2,    false,   false,       false,      true},
    OpcodeInfo{Opcode::kBitNot,    "~",       1,    false,   false,       false,      true},
    OpcodeInfo{Opcode::kShiftLeft, "<<",      2,    false,   false,       false,      true},
    OpcodeInfo{Opcode::kShiftRight,">>",      2,    false,   false,       false,      true},
    // clang-format on
};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].opcode) != i) return false;
  }
  return true;
}
static_assert(in_enum_order());

}  // namespace

std::span<const OpcodeInfo> opcode_table() { return kTable; }
const OpcodeInfo& opcode_info(Opcode opcode) { return kTable[static_cast<std::size_t>(opcode)]; }

}  // namespace alknet::graph::expr
