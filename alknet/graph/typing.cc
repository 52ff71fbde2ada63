#include "alknet/graph/typing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "alknet/graph/error.h"
#include "alknet/graph/op_program.h"

namespace alknet::graph {
namespace {

std::optional<Dtype> join(std::optional<Dtype> a, std::optional<Dtype> b) {
  if (!a || !b) return a ? a : b;
  return promote(*a, *b);
}

/// PyTorch's `combine_categories`: the lower group counts only where it has a higher class.
std::optional<Dtype> combine(std::optional<Dtype> higher, std::optional<Dtype> lower) {
  if (higher && is_float(*higher)) return higher;
  if (higher == Dtype::kBool || (lower && is_float(*lower))) return join(higher, lower);
  return higher ? higher : lower;
}

[[noreturn]] void mismatch(const OpSpec& op, std::string_view message) {
  throw Error(GraphError::kDtypeMismatch, fmt::format("[{}] {}", op.name, message), JsonObject{{"op", op.name}});
}

[[noreturn]] void bad_operand(const OpSpec& op, std::string_view message) {
  throw Error(GraphError::kBadOperand, fmt::format("[{}] {}", op.name, message), JsonObject{{"op", op.name}});
}

using Operands = std::span<const std::vector<DtypeOperand>>;

/// The operands that promotion acts on, in order.
std::vector<DtypeOperand> promoting(const OpSpec& op, Operands operands) {
  std::vector<DtypeOperand> list;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (!op.inputs[i].promotes) continue;
    std::copy_if(operands[i].begin(), operands[i].end(), std::back_inserter(list),
                 [](const DtypeOperand& operand) { return operand.scalar || !is_block(operand.dtype); });
  }
  return list;
}

void check_scalars(const OpSpec& op, Operands operands) {
  bool tensor = false;
  bool scalar = false;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    for (const auto& operand : operands[i]) {
      (operand.scalar ? scalar : tensor) = true;
      if (operand.scalar && (!op.elementwise() || !op.inputs[i].promotes || op.promotion == Promotion::kNone)) {
        bad_operand(op, fmt::format("the input \"{}\" must be a tensor, not a scalar", op.inputs[i].name));
      }
    }
  }
  if (scalar && !tensor) bad_operand(op, "at least one input must be a tensor");
}

/// What promoting inputs become; nothing when the op does not promote.
std::optional<Dtype> promoted_by(const OpSpec& op, Operands operands) {
  const auto list = promoting(op, operands);
  if (op.promotion == Promotion::kNone || list.empty()) return std::nullopt;
  const Dtype promoted = promoted_dtype(list);
  switch (op.promotion) {
    case Promotion::kSame:
      for (const auto& operand : list) {
        if (operand.scalar || operand.dtype == list.front().dtype) continue;
        mismatch(op, fmt::format("the inputs need one dtype but have {} and {}; cast one",
                                 dtype_name(list.front().dtype), dtype_name(operand.dtype)));
      }
      return promoted;
    case Promotion::kFloat: return is_float(promoted) ? promoted : Dtype::kF32;
    case Promotion::kAccumulate: return is_float(promoted) ? promoted : Dtype::kI64;
    case Promotion::kBool: return Dtype::kBool;
    case Promotion::kPromote: return promoted;
    case Promotion::kNone: break;
  }
  return std::nullopt;
}

bool accepts(const OpInput& input, Dtype dtype) {
  return std::find(input.dtypes.begin(), input.dtypes.end(), dtype) != input.dtypes.end();
}

void check_accepted(const OpSpec& op, const OpInput& input, Dtype dtype) {
  if (accepts(input, dtype)) return;
  if (is_block(dtype)) {
    mismatch(op,
             fmt::format("\"{}\" is {}, blocks of quantised weights: compute on what dequantize gives, or use it as "
                         "the weight of linear",
                         input.name, dtype_name(dtype)));
  }
  std::vector<std::string_view> names;
  for (const Dtype accepted : input.dtypes) names.push_back(dtype_name(accepted));
  mismatch(op, fmt::format("\"{}\" would be {}; it takes {}: cast it", input.name, dtype_name(dtype),
                           fmt::join(names, ", ")));
}

/// Whether a number that becomes an element of a dtype would not be itself there. What is not 0 is true.
bool changes(double whole, Dtype dtype) { return dtype != Dtype::kBool && !holds(dtype, whole); }
bool changes(std::int64_t whole, Dtype dtype) {
  return dtype != Dtype::kI64 && changes(static_cast<double>(whole), dtype);
}

void check_scalar_values(const OpSpec& op, Operands operands, Dtype promoted) {
  for (const auto& list : operands) {
    for (const auto& operand : list) {
      if (operand.scalar && changes(operand.scalar->integer, promoted)) {
        mismatch(op, fmt::format("the scalar {} does not fit {}; cast the tensor", operand.scalar->integer,
                                 dtype_name(promoted)));
      }
    }
  }
}

/// As in PyTorch, a fraction in a parameter does not go with integer tensors, nor a number that their dtype lacks.
void check_parameters(const OpSpec& op, Dtype dtype, bool takes_fractions, const JsonObject& attrs) {
  if (is_float(dtype)) return;
  const auto refuse = [&](const std::string& name, const Json& value, std::string_view why) {
    throw Error(GraphError::kBadAttribute,
                fmt::format("[{}] parameter \"{}\" is {}, {} {}; cast them or use another number", op.name, name,
                            json_text(value), why, dtype_name(dtype)),
                JsonObject{{"op", op.name}, {"parameter", name}});
  };
  for (const auto& name : scalar_parameters(op)) {
    const Json* value = attrs.if_contains(name);
    if (value == nullptr) continue;
    // An integer parameter is a place or a count, not an element.
    const JsonObject* schema = op.parameter(name)->schema.if_object();
    const Json* type = schema != nullptr ? schema->if_contains("type") : nullptr;
    if (type != nullptr && *type == Json("integer")) continue;
    if (value->is_double() && !takes_fractions && std::trunc(value->get_double()) != value->get_double()) {
      refuse(name, *value, "but the inputs are");
    }
    const bool wrong = value->is_int64() ? changes(value->get_int64(), dtype)
                                         : value->is_double() && changes(std::trunc(value->get_double()), dtype);
    if (wrong) refuse(name, *value, "which does not fit elements of");
  }
}

/// What an input reads after the implied cast.
Dtype read_dtype(const OpSpec& op, const OpInput& input, const DtypeOperand& operand, std::optional<Dtype> promoted) {
  if (!operand.scalar && is_block(operand.dtype)) return operand.dtype;
  if (op.promotion == Promotion::kAccumulate && !operand.scalar && accepts(input, operand.dtype)) return operand.dtype;
  if (promoted && input.promotes) return *promoted;
  if (promoted && is_float(operand.dtype) && is_float(*promoted) && accepts(input, *promoted)) return *promoted;
  if (operand.scalar) bad_operand(op, fmt::format("the input \"{}\" must be a tensor", input.name));
  return operand.dtype;
}

/// What numbers in parameters make when no dtype is named: PyTorch's rule for `full` and `arange`.
Dtype dtype_of_parameters(const JsonObject& attrs) {
  const bool fraction =
      std::any_of(attrs.begin(), attrs.end(), [](const auto& attr) { return attr.value().is_double(); });
  return fraction ? Dtype::kF32 : Dtype::kI64;
}

Dtype output_dtype(const OpSpec& op, const OpOutput& output, const OpDtypes& dtypes, std::optional<Dtype> promoted,
                   const JsonObject& attrs) {
  if (output.dtype == "promoted" && promoted) return *promoted;
  if (const auto fixed = parse_dtype(output.dtype)) return *fixed;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (op.inputs[i].name == output.dtype && dtypes.inputs[i]) return *dtypes.inputs[i];
  }
  if (const Json* value = attrs.if_contains(output.dtype); value != nullptr) {
    if (value->is_null()) return dtype_of_parameters(attrs);
    if (const auto named = value->is_string() ? parse_dtype(value->get_string()) : std::nullopt) return *named;
  }
  mismatch(op, fmt::format("nothing decides the dtype of the output \"{}\"", output.name));
}

}  // namespace

Dtype promoted_dtype(std::span<const DtypeOperand> operands) {
  std::optional<Dtype> dimensioned, rank_zero, scalar;
  for (const auto& operand : operands) {
    if (operand.scalar) {
      scalar = join(scalar, scalar_dtype(operand.scalar->kind));
    } else {
      auto& group = operand.rank_zero ? rank_zero : dimensioned;
      group = join(group, operand.dtype);
    }
  }
  return combine(combine(dimensioned, rank_zero), scalar).value_or(Dtype::kF32);
}

OpDtypes infer_dtypes(const OpSpec& op, std::span<const std::vector<DtypeOperand>> operands, const JsonObject& attrs) {
  check_scalars(op, operands);
  const auto promoted = promoted_by(op, operands);
  OpDtypes dtypes;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (operands[i].empty()) {
      dtypes.inputs.emplace_back(std::nullopt);
      continue;
    }
    // A list is of one dtype, except that blocks in it stay blocks.
    const auto block = std::find_if(operands[i].begin(), operands[i].end(), [](const DtypeOperand& operand) {
      return !operand.scalar && is_block(operand.dtype);
    });
    const DtypeOperand& decides = block == operands[i].end() ? operands[i].front() : *block;
    const Dtype dtype = read_dtype(op, op.inputs[i], decides, promoted);
    check_accepted(op, op.inputs[i], dtype);
    dtypes.inputs.emplace_back(dtype);
  }
  if (promoted) {
    check_scalar_values(op, operands, *promoted);
    check_parameters(op, *promoted, !op.elementwise(), attrs);
  }
  for (const auto& output : op.outputs) dtypes.outputs.push_back(output_dtype(op, output, dtypes, promoted, attrs));
  if (!promoted) check_parameters(op, dtypes.outputs.front(), true, attrs);
  return dtypes;
}

}  // namespace alknet::graph
