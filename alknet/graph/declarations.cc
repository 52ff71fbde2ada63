#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "alknet/base/bytes.h"
#include "alknet/graph/analysis.h"

namespace alknet::graph {
namespace {

constexpr std::size_t kMaxName = 512;
constexpr std::size_t kMaxNodes = 1'000'000;

using Problems = std::vector<Problem>;

/// Names hold no `:` (it separates the output of a node) and no control characters.
void check_name(std::string_view what, const std::string& name, Problems& problems) {
  const auto illegal = [](char c) { return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!name.empty() && name.size() <= kMaxName && std::none_of(name.begin(), name.end(), illegal)) return;
  std::string shown = name.substr(0, 80);
  std::replace_if(
      shown.begin(), shown.end(), [&](char c) { return c != ':' && illegal(c); }, '?');
  report(problems, fmt::format("{} {}", what, shown), GraphError::kIllegalName,
         fmt::format("a name has 1 to {} bytes without ':' and control characters", kMaxName));
}

void check_shape(const std::string& where, const SymbolicShape& shape, Problems& problems) {
  if (shape.size() > kMaxRank) {
    report(problems, where, GraphError::kTooLarge, fmt::format("the rank is {}; at most {}", shape.size(), kMaxRank));
  }
  for (const Dim& dim : shape) {
    if (const auto size = dim.constant(); size && *size < 0) {
      report(problems, where, GraphError::kShapeMismatch,
             fmt::format("the shape {} has a negative size", shape_text(shape)));
      return;
    }
  }
}

/// Blocks lie along the last dimension, a whole number of them.
void check_blocks(const std::string& where, Dtype dtype, const SymbolicShape& shape, Problems& problems) {
  if (!is_block(dtype)) return;
  const auto last = shape.empty() ? std::optional<std::int64_t>(1) : shape.back().constant();
  if (!last || *last % block_values(dtype) == 0) return;
  report(problems, where, GraphError::kShapeMismatch,
         fmt::format("{} needs a last dimension that is a multiple of {}, not the shape {}", dtype_name(dtype),
                     block_values(dtype), shape_text(shape)));
}

void check_constant(const Constant& constant, Problems& problems) {
  const std::string where = "constant " + constant.name;
  const SymbolicShape shape(constant.shape.begin(), constant.shape.end());
  check_shape(where, shape, problems);
  check_blocks(where, constant.dtype, shape, problems);
  if (std::any_of(constant.shape.begin(), constant.shape.end(), [](std::int64_t size) { return size < 0; })) return;
  try {
    const auto blocks = element_count(constant.shape) / block_values(constant.dtype);
    const auto bytes = checked_mul(static_cast<std::uint64_t>(blocks), std::uint64_t{dtype_bytes(constant.dtype)});
    if (!bytes || *bytes != constant.data.size()) {
      report(problems, where, GraphError::kShapeMismatch,
             fmt::format("{} {} does not have the {} bytes of data given", dtype_name(constant.dtype),
                         shape_text(constant.shape), constant.data.size()));
    }
  } catch (const Error& error) {
    report(problems, where, error);
  }
}

void check_dims(const Graph& graph, Problems& problems) {
  std::set<std::string_view> names;
  for (const auto& dim : graph.dims) {
    const std::string where = "dimension " + dim.name.substr(0, 80);
    if (!names.insert(dim.name).second) report(problems, where, GraphError::kDuplicateName, "is declared twice");
    try {
      Dim::symbol(dim.name);
    } catch (const Error& error) {
      report(problems, where, error);
    }
    if (dim.min.value_or(0) < 0 || dim.max.value_or(0) < 0 || (dim.min && dim.max && *dim.min > *dim.max)) {
      report(problems, where, GraphError::kDimInvalid, "min and max must be 0 or more, and min not above max");
    }
  }
}

/// Names of dimensions that get a value: those in shapes of inputs and states, those declared, and integer inputs of
/// rank 0, whose number a run looks up.
std::set<std::string> bound_dims(const Graph& graph) {
  std::set<std::string> bound;
  for (const auto& dim : graph.dims) bound.insert(dim.name);
  const auto add = [&](const SymbolicShape& shape) {
    for (const Dim& dim : shape)
      bound.merge([&] {
        const auto names = dim.names();
        return std::set<std::string>(names.begin(), names.end());
      }());
  };
  for (const auto& input : graph.inputs) {
    add(input.shape);
    if (is_size_input(input)) bound.insert(input.name);
  }
  for (const auto& state : graph.states) add(state.shape);
  return bound;
}

void dims_in(const Json& value, std::set<std::string>& names) {
  if (const auto* items = value.if_array()) {
    for (const auto& item : *items) dims_in(item, names);
  } else if (value.is_string()) {
    for (auto& name : dim_from_attribute(value).names()) names.insert(std::move(name));
  }
}

}  // namespace

void check_unbound_dims(const Graph& graph, const OpTable& ops, Problems& problems) {
  const auto bound = bound_dims(graph);
  for (const auto& node : graph.nodes) {
    const OpSpec* op = ops.find(node.op);
    if (op == nullptr) continue;
    std::set<std::string> names;
    for (const auto& parameter : op->parameters) {
      const Json* value = node.attrs.if_contains(parameter.name);
      if (value == nullptr || !parameter.dimensions) continue;
      try {
        dims_in(*value, names);
      } catch (const Error&) {
        break;  // complete_attributes reports it
      }
    }
    for (const auto& name : names) {
      if (bound.contains(name)) continue;
      report(
          problems, node_place(node), GraphError::kDimUnbound,
          fmt::format("the dimension \"{}\" occurs in no input, state or declaration, so it never gets a value", name));
    }
  }
}

void check_dim_values(const Graph& graph, const DimValues& values) {
  for (const auto& dim : graph.dims) {
    const auto found = values.find(dim.name);
    if (found == values.end()) continue;
    const std::int64_t value = found->second;
    if (value >= dim.min.value_or(0) && value <= dim.max.value_or(std::numeric_limits<std::int64_t>::max())) continue;
    throw Error(GraphError::kDimInvalid,
                fmt::format("the dimension \"{}\" is {}; the graph takes {} to {}", dim.name, value,
                            dim.min.value_or(0), dim.max ? std::to_string(*dim.max) : "any size"),
                JsonObject{{"dim", dim.name}, {"value", value}});
  }
}

void check_declarations(const Graph& graph, Problems& problems) {
  if (graph.nodes.size() > kMaxNodes) {
    report(problems, "graph", GraphError::kTooLarge,
           fmt::format("has {} nodes; at most {}", graph.nodes.size(), kMaxNodes));
  }
  std::set<std::string_view> names;
  const auto declare = [&](std::string_view what, const std::string& name) {
    check_name(what, name, problems);
    if (!names.insert(name).second) {
      report(problems, fmt::format("{} {}", what, name), GraphError::kDuplicateName,
             "another input, state, constant or node has this name");
    }
  };
  for (const auto& input : graph.inputs) {
    declare("input", input.name);
    check_shape("input " + input.name, input.shape, problems);
    check_blocks("input " + input.name, input.dtype, input.shape, problems);
  }
  for (const auto& state : graph.states) {
    declare("state", state.name);
    check_shape("state " + state.name, state.shape, problems);
    check_blocks("state " + state.name, state.dtype, state.shape, problems);
  }
  for (const auto& constant : graph.constants) {
    declare("constant", constant.name);
    check_constant(constant, problems);
  }
  for (const auto& node : graph.nodes) declare("node", node.id);
  std::set<std::string_view> outputs;
  for (const auto& output : graph.outputs) {
    check_name("output", output.name, problems);
    if (!outputs.insert(output.name).second) {
      report(problems, "output " + output.name, GraphError::kDuplicateName, "another output has this name");
    }
  }
  check_dims(graph, problems);
}

}  // namespace alknet::graph
