#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "alknet/graph/graph.h"
#include "alknet/graph/node_writer.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// Writes the nodes of a GraphCase for one call. The arguments must outlive it.
class CaseWriter {
 public:
  /// By name, what cases may refer to; a value of several operands is a list. Inputs that are left out are absent.
  using Values = std::map<std::string, std::vector<Ref>, std::less<>>;

  /// `attrs` are complete. `read` says where to read a value of `values` (a recomputed copy, perhaps).
  CaseWriter(NodeWriter& writer, const JsonObject& attrs, Values values, std::function<Ref(const Ref&)> read);

  bool applies(const GraphCase& each) const;

  /// What the reference `wanted` stands for, after the nodes that it needs are written.
  Ref write(const GraphCase& each, const std::string& wanted);

 private:
  const ValueType& type(std::string_view name) const;
  Ref read(const std::string& name) const;
  Ref operand(const Json& json) const;
  std::vector<Ref> operands(const Json& json) const;
  Json attribute(const Json& json) const;
  Json total_size(const JsonArray& inputs, const Json& dim) const;
  SymbolicShape kept_shape(SymbolicShape shape) const;
  std::vector<Ref> write_node(const GraphCase::Node& node);
  Ref count(const Ref& value, std::int64_t dim);
  Ref causal_mask(const Ref& query, const Ref& key);

  NodeWriter& writer_;
  const JsonObject& attrs_;
  Values values_;
  std::function<Ref(const Ref&)> read_;
  Values written_;  ///< Nodes by id: their outputs.
};

}  // namespace alknet::graph
