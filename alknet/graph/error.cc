#include "alknet/graph/error.h"

namespace alknet::graph {

const std::error_category& graph_category() noexcept {
  static const NamedCategory<19> category(
      "graph",
      {"unknown_op", "bad_attribute", "shape_mismatch", "dtype_mismatch", "dim_invalid", "dim_unbound", "size_overflow",
       "expression_invalid", "op_table_invalid", "graph_invalid", "duplicate_name", "illegal_name", "unknown_ref",
       "cycle", "missing_input", "bad_operand", "not_differentiable", "assign_conflict", "too_large"});
  return category;
}

}  // namespace alknet::graph
