#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dtype.h"
#include "alknet/schema/schema.h"

namespace alknet::graph {

class JsonReader;

/// Families of operations; each is planned and generated in its own way.
enum class OpKind : std::uint8_t {
  kCreation,
  kUnary,
  kBinary,
  kTernary,
  kReduction,
  kScan,
  kView,
  kRandom,
  kStructured
};

/// How input dtypes become one before the operation computes.
enum class Promotion : std::uint8_t {
  kSame,        ///< All inputs already have one dtype.
  kPromote,     ///< PyTorch's promotion.
  kFloat,       ///< Promotion, then integers and bool become f32.
  kNone,        ///< Each input keeps its own.
  kAccumulate,  ///< One input, read as it is: integers and bool make i64, floats stay (sum).
  kBool,        ///< Every input becomes bool: what is not 0 is true (any, all).
};

struct OpInput {
  std::string name;
  std::vector<Dtype> dtypes;  ///< Accepted, after promotion: what kernels must handle. Never empty.
  bool optional = false;      ///< May be null.
  bool variadic = false;      ///< A list of tensors.
  bool differentiable = true;
  /// Takes part in promotion. Otherwise (indices, masks, conditions) integers and bool keep their dtype, and a float
  /// is cast to the promoted one.
  bool promotes = true;
};

struct OpParameter {
  std::string name;
  Json schema;                            ///< JSON Schema of the value.
  std::optional<Json> default_value;      ///< The schema's `default`; without one the parameter is required.
  bool dimensions = false;                ///< `"dim": true`: integers in it, also inside lists, may be texts of `Dim`.
  std::optional<schema::Schema> checker;  ///< `schema`, compiled.
};

struct OpOutput {
  std::string name;
  /// "promoted", a dtype name, or the name of an input or of a parameter that holds a dtype.
  std::string dtype;
  /// The only output: a list as long as the attributes say (split), `id:k` in references. Only of composites.
  bool variadic = false;
};

/// Element-wise: one expression in the language of expr/program.h, which reads inputs and parameters by name and sets
/// the outputs. A parameter is readable when it is one number or boolean. Several cases are told apart by a string
/// parameter (gelu's `approximate`).
struct ElementwiseForward {
  struct Case {
    std::string value;  ///< Of `parameter`; empty when there is one case.
    std::string expression;
  };
  std::string parameter;  ///< Empty when there is one case.
  std::vector<Case> cases;
};

/// Reduction: `init` gives `accumulator`, `combine` folds `input` into it (associative; sets `accumulator`), `finish`
/// sets the output from `accumulator` and `count`.
struct ReductionForward {
  std::string init;
  std::string combine;
  std::string finish;
};

/// What expressions cannot say: kernels of this name in each backend.
struct TemplateForward {
  std::string name;
  bool epilogue = false;  ///< The kernels apply an element-wise program to the result before they store it.
};

/// A view: no kernel; the rule of that name maps strides (shape.h).
struct ViewForward {};

/// A small graph of other operations, a gradient or what a composite does: which calls it is for, its nodes, and what
/// each input gains or each output is.
///
/// A reference is the name of an input of the operation (in gradients also of an output, or `grad_<output>`), or the id
/// of an earlier node, `id:k` for its k-th output.
struct GraphCase {
  std::map<std::string, std::size_t> ranks;  ///< Applies when these inputs have these ranks,
  std::map<std::string, bool> present;       ///< are given or not,
  std::map<std::string, Dtype> dtypes;       ///< have these dtypes,
  JsonObject attrs;                          ///< and parameters have these values.

  struct Node {
    std::string id;
    /// An operation of the table, or a step of `is_case_step`.
    std::string op;
    /// A reference; a number or "inf", "-inf", "nan"; {"attr": parameter} or {"ref": input} with what `otherwise` says
    /// when that is null or absent. A list of references for a variadic input.
    std::vector<Json> inputs;
    /// Values, or what depends on the call: {"shape": ref}, {"size": ref, "dim": n}, {"attr": parameter}, {"list":
    /// parameter} as a list of one, {"inverse": parameter} of a permutation, {"last": parameter}: as many last
    /// dimensions as it has items, {"negate": parameter}: a list of dimensions with the other sign, {"dtype": ref},
    /// {"sizes": [inputs], "dim": parameter}: the sizes of those of the inputs that are given, along that dimension,
    /// added up.
    JsonObject attrs;
  };
  std::vector<Node> nodes;
  std::map<std::string, std::string> results;  ///< By input (gradients) or output (composites): a reference.
};

/// A small graph of other operations, which replaces the node before gradients and lowering (composite.h): it needs no
/// kernel and no `backward`.
struct CompositeForward {
  std::string composer;          ///< Name of a function of composers.cc; empty when cases say it.
  std::vector<GraphCase> cases;  ///< The first that applies.
};

/// The shape of the result depends on the elements: an eager call reads a count back (compute/eager/data_dependent.h).
/// No graph can hold it; its shape rule "data_dependent" refuses it and names what a graph has instead.
struct EagerForward {
  std::string instead;
};

/// How gradients of the inputs follow from those of the outputs. Element-wise operations without one are derived.
struct OpBackward {
  /// Element-wise and reductions: by input, an expression, or statements that set `gradient`, of inputs, outputs,
  /// `grad_<output>`, parameters and, in reductions, `count`; there outputs are as if they had been kept.
  std::map<std::string, ElementwiseForward> expressions;
  std::vector<GraphCase> cases;  ///< Others: the first that applies.

  bool empty() const { return expressions.empty() && cases.empty(); }
};

/// One operation: an entry of a file in ops/.
struct OpSpec {
  std::string name;
  std::vector<std::string> aliases;
  OpKind kind = OpKind::kUnary;
  std::vector<OpInput> inputs;
  std::vector<OpParameter> parameters;  ///< In positional order.
  std::vector<OpOutput> outputs;
  Promotion promotion = Promotion::kPromote;
  std::string shape;  ///< Name of the rule in shape.cc; "composite": what the nodes of a composite give.
  std::variant<ElementwiseForward, ReductionForward, TemplateForward, ViewForward, CompositeForward, EagerForward>
      forward;
  OpBackward backward;  ///< Empty when derived or not differentiable.
  /// Domain of random inputs by name: [min, max], or {"index_of": input}. Null while no device has kernels: compiling a
  /// plan with such a node is an error. The member "gradient" may narrow domains to where the operation is smooth;
  /// "special": false leaves out infinities, NaN and denormals.
  Json test;
  /// Allowed error of the CPU by output dtype: {"ulp": n} of the exact result, or {"k": n}: n * eps * the sum of the
  /// absolute terms (element-wise: of the inputs and the output). Integers, bool and views are exact. The member "gpu"
  /// is the error allowed to GPUs, whose own functions are looser, in f32; without it that of the CPU.
  Json bound;
  std::string doc;

  bool data_dependent() const { return std::holds_alternative<EagerForward>(forward); }
  bool composite() const { return std::holds_alternative<CompositeForward>(forward); }
  bool elementwise() const { return std::holds_alternative<ElementwiseForward>(forward); }
  /// Whether an element-wise operation computes from where in the result its element is.
  bool reads_coordinates() const;
  bool view() const { return kind == OpKind::kView && std::holds_alternative<ViewForward>(forward); }
  const OpInput* input(std::string_view input_name) const;
  const OpParameter* parameter(std::string_view parameter_name) const;

  /// The expression of the case that `attrs` selects. Only for element-wise operations.
  const std::string& expression(const JsonObject& attrs) const;
  /// The same of another set of cases of this operation.
  const std::string& expression(const ElementwiseForward& cases, const JsonObject& attrs) const;
};

/// All operations by name and alias. Immutable, thread-safe; OpSpec addresses are stable as long as the table lives.
class OpTable {
 public:
  /// The operations of ops/*.json, which are compiled in.
  static const OpTable& builtin();

  /// Reads a table; throws Error `op_table_invalid` with the entry and member at fault.
  static OpTable parse(std::string_view json);
  static OpTable from_json(const Json& document);

  /// This table and one more entry, registered at run time. Throws Error `op_table_invalid`.
  OpTable with(const Json& entry) const;

  const OpSpec* find(std::string_view name) const;

  /// Throws Error `unknown_op`, naming near misses.
  const OpSpec& at(std::string_view name) const;

  std::span<const OpSpec> ops() const { return ops_; }

 private:
  void add(const JsonReader& entry);
  void check_nodes(const JsonReader& entry, const OpSpec& op) const;

  std::vector<OpSpec> ops_;
  std::map<std::string, std::size_t, std::less<>> index_;  ///< Names and aliases.
};

/// An entry for `OpTable::with`: the element-wise operation that an expression of expr/program.h says, on float inputs
/// of those names which promote and broadcast; it sets `output`. Its gradient is derived.
Json expression_entry(std::string_view name, std::string_view expression, std::span<const std::string> inputs);

/// Attributes as an operation's kernels see them: checked against the parameters' schemas, defaults filled in, integers
/// where the schema says so (2.0 becomes 2), in parameter order. Throws Error `bad_attribute` naming the parameter.
JsonObject complete_attributes(const OpSpec& op, const JsonObject& attrs);

}  // namespace alknet::graph
