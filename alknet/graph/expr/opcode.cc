#include <array>

#include "alknet/graph/expr/program.h"

namespace alknet::graph::expr {
namespace {

/// In the order of the enum.
constexpr std::array kTable = {
    // clang-format off
    //         opcode                  spelling arity function yields_bool needs_float
    OpcodeInfo{Opcode::kConstant,      "",      0,    false,   false,      false},
    OpcodeInfo{Opcode::kVariable,      "",      0,    false,   false,      false},
    OpcodeInfo{Opcode::kCast,          "",      1,    true,    false,      false},
    OpcodeInfo{Opcode::kNegate,        "-",     1,    false,   false,      false},
    OpcodeInfo{Opcode::kNot,           "!",     1,    false,   true,       false},
    OpcodeInfo{Opcode::kAdd,           "+",     2,    false,   false,      false},
    OpcodeInfo{Opcode::kSubtract,      "-",     2,    false,   false,      false},
    OpcodeInfo{Opcode::kMultiply,      "*",     2,    false,   false,      false},
    OpcodeInfo{Opcode::kDivide,        "/",     2,    false,   false,      false},
    OpcodeInfo{Opcode::kRemainder,     "%",     2,    false,   false,      false},
    OpcodeInfo{Opcode::kLess,          "<",     2,    false,   true,       false},
    OpcodeInfo{Opcode::kLessEqual,     "<=",    2,    false,   true,       false},
    OpcodeInfo{Opcode::kGreater,       ">",     2,    false,   true,       false},
    OpcodeInfo{Opcode::kGreaterEqual,  ">=",    2,    false,   true,       false},
    OpcodeInfo{Opcode::kEqual,         "==",    2,    false,   true,       false},
    OpcodeInfo{Opcode::kNotEqual,      "!=",    2,    false,   true,       false},
    OpcodeInfo{Opcode::kAnd,           "&&",    2,    false,   true,       false},
    OpcodeInfo{Opcode::kOr,            "||",    2,    false,   true,       false},
    OpcodeInfo{Opcode::kSelect,        "?:",    3,    false,   false,      false},
    OpcodeInfo{Opcode::kAbs,           "abs",   1,    true,    false,      false},
    OpcodeInfo{Opcode::kExp,           "exp",   1,    true,    false,      true},
    OpcodeInfo{Opcode::kLog,           "log",   1,    true,    false,      true},
    OpcodeInfo{Opcode::kSqrt,          "sqrt",  1,    true,    false,      true},
    OpcodeInfo{Opcode::kRsqrt,         "rsqrt", 1,    true,    false,      true},
    OpcodeInfo{Opcode::kTanh,          "tanh",  1,    true,    false,      true},
    OpcodeInfo{Opcode::kErf,           "erf",   1,    true,    false,      true},
    OpcodeInfo{Opcode::kMaximum,       "max",   2,    true,    false,      false},
    OpcodeInfo{Opcode::kMinimum,       "min",   2,    true,    false,      false},
    OpcodeInfo{Opcode::kIsNan,         "isnan", 1,    true,    true,       true},
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
