#include "alknet/graph/case_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "alknet/graph/json_reader.h"

namespace alknet::graph {
namespace {

Ref scalar(double value) { return {{}, 0, Scalar::of(value)}; }

/// A weak scalar of the kind that JSON shows.
Ref scalar(const Json& value) {
  if (const auto integer = json_integer(value)) return {{}, 0, Scalar::of(*integer)};
  if (value.is_bool()) return {{}, 0, Scalar::of(value.get_bool())};
  return scalar(value.to_number<double>());
}

void names_in(const Json& value, std::vector<std::string>& names) {
  if (value.is_string()) names.push_back(Ref::parse(value.get_string()).name);
  if (const auto* items = value.if_array()) {
    for (const Json& item : *items) names_in(item, names);
  }
  if (!value.is_object()) return;
  for (const char* member : {"ref", "otherwise"}) {
    if (const Json* inner = value.get_object().if_contains(member)) names_in(*inner, names);
  }
}

/// Nodes behind `wanted`, in order.
std::vector<std::size_t> needed(const GraphCase& each, const std::string& wanted) {
  std::vector<std::string> names;
  names_in(Json(wanted), names);
  std::vector<std::size_t> order;
  for (std::size_t i = each.nodes.size(); i-- > 0;) {
    const auto& node = each.nodes[i];
    if (std::find(names.begin(), names.end(), node.id) == names.end()) continue;
    order.push_back(i);
    for (const Json& operand : node.inputs) names_in(operand, names);
    for (const auto& [name, value] : node.attrs) {
      if (!value.is_object()) continue;
      for (const char* member : {"shape", "size"}) {
        if (const Json* ref = value.get_object().if_contains(member)) names_in(*ref, names);
      }
    }
  }
  std::reverse(order.begin(), order.end());
  return order;
}

JsonArray inverse(const JsonArray& permutation) {
  const std::int64_t rank = std::ssize(permutation);
  JsonArray result(permutation.size());
  for (std::int64_t i = 0; i < rank; ++i) {
    const auto dim = permutation[static_cast<std::size_t>(i)].to_number<std::int64_t>();
    result[static_cast<std::size_t>(dim < 0 ? dim + rank : dim)] = i;
  }
  return result;
}

JsonArray negated(const JsonArray& dims) {
  JsonArray result;
  for (const Json& dim : dims) result.push_back(dim_attribute(Dim(0) - dim_from_attribute(dim)));
  return result;
}

JsonArray last(std::size_t count) {
  JsonArray result;
  for (std::int64_t i = -static_cast<std::int64_t>(count); i < 0; ++i) result.push_back(i);
  return result;
}

}  // namespace

CaseWriter::CaseWriter(NodeWriter& writer, const JsonObject& attrs, Values values, std::function<Ref(const Ref&)> read)
    : writer_(writer), attrs_(attrs), values_(std::move(values)), read_(std::move(read)) {}

bool CaseWriter::applies(const GraphCase& each) const {
  const auto given = [&](const std::string& name) {
    const auto& refs = values_.find(name)->second;
    return !refs.empty() && !refs.front().absent();
  };
  for (const auto& [name, rank] : each.ranks) {
    if (!given(name) || type(name).shape.size() != rank) return false;
  }
  for (const auto& [name, present] : each.present) {
    if (given(name) != present) return false;
  }
  for (const auto& [name, dtype] : each.dtypes) {
    if (!given(name) || type(name).dtype != dtype) return false;
  }
  return std::all_of(each.attrs.begin(), each.attrs.end(), [&](const auto& attr) {
    const Json* value = attrs_.if_contains(attr.key());
    return value != nullptr && *value == attr.value();
  });
}

Ref CaseWriter::write(const GraphCase& each, const std::string& wanted) {
  for (const std::size_t index : needed(each, wanted)) {
    const auto& node = each.nodes[index];
    if (!written_.contains(node.id)) written_[node.id] = write_node(node);
  }
  return read(wanted);
}

const ValueType& CaseWriter::type(std::string_view name) const {
  const Ref ref = Ref::parse(name);
  const auto node = written_.find(ref.name);
  return writer_.type(node != written_.end() ? node->second.at(ref.output) : values_.find(name)->second.front());
}

/// A value of the call is read where it is kept; nodes are as they are.
Ref CaseWriter::read(const std::string& name) const {
  const auto value = values_.find(name);
  if (value == values_.end()) {
    const Ref ref = Ref::parse(name);
    return written_.find(ref.name)->second.at(ref.output);
  }
  const Ref ref = value->second.empty() ? Ref{} : value->second.front();
  return ref.absent() || ref.scalar ? ref : read_(ref);
}

Ref CaseWriter::operand(const Json& json) const {
  if (json.is_number()) return scalar(json);
  if (json.is_string()) {
    const std::string name(json.get_string());
    if (name == "inf") return scalar(std::numeric_limits<double>::infinity());
    if (name == "-inf") return scalar(-std::numeric_limits<double>::infinity());
    if (name == "nan") return scalar(std::numeric_limits<double>::quiet_NaN());
    return read(name);
  }
  const JsonObject& object = json.get_object();
  const Json* otherwise = object.if_contains("otherwise");
  Ref result;
  if (const Json* parameter = object.if_contains("attr")) {
    const Json& value = attrs_.at(parameter->get_string());
    if (!value.is_null()) result = scalar(value);
  } else {
    result = read(std::string(object.at("ref").get_string()));
  }
  return result.absent() && otherwise != nullptr ? operand(*otherwise) : result;
}

std::vector<Ref> CaseWriter::operands(const Json& json) const {
  std::vector<Ref> refs;
  if (const auto* items = json.if_array()) {
    for (const Json& item : *items) refs.push_back(operand(item));
    return refs;
  }
  const auto list = json.is_string() ? values_.find(std::string_view(json.get_string())) : values_.end();
  if (list != values_.end() && list->second.size() > 1) {
    for (const Ref& ref : list->second) refs.push_back(read_(ref));
    return refs;
  }
  return {operand(json)};
}

Json CaseWriter::attribute(const Json& json) const {
  if (!json.is_object()) return json;
  const auto& [kind, value] = *json.get_object().begin();
  if (kind == "sizes") return total_size(value.get_array(), attrs_.at(json.get_object().at("dim").get_string()));
  const std::string name(value.get_string());
  if (kind == "dtype") return Json(dtype_name(type(name).dtype));
  if (kind == "shape") return dim_attribute(type(name).shape);
  if (kind == "size") {
    const auto& shape = type(name).shape;
    const auto dim = json.get_object().at("dim").to_number<std::int64_t>();
    return dim_attribute(shape[static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim)]);
  }
  const Json& parameter = attrs_.at(name);
  if (kind == "negate") return negated(parameter.get_array());
  if (kind == "list") return JsonArray{parameter};
  if (kind == "inverse") return inverse(parameter.get_array());
  if (kind == "last") return last(parameter.get_array().size());
  return parameter;
}

Json CaseWriter::total_size(const JsonArray& inputs, const Json& dim) const {
  Dim total = 0;
  for (const Json& input : inputs) {
    const auto& refs = values_.find(std::string_view(input.get_string()))->second;
    if (refs.empty() || refs.front().absent()) continue;
    const auto& shape = writer_.type(refs.front()).shape;
    const auto axis = dim.to_number<std::int64_t>();
    total = total + shape[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape) : axis)];
  }
  return dim_attribute(total);
}

/// `shape` with those sizes as 1 that the parameter `dim`, null or a list, names.
SymbolicShape CaseWriter::kept_shape(SymbolicShape shape) const {
  const Json& dim = attrs_.at("dim");
  if (dim.is_null() || dim.get_array().empty()) return SymbolicShape(shape.size(), 1);
  for (const Json& item : dim.get_array()) {
    const auto axis = item.to_number<std::int64_t>();
    shape[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape) : axis)] = 1;
  }
  return shape;
}

std::vector<Ref> CaseWriter::write_node(const GraphCase::Node& node) {
  JsonObject attrs;
  for (const auto& [name, value] : node.attrs) attrs[name] = attribute(value);
  if (node.op == "sum_to") {
    return {writer_.sum_to(operand(node.inputs[0]), type(std::string_view(node.inputs[1].get_string())).shape)};
  }
  if (node.op == "keep_dims") {
    const auto& shape = type(std::string_view(node.inputs[1].get_string())).shape;
    return {writer_.reshape(operand(node.inputs[0]), kept_shape(shape))};
  }
  if (node.op == "count") return {count(operand(node.inputs[0]), attrs.at("dim").to_number<std::int64_t>())};
  if (node.op == "causal_mask") return {causal_mask(operand(node.inputs[0]), operand(node.inputs[1]))};
  if (node.op == "epsilon") return {scalar(dtype_epsilon(writer_.type(operand(node.inputs[0])).dtype))};
  std::vector<std::vector<Ref>> inputs;
  for (const Json& input : node.inputs) inputs.push_back(operands(input));
  return writer_.call(node.op, std::move(inputs), std::move(attrs));
}

Ref CaseWriter::count(const Ref& value, std::int64_t dim) {
  const auto& [dtype, shape] = writer_.type(value);
  return writer_.count({shape[static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim)]}, dtype);
}

Ref CaseWriter::causal_mask(const Ref& query, const Ref& key) {
  const auto rows = [](const SymbolicShape& shape) { return shape[shape.size() - 2]; };
  const Ref queries = writer_.positions(rows(writer_.type(query).shape));
  const Ref keys = writer_.positions(rows(writer_.type(key).shape));
  return writer_.node("le", {keys, writer_.node("unsqueeze", {queries}, {{"dim", 1}})});
}

}  // namespace alknet::graph
