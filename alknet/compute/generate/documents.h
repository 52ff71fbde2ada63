#pragma once

#include <string>

#include "alknet/graph/op_table.h"

namespace alknet::compute {

/// docs/operations.md: every operation of the built-in table by family, with its signature, dtypes, promotion and
/// whether it has a gradient.
std::string operations_markdown(const graph::OpTable& ops);

/// js/tensor/operations.d.ts: the operations as typed functions of tensors: inputs, then parameters in the order of the
/// table.
std::string operations_declarations(const graph::OpTable& ops);

}  // namespace alknet::compute
