#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "alknet/base/near_names.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/error.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {
namespace {

/// Bytes of a schema in a message.
constexpr std::size_t kMaxShown = 200;

/// Beyond, a double need not be the integer that its writer meant.
constexpr double kMaxWhole = 9007199254740992.0;

/// What breaks the schema, or an empty text.
std::string schema_problem(const OpParameter& parameter, const Json& value) {
  if (!parameter.checker) return {};
  const auto errors = parameter.checker->validate(value, {.max_errors = 1});
  if (errors.empty()) return {};
  const auto& [instance_path, schema_path, message] = errors.front();
  return instance_path.empty() ? message : fmt::format("at {} {}", instance_path, message);
}

/// Whether a schema's `type` is or lists `name`.
bool says(const Json& schema, std::string_view name) {
  const Json* type = schema.is_object() ? schema.get_object().if_contains("type") : nullptr;
  if (type == nullptr) return false;
  if (type->is_string()) return std::string_view(type->get_string()) == name;
  const auto* list = type->if_array();
  return list != nullptr && std::find(list->begin(), list->end(), Json(name)) != list->end();
}

bool says_integer(const Json& schema) { return says(schema, "integer"); }

/// Whether an integer does not fit 64 bits with a sign.
bool exceeds_integers(const Json& value, const Json& schema) {
  if (const auto* items = value.if_array()) {
    const Json* item_schema = schema.is_object() ? schema.get_object().if_contains("items") : nullptr;
    return item_schema != nullptr && std::any_of(items->begin(), items->end(), [&](const Json& item) {
             return exceeds_integers(item, *item_schema);
           });
  }
  if (!says_integer(schema) || says(schema, "number")) return false;
  return (value.is_uint64() && !std::in_range<std::int64_t>(value.get_uint64())) ||
         (value.is_double() && std::fabs(value.get_double()) > kMaxWhole);
}

/// JSON Schema takes 2.0 for an integer; kernels shall not have to. Nor do they meet unsigned numbers.
Json normalized(const Json& value, const Json& schema) {
  if (const auto* items = value.if_array()) {
    const Json* item_schema = schema.is_object() ? schema.get_object().if_contains("items") : nullptr;
    if (item_schema == nullptr) return value;
    JsonArray normal;
    for (const auto& item : *items) normal.push_back(normalized(item, *item_schema));
    return normal;
  }
  if (value.is_uint64()) {
    const std::uint64_t number = value.get_uint64();
    if (std::in_range<std::int64_t>(number)) return static_cast<std::int64_t>(number);
    return static_cast<double>(number);
  }
  if (!value.is_double() || !says_integer(schema)) return value;
  const double number = value.get_double();
  if (std::trunc(number) != number || std::fabs(number) > kMaxWhole) return value;
  return static_cast<std::int64_t>(number);
}

/// What is wrong with texts where dimensions are expected, or an empty text.
std::string dimension_problem(const Json& value) {
  if (const auto* items = value.if_array()) {
    for (const auto& item : *items) {
      if (auto problem = dimension_problem(item); !problem.empty()) return problem;
    }
  } else if (value.is_string()) {
    try {
      Dim::parse(value.get_string());
    } catch (const Error& error) {
      return error.message();
    }
  }
  return {};
}

[[noreturn]] void bad_attribute(const OpSpec& op, std::string_view parameter, std::string_view problem) {
  throw Error(GraphError::kBadAttribute, fmt::format("[{}] parameter \"{}\" {}", op.name, parameter, problem),
              JsonObject{{"op", op.name}, {"parameter", parameter}});
}

std::string shown(const Json& value) {
  std::string text = json_text(value);
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
  return text;
}

void check(const OpSpec& op, const OpParameter& parameter, const Json& value) {
  std::string problem = schema_problem(parameter, value);
  if (!problem.empty()) problem += "; the schema is " + shown(parameter.schema);
  if (problem.empty() && exceeds_integers(value, parameter.schema)) {
    problem = fmt::format("{} does not fit an integer of 64 bits", shown(value));
  }
  if (problem.empty() && parameter.dimensions) problem = dimension_problem(value);
  if (!problem.empty()) bad_attribute(op, parameter.name, "is wrong: " + problem);
}

Json bind_value(const Json& value, const DimValues& values) {
  if (const auto* items = value.if_array()) {
    JsonArray bound;
    for (const auto& item : *items) bound.push_back(bind_value(item, values));
    return bound;
  }
  if (value.is_string()) return dim_from_attribute(value).evaluate(values);
  return value;
}

}  // namespace

JsonObject complete_attributes(const OpSpec& op, const JsonObject& attrs) {
  for (const auto& [name, value] : attrs) {
    if (op.parameter(name) != nullptr) continue;
    std::vector<std::string_view> names;
    for (const auto& parameter : op.parameters) names.push_back(parameter.name);
    bad_attribute(op, name, "does not exist" + did_you_mean(name, names));
  }
  JsonObject complete;
  for (const auto& parameter : op.parameters) {
    const Json* value = attrs.if_contains(parameter.name);
    if (value == nullptr && !parameter.default_value) bad_attribute(op, parameter.name, "is required");
    if (value != nullptr) check(op, parameter, *value);
    complete[parameter.name] = value != nullptr ? normalized(*value, parameter.schema) : *parameter.default_value;
  }
  return complete;
}

JsonObject bind_attributes(const OpSpec& op, const JsonObject& attrs, const DimValues& values) {
  JsonObject bound = attrs;
  for (const auto& parameter : op.parameters) {
    if (!parameter.dimensions) continue;
    if (Json* value = bound.if_contains(parameter.name)) *value = bind_value(*value, values);
  }
  return bound;
}

}  // namespace alknet::graph
