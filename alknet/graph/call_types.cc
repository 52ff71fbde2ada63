#include "alknet/graph/call_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "alknet/graph/analysis.h"
#include "alknet/graph/error.h"

namespace alknet::graph {
namespace {

[[noreturn]] void refuse_operand(std::string_view what) { throw Error(GraphError::kBadOperand, std::string(what)); }

ValueType type_of_json(const OpSpec& op, std::string_view input, const Json& value) {
  const auto* object = value.if_object();
  const Json* dtype = object == nullptr ? nullptr : object->if_contains("dtype");
  const Json* shape = object == nullptr ? nullptr : object->if_contains("shape");
  const auto known = dtype != nullptr && dtype->is_string() ? parse_dtype(dtype->get_string()) : std::nullopt;
  if (!known || shape == nullptr || !shape->is_array()) {
    refuse_operand(fmt::format("[{}] input {}: {} is no {{dtype, shape}}", op.name, input, json_text(value)));
  }
  ValueType type{*known, {}};
  for (const Json& each : shape->get_array()) {
    boost::system::error_code failed;
    const auto size = each.to_number<std::int64_t>(failed);
    if (failed || size < 0) {
      refuse_operand(fmt::format("[{}] input {}: {} is no size", op.name, input, json_text(each)));
    }
    type.shape.emplace_back(size);
  }
  return type;
}

OperandType operand_of_json(const OpSpec& op, const OpInput& input, const Json* value) {
  OperandType operand;
  if (value == nullptr && input.name == kRandomState) {
    operand.tensors.push_back({Dtype::kU32, {Dim(4)}});
  } else if (value == nullptr || value->is_null()) {
    return operand;
  } else if (const auto* list = value->if_array()) {
    for (const Json& item : *list) operand.tensors.push_back(type_of_json(op, input.name, item));
  } else if (value->is_object() && !value->get_object().contains("scalar")) {
    operand.tensors.push_back(type_of_json(op, input.name, *value));
  } else if (value->is_object() || value->is_number() || value->is_bool()) {
    operand.scalar = scalar_operand(*value);
  } else {
    refuse_operand(fmt::format("[{}] input {}: {} is no operand", op.name, input.name, json_text(*value)));
  }
  return operand;
}

}  // namespace

bool needs_random_state(const OpSpec& op, const JsonObject& attributes) {
  const OpInput* input = op.input(kRandomState);
  if (input == nullptr || !input->optional) return input != nullptr;
  return std::none_of(op.parameters.begin(), op.parameters.end(), [&](const OpParameter& parameter) {
    const Json* given = attributes.if_contains(parameter.name);
    const Json& value = given != nullptr ? *given : parameter.default_value.value_or(Json());
    return is_dropout_probability(parameter.name) ? value.is_number() && value.to_number<double>() == 0
                                                  : parameter.name == kTraining && value == Json(false);
  });
}

Scalar scalar_operand(const Json& value) {
  const auto* object = value.if_object();
  const Json& number = object == nullptr ? value : object->at("scalar");
  const Json* kind_member = object == nullptr ? nullptr : object->if_contains("kind");
  std::string_view kind = number.is_bool() ? "bool" : number.is_double() || number.is_string() ? "float" : "int";
  if (kind_member != nullptr) kind = kind_member->as_string();
  const auto refuse = [&] {
    return Error(GraphError::kBadOperand, fmt::format("{} is no {} number", json_text(number), kind));
  };
  if (kind == "bool") {
    if (!number.is_bool()) throw refuse();
    return Scalar::of(number.get_bool());
  }
  if (number.is_string()) {
    const std::string_view text = number.get_string();
    if (kind != "float") throw refuse();
    if (text == "nan") return Scalar::of(std::numeric_limits<double>::quiet_NaN());
    return Scalar::of(text == "inf" ? std::numeric_limits<double>::infinity()
                                    : -std::numeric_limits<double>::infinity());
  }
  if (number.is_bool()) throw refuse();
  if (kind == "float") return Scalar::of(number.to_number<double>());
  boost::system::error_code failed;
  const auto integer = number.to_number<std::int64_t>(failed);
  if (failed) throw refuse();
  return Scalar::of(integer);
}

std::vector<ValueType> infer_call(const OpTable& ops, const OpSpec& op, std::span<const OperandType> operands,
                                  const JsonObject& attributes) {
  Node node;
  node.id = "call";
  node.op = op.name;
  node.attrs = complete_attributes(op, attributes);
  node.inputs.resize(op.inputs.size());
  std::map<std::string, ValueType, std::less<>> types;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].scalar) node.inputs[i].push_back({{}, 0, *operands[i].scalar});
    for (const auto& type : operands[i].tensors) {
      std::string name = fmt::format("operand{}", types.size());
      types.emplace(name, type);
      node.inputs[i].push_back({std::move(name), 0, std::nullopt});
    }
    if (node.inputs[i].empty() && !op.inputs[i].optional && !op.inputs[i].variadic) {
      throw Error(GraphError::kMissingInput,
                  fmt::format("[{}] the input \"{}\" is missing", op.name, op.inputs[i].name));
    }
  }
  return type_call(op, node, types, ops)->outputs;
}

std::vector<ValueType> infer_call(const OpTable& ops, std::string_view name, const JsonObject& input) {
  const OpSpec& op = ops.at(name);
  JsonObject attributes;
  for (const auto& [key, value] : input) {
    if (op.parameter(key) != nullptr) {
      attributes.emplace(key, value);
    } else if (op.input(key) == nullptr && key != "no_grad" && key != "ids") {
      refuse_operand(fmt::format("{} has no input or parameter \"{}\"", op.name, std::string_view(key)));
    }
  }
  std::vector<OperandType> operands;
  operands.reserve(op.inputs.size());
  for (const OpInput& each : op.inputs) operands.push_back(operand_of_json(op, each, input.if_contains(each.name)));
  return infer_call(ops, op, operands, attributes);
}

}  // namespace alknet::graph
