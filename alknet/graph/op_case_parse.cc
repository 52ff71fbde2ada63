#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "alknet/graph/composers.h"
#include "alknet/graph/op_program.h"
#include "alknet/graph/op_table_parse.h"

namespace alknet::graph {
namespace {

struct CaseStep {
  std::string_view name;
  std::size_t inputs;
};
constexpr std::array kCaseSteps = {CaseStep{"sum_to", 2}, CaseStep{"keep_dims", 2}, CaseStep{"count", 1},
                                   CaseStep{"causal_mask", 2}, CaseStep{"epsilon", 1}};

const CaseStep* find_step(std::string_view name) {
  const auto found =
      std::find_if(kCaseSteps.begin(), kCaseSteps.end(), [&](const CaseStep& step) { return step.name == name; });
  return found == kCaseSteps.end() ? nullptr : &*found;
}

bool is_number(const Json& value) {
  if (value.is_number()) return true;
  if (!value.is_string()) return false;
  const std::string_view text = value.get_string();
  return text == "inf" || text == "-inf" || text == "nan";
}

/// Reads one case; what its nodes may refer to grows with them.
class CaseReader {
 public:
  explicit CaseReader(const OpSpec& op) : op_(op) {
    for (const auto& input : op.inputs) known_.insert(input.name);
  }

  GraphCase read_gradient(const JsonReader& json) && {
    for (const auto& output : op_.outputs) known_.insert({output.name, "grad_" + output.name});
    read(json, "gradients");
    for (const auto& [input, ref] : json.at("gradients").members()) {
      check_input(ref, input);
      result_.results.emplace(input, reference(ref));
    }
    if (result_.results.empty()) json.at("gradients").fail("must name an input");
    return std::move(result_);
  }

  GraphCase read_composite(const JsonReader& json) && {
    read(json, "outputs");
    for (const auto& output : op_.outputs) {
      if (output.variadic) json.fail("a list of outputs needs a composer");
      result_.results.emplace(output.name, reference(json.at("outputs").at(output.name)));
    }
    if (json.at("outputs").members().size() != op_.outputs.size()) {
      json.at("outputs").fail("names an output that the operation does not have");
    }
    return std::move(result_);
  }

 private:
  void check_input(const JsonReader& json, const std::string& name) const {
    if (op_.input(name) == nullptr) json.fail(fmt::format("\"{}\" is no input of the operation", name));
  }

  void check_parameter(const JsonReader& json) const {
    if (op_.parameter(json.string()) == nullptr) json.fail("names no parameter");
  }

  void read(const JsonReader& json, std::string_view results) {
    json.only({"when", "nodes", results});
    if (const auto when = json.find("when")) read_when(*when);
    for (const auto& node : json.at("nodes").items()) read_node(node);
  }

  void read_when(const JsonReader& json) {
    json.only({"rank", "present", "dtype", "attrs"});
    const auto each = [&](std::string_view member, auto read) {
      const auto found = json.find(member);
      if (!found) return;
      for (const auto& [name, value] : found->members()) {
        if (member != "attrs") check_input(value, name);
        read(name, value);
      }
    };
    each("rank", [&](const std::string& name, const JsonReader& value) {
      result_.ranks.emplace(name, static_cast<std::size_t>(value.integer()));
    });
    each("present",
         [&](const std::string& name, const JsonReader& value) { result_.present.emplace(name, value.boolean()); });
    each("dtype", [&](const std::string& name, const JsonReader& value) {
      const auto dtype = parse_dtype(value.string());
      if (!dtype) value.fail("is not a dtype");
      result_.dtypes.emplace(name, *dtype);
    });
    each("attrs", [&](const std::string& name, const JsonReader& value) {
      if (op_.parameter(name) == nullptr) value.fail("names no parameter");
      result_.attrs[name] = value.value();
    });
  }

  std::string reference(const JsonReader& json) const {
    std::string name = json.string();
    const bool output = nodes_.contains(name.substr(0, name.find(':')));
    if (!known_.contains(name) && !output) {
      json.fail(fmt::format("\"{}\" is no input, output, grad_<output> or earlier node", name));
    }
    return name;
  }

  void check_operand(const JsonReader& json) const {
    if (is_number(json.value())) return;
    if (json.value().is_array()) {
      for (const auto& item : json.items()) check_operand(item);
      return;
    }
    if (json.value().is_string()) {
      reference(json);
      return;
    }
    json.only({"attr", "ref", "otherwise"});
    if (const auto parameter = json.find("attr")) {
      check_parameter(*parameter);
    } else {
      reference(json.at("ref"));
    }
    if (const auto otherwise = json.find("otherwise")) check_operand(*otherwise);
  }

  void check_attribute(const JsonReader& json) const {
    if (!json.value().is_object()) return;
    if (const auto value = json.find("shape")) {
      json.only({"shape"});
      reference(*value);
    } else if (const auto size = json.find("size")) {
      json.only({"size", "dim"});
      reference(*size);
      json.at("dim").integer();
    } else if (const auto sizes = json.find("sizes")) {
      json.only({"sizes", "dim"});
      for (const auto& input : sizes->items()) check_input(input, input.string());
      check_parameter(json.at("dim"));
    } else if (const auto dtype = json.find("dtype")) {
      json.only({"dtype"});
      reference(*dtype);
    } else {
      const auto members = json.members();
      json.only({"attr", "list", "inverse", "last", "negate"});
      if (members.size() != 1) json.fail("must have one member");
      check_parameter(members.front().second);
    }
  }

  void read_node(const JsonReader& json) {
    json.only({"id", "op", "inputs", "attrs"});
    GraphCase::Node node;
    node.op = json.at("op").string();
    for (const auto& operand : json.at("inputs").items()) {
      check_operand(operand);
      node.inputs.push_back(operand.value());
    }
    if (const auto attrs = json.find("attrs")) {
      for (const auto& [name, value] : attrs->members()) {
        check_attribute(value);
        node.attrs[name] = value.value();
      }
    }
    node.id = identifier(json.at("id"));
    if (!known_.insert(node.id).second) json.at("id").fail("is taken");
    nodes_.insert(node.id);
    result_.nodes.push_back(std::move(node));
  }

  const OpSpec& op_;
  std::set<std::string> known_;
  std::set<std::string> nodes_;
  GraphCase result_;
};

void check_node(const JsonReader& json, const GraphCase::Node& node, const OpTable& table) {
  if (const CaseStep* step = find_step(node.op)) {
    if (node.inputs.size() != step->inputs) {
      json.at("inputs").fail(fmt::format("{} takes {} input(s)", step->name, step->inputs));
    }
    return;
  }
  const OpSpec* op = table.find(node.op);
  if (op == nullptr) json.at("op").fail(fmt::format("there is no operation \"{}\"", node.op));
  if (node.inputs.size() > op->inputs.size()) {
    json.at("inputs").fail(fmt::format("[{}] takes {} input(s)", op->name, op->inputs.size()));
  }
  for (const auto& [name, value] : node.attrs) {
    if (op->parameter(name) == nullptr)
      json.at("attrs").fail(fmt::format("[{}] has no \"{}\"", op->name, std::string_view(name)));
  }
  for (const auto& parameter : op->parameters) {
    if (!parameter.default_value && !node.attrs.contains(parameter.name)) {
      json.fail(fmt::format("[{}] needs the attribute \"{}\"", op->name, parameter.name));
    }
  }
}

}  // namespace

bool is_case_step(std::string_view name) { return find_step(name) != nullptr; }

OpBackward read_backward(const JsonReader& json, const OpSpec& op) {
  OpBackward backward;
  if (const auto cases = json.find("cases"); cases && op.input("cases") == nullptr) {
    json.only({"cases"});
    for (const auto& each : cases->items()) backward.cases.push_back(CaseReader(op).read_gradient(each));
  } else if (json.find("nodes") && op.input("nodes") == nullptr) {
    backward.cases.push_back(CaseReader(op).read_gradient(json));
  } else {
    for (const auto& [input, expression] : json.members()) {
      if (op.input(input) == nullptr) json.fail(fmt::format("\"{}\" is no input of the operation", input));
      ElementwiseForward forward{{}, {{"", expression.value().is_string() ? expression.string() : ""}}};
      if (!expression.value().is_string()) forward = read_elementwise(expression, op);
      backward.expressions.emplace(input, std::move(forward));
    }
    try {
      check_gradient_expressions(op, backward);
    } catch (const Error& error) {
      json.fail(error.message());
    }
  }
  return backward;
}

CompositeForward read_composite(const JsonReader& json, const OpSpec& op) {
  CompositeForward composite;
  if (json.value().is_string()) {
    composite.composer = json.string();
    if (!has_composer(composite.composer)) json.fail(fmt::format("there is no composer \"{}\"", composite.composer));
  } else if (const auto cases = json.find("cases")) {
    json.only({"cases"});
    for (const auto& each : cases->items()) composite.cases.push_back(CaseReader(op).read_composite(each));
    if (composite.cases.empty()) cases->fail("must have a case");
  } else {
    composite.cases.push_back(CaseReader(op).read_composite(json));
  }
  return composite;
}

void check_case_nodes(const JsonReader& json, const std::vector<GraphCase>& cases, const OpTable& table) {
  const auto list = json.find("cases");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto items = (list ? list->items()[i] : json).at("nodes").items();
    for (std::size_t n = 0; n < items.size(); ++n) check_node(items[n], cases[i].nodes[n], table);
  }
}

}  // namespace alknet::graph
