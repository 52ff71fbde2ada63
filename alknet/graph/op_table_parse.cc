#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "alknet/graph/json_reader.h"
#include "alknet/graph/op_program.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/op_table_parse.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {
namespace {

template <typename Value, std::size_t N>
using Names = std::array<std::pair<std::string_view, Value>, N>;

constexpr Names<OpKind, 9> kKinds = {{
    {"creation", OpKind::kCreation},
    {"unary", OpKind::kUnary},
    {"binary", OpKind::kBinary},
    {"ternary", OpKind::kTernary},
    {"reduction", OpKind::kReduction},
    {"scan", OpKind::kScan},
    {"view", OpKind::kView},
    {"random", OpKind::kRandom},
    {"structured", OpKind::kStructured},
}};

constexpr Names<Promotion, 6> kPromotions = {{
    {"same", Promotion::kSame},
    {"promote", Promotion::kPromote},
    {"float", Promotion::kFloat},
    {"none", Promotion::kNone},
    {"accumulate", Promotion::kAccumulate},
    {"bool", Promotion::kBool},
}};

template <typename Value, std::size_t N>
Value named(const JsonReader& json, const Names<Value, N>& names) {
  const std::string text = json.string();
  for (const auto& [name, value] : names) {
    if (name == text) return value;
  }
  json.fail(fmt::format("\"{}\" is not one of the values this member may have", text));
}

}  // namespace

std::string identifier(const JsonReader& json) {
  std::string text = json.string();
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (text.empty() || (text[0] >= '0' && text[0] <= '9') || !std::all_of(text.begin(), text.end(), word)) {
    json.fail("must be a name in snake_case");
  }
  return text;
}

ElementwiseForward read_elementwise(const JsonReader& json, const OpSpec& op) {
  ElementwiseForward forward;
  if (const auto expression = json.find("expression")) {
    json.only({"expression"});
    forward.cases.push_back({"", expression->string()});
    return forward;
  }
  json.only({"on", "cases"});
  forward.parameter = json.at("on").string();
  if (op.parameter(forward.parameter) == nullptr) json.at("on").fail("names no parameter");
  for (const auto& [value, expression] : json.at("cases").members()) {
    forward.cases.push_back({value, expression.string()});
  }
  if (forward.cases.empty()) json.at("cases").fail("must have a case");
  return forward;
}

namespace {

/// A list of dtype names, or the name of a group.
std::vector<Dtype> dtypes(const JsonReader& json) {
  const auto select = [](auto predicate) {
    std::vector<Dtype> selected;
    std::copy_if(kAllDtypes.begin(), kAllDtypes.end(), std::back_inserter(selected), predicate);
    return selected;
  };
  if (json.value().is_string()) {
    const std::string group = json.string();
    if (group == "all") return select([](Dtype) { return true; });
    if (group == "number") return select([](Dtype d) { return d != Dtype::kBool; });
    if (group == "float") return select(is_float);
    if (group == "integer") return select([](Dtype d) { return dtype_class(d) == DtypeClass::kInteger; });
    if (group == "block") return {kBlockDtypes.begin(), kBlockDtypes.end()};
    json.fail("must be \"all\", \"number\", \"float\", \"integer\", \"block\" or a list of dtypes");
  }
  std::vector<Dtype> list;
  for (const auto& item : json.items()) {
    const auto dtype = parse_dtype(item.string());
    if (!dtype) item.fail("is not a dtype");
    list.push_back(*dtype);
  }
  if (list.empty()) json.fail("must name at least one dtype");
  return list;
}

OpInput input(const JsonReader& json) {
  json.only({"name", "dtypes", "optional", "variadic", "differentiable", "promotes"});
  OpInput input;
  input.name = identifier(json.at("name"));
  input.dtypes = dtypes(json.at("dtypes"));
  input.optional = json.boolean_or("optional", false);
  input.variadic = json.boolean_or("variadic", false);
  input.differentiable = json.boolean_or("differentiable", true);
  input.promotes = json.boolean_or("promotes", true);
  return input;
}

OpParameter parameter(const std::string& name, const JsonReader& json) {
  OpParameter parameter;
  parameter.name = name;
  if (!json.value().is_object()) json.fail("must be a schema");
  parameter.schema = json.value();
  try {
    parameter.checker = schema::Schema::from_json(parameter.schema);
  } catch (const Error& error) {
    json.fail(error.message());
  }
  if (const auto value = json.find("default")) parameter.default_value = value->value();
  parameter.dimensions = json.boolean_or("dim", false);
  return parameter;
}

void read_forward(const JsonReader& json, OpSpec& op) {
  if (json.find("init")) {
    json.only({"init", "combine", "finish"});
    op.forward = ReductionForward{json.at("init").string(), json.at("combine").string(), json.at("finish").string()};
  } else if (const auto name = json.find("template")) {
    json.only({"template", "epilogue"});
    op.forward = TemplateForward{identifier(*name), json.boolean_or("epilogue", false)};
  } else if (const auto view = json.find("view")) {
    json.only({"view"});
    if (!view->boolean()) view->fail("must be true");
    op.forward = ViewForward{};
  } else if (const auto composite = json.find("composite")) {
    json.only({"composite"});
    op.forward = read_composite(*composite, op);
  } else if (const auto instead = json.find("eager")) {
    json.only({"eager"});
    op.forward = EagerForward{instead->string()};
  } else {
    op.forward = read_elementwise(json, op);
  }
}

/// What a name in `outputs[].dtype` may refer to.
bool dtype_source_exists(const OpSpec& op, const std::string& source) {
  return source == "promoted" || parse_dtype(source) || op.input(source) != nullptr || op.parameter(source) != nullptr;
}

void check_consistency(const JsonReader& json, const OpSpec& op) {
  std::vector<std::string> names;
  for (const auto& item : op.inputs) names.push_back(item.name);
  for (const auto& item : op.parameters) names.push_back(item.name);
  for (const auto& item : op.outputs) names.push_back(item.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) json.fail(fmt::format("uses the name \"{}\" twice", *twice));
  const bool by_nodes = op.composite() && op.shape == "composite";
  if (!by_nodes && !has_shape_rule(op.shape))
    json.at("shape").fail(fmt::format("there is no shape rule \"{}\"", op.shape));
  if (op.data_dependent() != (op.shape == "data_dependent")) {
    json.at("shape").fail("\"data_dependent\" and a forward that is only eager belong together");
  }
  if (!op.composite() && (op.kind == OpKind::kView) != std::holds_alternative<ViewForward>(op.forward)) {
    json.at("forward").fail("the kind \"view\" and the forward {\"view\": true} belong together");
  }
  const bool list = std::any_of(op.outputs.begin(), op.outputs.end(), [](const OpOutput& o) { return o.variadic; });
  if (list && (op.outputs.size() != 1 || !by_nodes)) {
    json.at("outputs").fail("only a composite with the shape \"composite\" may have a list, as its only output");
  }
  if (op.composite() && json.find("backward")) json.at("backward").fail("is that of a composite's nodes: leave it out");
  if (op.doc.empty()) json.at("doc").fail("must describe the operation");
  try {
    check_expressions(op);
  } catch (const Error& error) {
    json.at("forward").fail(error.message());
  }
}

OpSpec op_spec(const JsonReader& json) {
  json.only({"name", "aliases", "kind", "inputs", "parameters", "outputs", "promotion", "shape", "forward", "backward",
             "test", "bound", "doc"});
  OpSpec op;
  op.name = identifier(json.at("name"));
  if (const auto aliases = json.find("aliases")) {
    for (const auto& alias : aliases->items()) op.aliases.push_back(identifier(alias));
  }
  op.kind = named(json.at("kind"), kKinds);
  for (const auto& item : json.at("inputs").items()) op.inputs.push_back(input(item));
  if (const auto parameters = json.find("parameters")) {
    for (const auto& [name, schema] : parameters->members()) op.parameters.push_back(parameter(name, schema));
  }
  for (const auto& item : json.at("outputs").items()) {
    item.only({"name", "dtype", "variadic"});
    OpOutput output{identifier(item.at("name")), item.at("dtype").string(), item.boolean_or("variadic", false)};
    if (!dtype_source_exists(op, output.dtype)) {
      item.at("dtype").fail("must be \"promoted\", a dtype, or the name of an input or parameter");
    }
    op.outputs.push_back(std::move(output));
  }
  if (op.outputs.empty()) json.at("outputs").fail("must name an output");
  op.promotion = named(json.at("promotion"), kPromotions);
  op.shape = json.at("shape").string();
  read_forward(json.at("forward"), op);
  op.test = json.at("test").value();
  op.bound = json.at("bound").value();
  op.doc = json.at("doc").string();
  check_consistency(json, op);
  if (const auto backward = json.find("backward"); backward && !backward->value().is_null()) {
    op.backward = read_backward(*backward, op);
  }
  return op;
}

}  // namespace

OpTable OpTable::parse(std::string_view json) {
  try {
    return from_json(parse_json(json));
  } catch (const Error& error) {
    if (error.code() == GraphError::kOpTableInvalid) throw;
    throw Error(GraphError::kOpTableInvalid, "operation table: " + error.message(), error.details());
  }
}

void OpTable::add(const JsonReader& entry) {
  ops_.push_back(op_spec(entry));
  const OpSpec& op = ops_.back();
  std::vector<std::string> names = op.aliases;
  names.push_back(op.name);
  for (const auto& name : names) {
    if (!index_.emplace(name, ops_.size() - 1).second) {
      entry.fail(fmt::format("the name or alias \"{}\" is taken by another operation", name));
    }
  }
}

void OpTable::check_nodes(const JsonReader& entry, const OpSpec& op) const {
  if (!op.backward.cases.empty()) check_case_nodes(entry.at("backward"), op.backward.cases, *this);
  const auto* composite = std::get_if<CompositeForward>(&op.forward);
  if (composite != nullptr && !composite->cases.empty()) {
    check_case_nodes(entry.at("forward").at("composite"), composite->cases, *this);
  }
}

OpTable OpTable::from_json(const Json& document) {
  OpTable table;
  const JsonReader json(document, GraphError::kOpTableInvalid, "operation table");
  const auto items = json.items();
  for (const auto& entry : items) table.add(entry);
  for (std::size_t i = 0; i < table.ops_.size(); ++i) table.check_nodes(items[i], table.ops_[i]);
  return table;
}

OpTable OpTable::with(const Json& entry) const {
  OpTable table = *this;
  const JsonReader json(entry, GraphError::kOpTableInvalid, "operation");
  table.add(json);
  table.check_nodes(json, table.ops_.back());
  return table;
}

Json expression_entry(std::string_view name, std::string_view expression, std::span<const std::string> inputs) {
  JsonArray operands;
  for (const auto& input : inputs) operands.push_back({{"name", input}, {"dtypes", "float"}});
  const std::string_view kind = inputs.size() == 1 ? "unary" : inputs.size() == 2 ? "binary" : "ternary";
  return {{"name", name},
          {"kind", kind},
          {"inputs", std::move(operands)},
          {"outputs", JsonArray{JsonObject{{"name", "output"}, {"dtype", "promoted"}}}},
          {"promotion", "float"},
          {"shape", "elementwise"},
          {"forward", {{"expression", expression}}},
          {"test", JsonObject()},
          {"bound", JsonObject()},
          {"doc", fmt::format("`{}`", expression)}};
}

}  // namespace alknet::graph
