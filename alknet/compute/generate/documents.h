#pragma once

#include <vector>

#include "alknet/compute/generate/cpp.h"
#include "alknet/graph/op_table.h"

namespace alknet::compute {

/// operations.md, for docs/: every operation of the built-in table by family, with its signature, dtypes, promotion and
/// whether it has a gradient.
std::vector<GeneratedFile> generate_documentation(const graph::OpTable& ops);

/// operations.d.ts, for js/tensor/: the operations as typed functions of tensors: inputs, then parameters in the order
/// of the table.
std::vector<GeneratedFile> generate_declarations(const graph::OpTable& ops);

}  // namespace alknet::compute
