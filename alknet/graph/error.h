#pragma once

#include <system_error>

#include "alknet/base/error.h"

namespace alknet::graph {

/// What can be wrong with an operation table, a graph or an expression.
enum class GraphError {
  kUnknownOp = 1,  ///< No operation has this name; details has `op` and `near`.
  kBadAttribute,   ///< A parameter is missing, unknown or outside its schema; details has `op` and `parameter`.
  kShapeMismatch,  ///< Shapes do not fit the operation, the data or each other.
  kDtypeMismatch,  ///< An operation does not take a dtype, or needs equal dtypes and got different ones.
  kDimInvalid,     ///< Text is not a dimension expression, or a dimension has no value (division by zero, too complex).
  kDimUnbound,     ///< A named dimension has no value.
  kSizeOverflow,   ///< A size does not fit 64 bits.
  kExpressionInvalid,  ///< Source in the expression language is wrong; details has `line` and `column`.
  kOpTableInvalid,     ///< An operation table breaks its form; details has `pointer`.
  kGraphInvalid,       ///< A graph has problems (details has `problems`) or its JSON has a wrong form (`pointer`).
  kDuplicateName,      ///< Two values of one graph share a name.
  kIllegalName,        ///< A name is empty, too long, or holds a character that names may not have.
  kUnknownRef,         ///< An operand names no value of the graph.
  kCycle,              ///< Nodes depend on themselves.
  kMissingInput,       ///< A required operand is absent.
  kBadOperand,         ///< An operand that the operation cannot take here: a scalar, a list, or one too many.
  kNotDifferentiable,  ///< A gradient is asked for that does not exist; details has `value` or `op`.
  kAssignConflict,     ///< Two nodes assign to one version of a state.
  kTooLarge,           ///< A graph, rank or text is beyond a limit of this layer.
};

const std::error_category& graph_category() noexcept;
inline std::error_code make_error_code(GraphError error) noexcept {
  return {static_cast<int>(error), graph_category()};
}

}  // namespace alknet::graph

template <>
struct std::is_error_code_enum<alknet::graph::GraphError> : std::true_type {};
