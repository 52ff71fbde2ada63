#pragma once

#include <string_view>
#include <vector>

#include "alknet/base/json.h"
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

/// Whether the schema of a parameter allows values of a JSON type by its `type`.
bool has_type(const Json& schema, std::string_view wanted);

}  // namespace alknet::compute
