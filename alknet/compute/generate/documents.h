#pragma once

#include <vector>

#include "alknet/compute/generate/cpp.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/ops_json.h"

namespace alknet::compute {

/// operations.md, for docs/: every operation of the built-in table by family, with its signature, dtypes, promotion and
/// whether it has a gradient.
std::vector<GeneratedFile> generate_documentation(const graph::OpTable& ops);

/// The operations of a family, by name.
std::vector<const graph::OpSpec*> operations_of(const graph::OpFamily& family, const graph::OpTable& ops);

/// Whether a gradient flows from an output to an input.
bool differentiable(const graph::OpSpec& op);

}  // namespace alknet::compute
