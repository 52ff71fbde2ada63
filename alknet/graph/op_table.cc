#include "alknet/graph/op_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/near_names.h"
#include "alknet/graph/error.h"
#include "alknet/graph/ops_json.h"

namespace alknet::graph {
namespace {

template <typename Named>
const Named* find_named(const std::vector<Named>& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Named& item) { return item.name == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

const OpInput* OpSpec::input(std::string_view input_name) const { return find_named(inputs, input_name); }

const OpParameter* OpSpec::parameter(std::string_view parameter_name) const {
  return find_named(parameters, parameter_name);
}

bool OpSpec::reads_coordinates() const {
  const auto* elementwise = std::get_if<ElementwiseForward>(&forward);
  return elementwise != nullptr &&
         std::any_of(elementwise->cases.begin(), elementwise->cases.end(),
                     [](const auto& each) { return each.expression.find("index(") != std::string::npos; });
}

const std::string& OpSpec::expression(const JsonObject& attrs) const {
  return expression(std::get<ElementwiseForward>(forward), attrs);
}

const std::string& OpSpec::expression(const ElementwiseForward& elementwise, const JsonObject& attrs) const {
  if (elementwise.parameter.empty()) return elementwise.cases.front().expression;
  const Json* value = attrs.if_contains(elementwise.parameter);
  for (const auto& choice : elementwise.cases) {
    if (value != nullptr && value->is_string() && std::string_view(value->get_string()) == choice.value) {
      return choice.expression;
    }
  }
  throw Error(GraphError::kBadAttribute,
              fmt::format("[{}] parameter \"{}\" selects no case of the operation", name, elementwise.parameter),
              JsonObject{{"op", name}, {"parameter", elementwise.parameter}});
}

JsonArray ops_json() {
  JsonArray entries;
  for (const OpFamily& family : op_families()) {
    Json document = parse_json(family.text);
    for (Json& entry : document.as_array()) entries.push_back(std::move(entry));
  }
  return entries;
}

const OpTable& OpTable::builtin() {
  static const OpTable& table = *new OpTable(from_json(ops_json()));  // for as long as the program: not worth its end
  return table;
}

const OpSpec* OpTable::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &ops_[found->second];
}

const OpSpec& OpTable::at(std::string_view name) const {
  if (const OpSpec* op = find(name)) return *op;
  std::vector<std::string_view> names;
  for (const auto& [known, index] : index_) names.push_back(known);
  const auto nearest = near_names(name, names);
  throw Error(GraphError::kUnknownOp, fmt::format("no operation \"{}\"{}", name, did_you_mean(name, names)),
              JsonObject{{"op", name}, {"near", JsonArray(nearest.begin(), nearest.end())}});
}

}  // namespace alknet::graph
