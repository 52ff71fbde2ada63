#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/dtype.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// A weak scalar operand; `kind` decides promotion.
struct Scalar {
  DtypeClass kind = DtypeClass::kFloat;
  double number = 0;         ///< For kFloat; also the value of the others when it is exact.
  std::int64_t integer = 0;  ///< For kInteger and kBool (0 or 1).

  static Scalar of(double value) { return {DtypeClass::kFloat, value, 0}; }
  static Scalar of(std::int64_t value) { return {DtypeClass::kInteger, static_cast<double>(value), value}; }
  static Scalar of(bool value) { return {DtypeClass::kBool, value ? 1.0 : 0.0, value ? 1 : 0}; }
};

/// A use of a value: a graph input, state or constant by name, the k-th output of a node by id, a scalar, or nothing
/// (an optional input that is left out).
struct Ref {
  std::string name;        ///< Empty for scalars and absent inputs.
  std::size_t output = 0;  ///< k of `id:k`.
  std::optional<Scalar> scalar;

  bool absent() const { return name.empty() && !scalar; }
  /// "name", "id" or "id:k"; empty for scalars and absent inputs.
  std::string text() const;

  /// Reads "name", "id" or "id:k". Throws Error `illegal_name`.
  static Ref parse(std::string_view text);
  friend bool operator==(const Ref& a, const Ref& b) { return a.text() == b.text() && !a.scalar && !b.scalar; }
};

struct GraphInput {
  std::string name;
  Dtype dtype = Dtype::kF32;
  SymbolicShape shape;
};

/// Whether dimension expressions may use the input by its name: an integer of rank 0, for example the position in a
/// cache. Its value is read before a run.
bool is_size_input(const GraphInput& input);

enum class StateScope : std::uint8_t { kStore, kSession };

/// A named tensor that outlives a run: a parameter, a running statistic, a cache.
struct State {
  std::string name;
  Dtype dtype = Dtype::kF32;
  SymbolicShape shape;
  StateScope scope = StateScope::kStore;
  bool trainable = false;
  /// How it is made where the store lacks it: see initializer.h. Null: must be in the store.
  Json init;
};

struct Constant {
  std::string name;
  Dtype dtype = Dtype::kF32;
  Shape shape;
  SharedBytes data;  ///< Row-major, little-endian.
};

struct Node {
  std::string id;
  std::string op;
  /// Parallel to the op's inputs in the op table; a variadic input takes all refs of its list.
  std::vector<std::vector<Ref>> inputs;
  JsonObject attrs;         ///< By parameter name; dimensions as integers or expression strings.
  std::string path;         ///< Where in the model, for messages: "encoder.layer.0.attention".
  Json source;              ///< Where in the template that made it, as the template engine says; null if unknown.
  bool no_grad = false;     ///< Gradients stop here.
  bool checkpoint = false;  ///< Recompute in the backward pass instead of keeping.
};

struct GraphOutput {
  std::string name;
  Ref value;
};

/// A computation before it is planned: plain data, checked by `validate.h`, read and written by `json.h`.
struct Graph {
  struct DimRange {
    std::string name;
    std::optional<std::int64_t> min, max;
  };
  std::vector<DimRange> dims;
  std::vector<GraphInput> inputs;
  std::vector<State> states;
  std::vector<Constant> constants;
  std::vector<Node> nodes;
  std::vector<GraphOutput> outputs;
};

/// Appends to a Graph with unique ids and a current path. Not thread-safe.
///
///   GraphBuilder g;
///   auto x = g.input("x", Dtype::kF32, {Dim::symbol("batch"), 4});
///   g.output("y", g.node("add", {x, Scalar::of(1.0)}));
class GraphBuilder {
 public:
  /// An operand of `node`: a Ref, a scalar, nothing (`{}`), or a list for a variadic input.
  struct Operand {
    Operand() = default;
    Operand(Ref ref) : refs{std::move(ref)} {}                 // NOLINT(google-explicit-constructor)
    Operand(Scalar scalar) : refs{Ref{{}, 0, scalar}} {}       // NOLINT(google-explicit-constructor)
    Operand(std::vector<Ref> list) : refs(std::move(list)) {}  // NOLINT(google-explicit-constructor)
    std::vector<Ref> refs;
  };

  /// Operands are laid out by the inputs of `ops`, which must outlive the builder.
  explicit GraphBuilder(const OpTable& ops = OpTable::builtin());

  Ref input(std::string name, Dtype dtype, SymbolicShape shape);
  Ref state(State state);
  Ref state(std::string name, Dtype dtype, SymbolicShape shape, StateScope scope = StateScope::kStore);
  Ref constant(std::string name, Dtype dtype, Shape shape, SharedBytes data);
  void dim(std::string name, std::optional<std::int64_t> min = {}, std::optional<std::int64_t> max = {});

  /// Adds a node and returns its first output. Missing trailing operands are absent. Nothing is checked before
  /// `validate`.
  Ref node(std::string_view op, std::vector<Operand> inputs, JsonObject attrs = {});
  void output(std::string name, Ref value);

  /// Prefixes the paths of nodes added while the returned guard lives.
  class PathScope;
  PathScope scope(std::string name);

  Graph build() &&;

 private:
  friend class PathScope;
  const OpTable* ops_;
  Graph graph_;
  std::string path_;
  std::set<std::string, std::less<>> names_;  ///< In use, so that new ids avoid them.
  std::size_t next_id_ = 0;
};

class GraphBuilder::PathScope {
 public:
  PathScope(GraphBuilder& builder, std::string_view name);
  ~PathScope();
  PathScope(const PathScope&) = delete;
  PathScope& operator=(const PathScope&) = delete;

 private:
  GraphBuilder& builder_;
  std::size_t length_;
};

/// A dimension as an attribute value: an integer, or its text. Reading throws Error `dim_invalid`.
Json dim_attribute(const Dim& dim);
JsonArray dim_attribute(const SymbolicShape& shape);
Dim dim_from_attribute(const Json& value);

}  // namespace alknet::graph
