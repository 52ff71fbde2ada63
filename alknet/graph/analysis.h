#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/graph/error.h"
#include "alknet/graph/typing.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {

/// Everything one walk over a graph finds out; what the functions of validate.h give parts of.
struct Analysis {
  std::vector<Problem> problems;
  TypedGraph typed;              ///< Of what could be typed.
  std::vector<OpDtypes> dtypes;  ///< By node index; empty where not typed.
};
Analysis analyze(const Graph& graph, const OpTable& ops);

/// As `analyze`; throws Error `graph_invalid` with all problems when there are any.
Analysis analyze_valid(const Graph& graph, const OpTable& ops);

/// dtypes and types of one call.
struct CallTypes {
  OpDtypes dtypes;
  std::vector<ValueType> outputs;
};
/// Types a node from its operands; nothing when one of them is not in `types`. The operands' number must be right.
/// Throws Error `shape_mismatch`, `dtype_mismatch`, `bad_attribute`, `bad_operand`, ...
std::optional<CallTypes> type_call(const OpSpec& op, const Node& node,
                                   const std::map<std::string, ValueType, std::less<>>& types, const OpTable& ops);

/// The dtypes alone, by the entry: a composite is not looked into.
std::optional<OpDtypes> call_dtypes(const OpSpec& op, const Node& node,
                                    const std::map<std::string, ValueType, std::less<>>& types);

/// What names stand for; of a name used twice, the first.
struct ValueSource {
  enum class Kind { kInput, kState, kConstant, kNode };
  Kind kind = Kind::kInput;
  std::size_t index = 0;  ///< In the graph's list of that kind.
};
using ValueSources = std::map<std::string, ValueSource, std::less<>>;
ValueSources value_sources(const Graph& graph);

/// Problems that need no operation: names, dimensions, sizes of constants, limits (declarations.cc).
void check_declarations(const Graph& graph, std::vector<Problem>& problems);

/// Initial values of states that no initialiser makes (initializer.cc).
void check_initializers(const Graph& graph, std::vector<Problem>& problems);

/// Dimensions in attributes that no input, state or declaration gives a value (declarations.cc).
void check_unbound_dims(const Graph& graph, const OpTable& ops, std::vector<Problem>& problems);

/// Adds what versions of states ask of the order: a node that reads a version, also through views, comes before the
/// `assign` that replaces it. Reports an `assign` to no state, and two to one version (assign.cc).
void order_assigns(const Graph& graph, const OpTable& ops, const ValueSources& sources,
                   std::vector<std::vector<std::size_t>>& producers, std::vector<Problem>& problems);

/// Where a node is, for problems: "encoder.layer.0 (add_3)", or its id alone.
std::string node_place(const Node& node);

/// Adds a problem with the error's name and message.
void report(std::vector<Problem>& problems, std::string where, GraphError code, std::string message);
void report(std::vector<Problem>& problems, std::string where, const Error& error);

}  // namespace alknet::graph
