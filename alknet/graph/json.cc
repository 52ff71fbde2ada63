#include "alknet/graph/json.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "alknet/graph/error.h"
#include "alknet/graph/json_reader.h"

namespace alknet::graph {
namespace {

constexpr std::array<std::string_view, 3> kScalarKinds = {"bool", "int", "float"};  // in the order of DtypeClass

// Writing.

Json number_json(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return number;
}

Json scalar_json(const Scalar& scalar) {
  Json value;
  switch (scalar.kind) {
    case DtypeClass::kBool: value = scalar.integer != 0; break;
    case DtypeClass::kInteger: value = scalar.integer; break;
    case DtypeClass::kFloat: value = number_json(scalar.number); break;
  }
  return JsonObject{{"scalar", value}, {"kind", kScalarKinds[static_cast<std::size_t>(scalar.kind)]}};
}

Json ref_json(const Ref& ref) {
  if (ref.scalar) return scalar_json(*ref.scalar);
  if (ref.absent()) return nullptr;
  return Json(ref.text());
}

Json operand_json(const std::vector<Ref>& refs, bool variadic) {
  if (variadic || refs.size() > 1) {
    JsonArray list;
    for (const Ref& ref : refs) list.push_back(ref_json(ref));
    return list;
  }
  return refs.empty() ? Json(nullptr) : ref_json(refs.front());
}

Json node_json(const Node& node, const OpTable& ops) {
  const OpSpec* op = ops.find(node.op);
  JsonObject inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool known = op != nullptr && i < op->inputs.size();
    // Without an entry in the table positions are the only names there are.
    inputs[known ? op->inputs[i].name : std::to_string(i)] =
        operand_json(node.inputs[i], known && op->inputs[i].variadic);
  }
  JsonObject json{{"id", node.id}, {"op", node.op}, {"inputs", std::move(inputs)}, {"attrs", node.attrs}};
  if (!node.path.empty()) json["path"] = node.path;
  if (!node.source.is_null()) json["source"] = node.source;
  if (node.no_grad) json["no_grad"] = true;
  if (node.checkpoint) json["checkpoint"] = true;
  return json;
}

JsonObject typed_json(const std::string& name, Dtype dtype, JsonArray shape) {
  return {{"name", name}, {"dtype", dtype_name(dtype)}, {"shape", std::move(shape)}};
}

Json state_json(const State& state) {
  JsonObject json = typed_json(state.name, state.dtype, dim_attribute(state.shape));
  json["scope"] = state.scope == StateScope::kStore ? "store" : "session";
  json["trainable"] = state.trainable;
  if (!state.init.is_null()) json["init"] = state.init;
  return json;
}

Json dims_json(const Graph& graph) {
  JsonObject dims;
  for (const auto& dim : graph.dims) {
    JsonObject range;
    if (dim.min) range["min"] = *dim.min;
    if (dim.max) range["max"] = *dim.max;
    dims[dim.name] = std::move(range);
  }
  return dims;
}

// Reading.

Dtype read_dtype(const JsonReader& json) {
  const auto dtype = parse_dtype(json.string());
  if (!dtype) json.fail("is not a dtype; known are bool, i8, u8, i32, u32, i64, f16, bf16, f32 and f64");
  return *dtype;
}

SymbolicShape read_shape(const JsonReader& json) {
  SymbolicShape shape;
  for (const auto& item : json.items()) {
    try {
      shape.push_back(dim_from_attribute(item.value()));
    } catch (const Error& error) {
      item.fail(error.message());
    }
  }
  return shape;
}

Scalar read_scalar(const JsonReader& json) {
  json.only({"scalar", "kind"});
  const JsonReader number = json.at("scalar");
  const Json& value = number.value();
  const auto kind = json.find("kind");
  const std::string name = kind ? kind->string() : value.is_bool() ? "bool" : json_integer(value) ? "int" : "float";
  if (name == "bool") return Scalar::of(number.boolean());
  if (name == "int") return Scalar::of(number.integer());
  if (name != "float") kind->fail("must be bool, int or float");
  if (value.is_number()) return Scalar::of(value.to_number<double>());
  const std::string text = number.string();
  if (text == "nan") return Scalar::of(std::numeric_limits<double>::quiet_NaN());
  if (text == "inf") return Scalar::of(std::numeric_limits<double>::infinity());
  if (text == "-inf") return Scalar::of(-std::numeric_limits<double>::infinity());
  number.fail("must be a number, \"inf\", \"-inf\" or \"nan\"");
}

Ref read_ref(const JsonReader& json) {
  if (json.value().is_null()) return {};
  if (json.value().is_object()) return {{}, 0, read_scalar(json)};
  if (!json.value().is_string()) json.fail("must be a reference: a string, {\"scalar\": ...} or null");
  try {
    Ref ref = Ref::parse(json.string());
    if (ref.name.empty()) json.fail("must not be empty");
    return ref;
  } catch (const Error& error) {
    json.fail(error.message());
  }
}

std::vector<Ref> read_operand(const JsonReader& json) {
  if (json.value().is_null()) return {};
  if (!json.value().is_array()) return {read_ref(json)};
  std::vector<Ref> refs;
  for (const auto& item : json.items()) refs.push_back(read_ref(item));
  return refs;
}

/// The place of an input of `op`; for an operation that the table lacks, the next one.
std::size_t input_place(const JsonReader& json, const OpSpec* op, const std::string& name, std::size_t next) {
  if (op == nullptr) return next;
  const OpInput* input = op->input(name);
  if (input == nullptr) json.fail(fmt::format("the operation {} has no input \"{}\"", op->name, name));
  return static_cast<std::size_t>(input - op->inputs.data());
}

Node read_node(const JsonReader& json, const OpTable& ops) {
  json.only({"id", "op", "inputs", "attrs", "path", "source", "no_grad", "checkpoint"});
  Node node;
  node.id = json.at("id").string();
  node.op = json.at("op").string();
  const OpSpec* op = ops.find(node.op);
  if (op != nullptr) node.inputs.resize(op->inputs.size());
  std::size_t next = 0;
  for (const auto& [name, operand] : json.at("inputs").members()) {
    const std::size_t place = input_place(operand, op, name, next++);
    if (place >= node.inputs.size()) node.inputs.resize(place + 1);
    node.inputs[place] = read_operand(operand);
  }
  if (const auto attrs = json.find("attrs")) {
    if (!attrs->value().is_object()) attrs->fail("must be an object");
    node.attrs = attrs->value().get_object();
  }
  node.path = json.string_or("path", "");
  if (const auto source = json.find("source")) node.source = source->value();
  node.no_grad = json.boolean_or("no_grad", false);
  node.checkpoint = json.boolean_or("checkpoint", false);
  return node;
}

State read_state(const JsonReader& json) {
  json.only({"name", "dtype", "shape", "scope", "trainable", "init"});
  State state;
  state.name = json.at("name").string();
  state.dtype = read_dtype(json.at("dtype"));
  state.shape = read_shape(json.at("shape"));
  const std::string scope = json.string_or("scope", "store");
  if (scope != "store" && scope != "session") json.at("scope").fail("must be \"store\" or \"session\"");
  state.scope = scope == "store" ? StateScope::kStore : StateScope::kSession;
  state.trainable = json.boolean_or("trainable", false);
  if (const auto init = json.find("init")) state.init = init->value();
  return state;
}

Constant read_constant(const JsonReader& json, const Message& message) {
  json.only({"name", "dtype", "shape", "data"});
  Constant constant;
  constant.name = json.at("name").string();
  constant.dtype = read_dtype(json.at("dtype"));
  for (const auto& size : json.at("shape").items()) constant.shape.push_back(size.integer());
  const JsonReader data = json.at("data");
  try {
    constant.data = attached_bytes(message, data.value());
  } catch (const Error& error) {
    data.fail(error.message());
  }
  return constant;
}

void read_dims(const JsonReader& json, Graph& graph) {
  for (const auto& [name, range] : json.members()) {
    range.only({"min", "max"});
    Graph::DimRange dim{name, {}, {}};
    if (const auto min = range.find("min")) dim.min = min->integer();
    if (const auto max = range.find("max")) dim.max = max->integer();
    graph.dims.push_back(std::move(dim));
  }
}

/// Calls `read` for each item of the list `member`, which may be left out.
template <typename Read>
void each(const JsonReader& json, std::string_view member, Read read) {
  if (const auto list = json.find(member)) {
    for (const auto& item : list->items()) read(item);
  }
}

}  // namespace

Message to_message(const Graph& graph, const OpTable& ops) {
  Message message;
  JsonArray inputs, states, constants, nodes, outputs;
  for (const auto& input : graph.inputs) {
    inputs.push_back(typed_json(input.name, input.dtype, dim_attribute(input.shape)));
  }
  for (const auto& state : graph.states) states.push_back(state_json(state));
  for (const auto& constant : graph.constants) {
    JsonObject json =
        typed_json(constant.name, constant.dtype, JsonArray(constant.shape.begin(), constant.shape.end()));
    json["data"] = attach_bytes(message, constant.data);
    constants.push_back(std::move(json));
  }
  for (const auto& node : graph.nodes) nodes.push_back(node_json(node, ops));
  for (const auto& output : graph.outputs) {
    outputs.push_back(JsonObject{{"name", output.name}, {"value", ref_json(output.value)}});
  }
  message.value =
      JsonObject{{"alknet_graph", kGraphVersion}, {"dims", dims_json(graph)},          {"inputs", std::move(inputs)},
                 {"states", std::move(states)},   {"constants", std::move(constants)}, {"nodes", std::move(nodes)},
                 {"outputs", std::move(outputs)}};
  return message;
}

Graph from_message(const Message& message, const OpTable& ops) {
  const JsonReader json(message.value, GraphError::kGraphInvalid, "graph");
  json.only({"alknet_graph", "dims", "inputs", "states", "constants", "nodes", "outputs"});
  const JsonReader version = json.at("alknet_graph");
  if (version.integer() != kGraphVersion) {
    version.fail(fmt::format("is version {}; this program reads {}", version.integer(), kGraphVersion));
  }
  Graph graph;
  if (const auto dims = json.find("dims")) read_dims(*dims, graph);
  each(json, "inputs", [&](const JsonReader& item) {
    item.only({"name", "dtype", "shape"});
    graph.inputs.push_back({item.at("name").string(), read_dtype(item.at("dtype")), read_shape(item.at("shape"))});
  });
  each(json, "states", [&](const JsonReader& item) { graph.states.push_back(read_state(item)); });
  each(json, "constants", [&](const JsonReader& item) { graph.constants.push_back(read_constant(item, message)); });
  each(json, "nodes", [&](const JsonReader& item) { graph.nodes.push_back(read_node(item, ops)); });
  each(json, "outputs", [&](const JsonReader& item) {
    item.only({"name", "value"});
    graph.outputs.push_back({item.at("name").string(), read_ref(item.at("value"))});
  });
  return graph;
}

}  // namespace alknet::graph
