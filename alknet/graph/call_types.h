#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {

/// The input of random operations that callers may leave out: the context's next numbers.
inline constexpr std::string_view kRandomState = "rng";

/// Parameters of operations that read it for a dropout alone: the probability, and whether there is one at all.
constexpr bool is_dropout_probability(std::string_view parameter) {
  return parameter == "p" || parameter == "dropout_p";
}
inline constexpr std::string_view kTraining = "training";

/// Whether a call with these parameters reads kRandomState: not a dropout that drops nothing.
bool needs_random_state(const OpSpec& op, const JsonObject& attributes);

/// A number as an operand: 2, 2.5, true, {scalar, kind}, where "inf", "-inf" and "nan" are floats too.
/// Throws Error `bad_operand`.
Scalar scalar_operand(const Json& value);

/// What is known of an operand without its elements: tensors (a list where the operation takes one), a number, or
/// nothing.
struct OperandType {
  std::vector<ValueType> tensors;
  std::optional<Scalar> scalar;
};

/// dtypes and shapes of the results of one call, from operands parallel to the operation's inputs; no kernels and no
/// device. Throws what typing throws, and `missing_input`.
std::vector<ValueType> infer_call(const OpTable& ops, const OpSpec& op, std::span<const OperandType> operands,
                                  const JsonObject& attributes);

/// The same of the input of `tensor/<name>`, in which tensors are {dtype, shape}, whatever else they have. Without
/// `rng` random operations have one. Throws also `unknown_op`, and `bad_operand` for what is no operand or parameter.
std::vector<ValueType> infer_call(const OpTable& ops, std::string_view name, const JsonObject& input);

}  // namespace alknet::graph
