#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/graph/graph.h"
#include "alknet/graph/name_set.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {

/// What nodes carry besides what they compute.
struct NodeOrigin {
  std::string prefix = "grad.";  ///< Of their ids.
  std::string path;
  Json source;
  bool no_grad = false;
  bool checkpoint = false;
};

/// Appends typed nodes to a graph, implied casts written out and composites as the nodes that they stand for: each
/// distinct one once, also when the graph had it before; arithmetic on scalars alone is done at once. Not thread-safe.
class NodeWriter {
 public:
  using Types = std::map<std::string, ValueType, std::less<>>;

  /// Appends to `graph`, whose values have `types`; `graph` and `ops` must outlive this.
  NodeWriter(Graph& graph, const OpTable& ops, Types types);

  /// Of nodes written from now on.
  void set_path(std::string path) { origin_.path = std::move(path); }
  void set_origin(NodeOrigin origin) { origin_ = std::move(origin); }

  /// Nodes written from now on are none that the graph has.
  void forget() { known_.clear(); }

  const OpTable& ops() const { return ops_; }

  /// Makes known an input or state that was added to the graph since.
  void declare(std::string name, ValueType type) { types_.insert_or_assign(std::move(name), std::move(type)); }

  const ValueType& type(const Ref& ref) const { return types_.at(ref.text()); }

  /// All outputs of a node; for an element-wise operation on scalars alone a scalar. `inputs` are parallel to the op's,
  /// trailing ones may be left out. Throws as `type_call`.
  std::vector<Ref> call(std::string_view op, std::vector<std::vector<Ref>> inputs, JsonObject attrs = {});
  /// The first output of a node without lists.
  Ref node(std::string_view op, const std::vector<Ref>& inputs, JsonObject attrs = {});

  /// A copy of a node on other operands, never shared. Returns its id.
  std::string copy(const Node& node, std::vector<std::vector<Ref>> inputs);

  /// `ref`, cast unless it has the dtype.
  Ref cast(const Ref& ref, Dtype dtype);
  /// `ref`, reshaped unless it has the shape.
  Ref reshape(const Ref& ref, const SymbolicShape& shape);
  Ref expand(const Ref& ref, const SymbolicShape& shape);
  /// Undoes a broadcast from `shape`: sums the dimensions that it added or repeated, and expands those it lacks.
  Ref sum_to(const Ref& ref, const SymbolicShape& shape);
  /// A value of rank 0.
  Ref number(double value, Dtype dtype);
  /// A value of rank 1; `dtype` is f32 or f64.
  Ref vector(const std::vector<double>& values, Dtype dtype);
  Ref zeros(const ValueType& type);
  Ref ones(const ValueType& type);
  /// The product of sizes: a scalar, or where they are symbolic a value of rank 0.
  Ref count(const SymbolicShape& sizes, Dtype dtype);
  /// i32 [size]: 0, 1, 2, ...
  Ref positions(const Dim& size);

 private:
  Ref constant(std::string_view name, Dtype dtype, Shape shape, SharedBytes data);
  static std::string key(const OpSpec& op, const std::vector<std::vector<Ref>>& inputs, const JsonObject& attrs);
  /// Appends a node and returns its outputs.
  std::vector<Ref> add(const OpSpec& op, Node node);
  std::vector<Ref> outputs(const OpSpec& op, const std::string& id) const;

  Graph& graph_;
  const OpTable& ops_;
  NameSet names_;
  Types types_;
  NodeOrigin origin_;
  std::size_t depth_ = 0;                                  ///< Of composites inside composites.
  std::map<std::string, std::string, std::less<>> known_;  ///< Node ids by what they compute.
  std::map<std::string, Ref, std::less<>> constants_;
};

}  // namespace alknet::graph
