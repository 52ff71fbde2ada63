#include "alknet/compute/generate/javascript.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/compute/generate/documents.h"

namespace alknet::compute {
namespace {

using graph::OpInput;
using graph::OpParameter;
using graph::OpSpec;

/// Names with an underscore that PyTorch does not have, or has for something else.
constexpr std::array<std::string_view, 38> kOwnNames = {
    "adaptive_avg_pool1d_backward",
    "adaptive_avg_pool2d_backward",
    "adaptive_avg_pool3d_backward",
    "adaptive_max_pool1d_backward",
    "adaptive_max_pool1d_gather",
    "adaptive_max_pool1d_indices",
    "adaptive_max_pool2d_backward",
    "adaptive_max_pool2d_gather",
    "adaptive_max_pool2d_indices",
    "adaptive_max_pool3d_backward",
    "adaptive_max_pool3d_gather",
    "adaptive_max_pool3d_indices",
    "avg_pool1d_backward",
    "cat_parts",
    "clamp_tensor",
    "convolution_backward_input",
    "convolution_backward_weight",
    "div_mode",
    "gather_backward",
    "int_mm",
    "integer_of_words",
    "interpolate_backward",
    "linear_scan",
    "max_dim",
    "max_pool1d_backward",
    "max_pool1d_gather",
    "max_pool1d_indices",
    "max_pool2d_gather",
    "max_pool2d_indices",
    "max_pool3d_gather",
    "max_pool3d_indices",
    "median_dim",
    "min_dim",
    "normal_of_uniforms",
    "normal_of_words",
    "prelu_kernel",
    "quantized_embedding",
    "quantized_matmul",
};
constexpr std::array<std::string_view, 7> kMoreOwnNames = {
    "random_words",   "running_max",           "running_min",      "scatter_value",
    "slice_backward", "uniform_of_word_pairs", "uniform_of_words",
};

bool is_own(std::string_view name) {
  return std::find(kOwnNames.begin(), kOwnNames.end(), name) != kOwnNames.end() ||
         std::find(kMoreOwnNames.begin(), kMoreOwnNames.end(), name) != kMoreOwnNames.end();
}

std::string camel_case(std::string_view name) {
  std::string text;
  bool upper = false;
  for (const char letter : name) {
    if (letter != '_') text += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(letter))) : letter;
    upper = letter == '_';
  }
  return text;
}

std::string script_name(const std::string& name) { return is_own(name) ? camel_case(name) : name; }

bool is_reserved_word(std::string_view name) {
  static const std::set<std::string_view> kWords = {"var", "default", "delete", "in", "new", "function", "with"};
  return kWords.contains(name);
}

std::string type_of(const Json& schema);

std::string type_named(std::string_view name, const JsonObject& schema) {
  if (name == "integer" || name == "number") return "number";
  if (name == "array") {
    const Json* items = schema.if_contains("items");
    const std::string item = items == nullptr ? "number" : type_of(*items);
    return item.find('|') == std::string::npos ? "readonly " + item + "[]" : "readonly (" + item + ")[]";
  }
  return std::string(name);  // string, boolean, null
}

/// A parameter's type in TypeScript. Sizes are numbers: calls now know no symbols.
std::string type_of(const Json& schema) {
  const JsonObject& object = schema.as_object();
  const bool symbolic = object.contains("dim") || object.contains("dimensions");
  std::vector<std::string> types;
  const auto add = [&](std::string type) {
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(std::move(type));
  };
  if (const Json* values = object.if_contains("enum")) {
    const auto& list = values->as_array();
    const bool dtype = std::find(list.begin(), list.end(), Json("f32")) != list.end();
    if (dtype) {
      add("Dtype");
      if (std::find(list.begin(), list.end(), Json(nullptr)) != list.end()) add("null");
    } else {
      for (const Json& value : list) add(json_text(value));
    }
  } else if (const Json* type = object.if_contains("type"); type != nullptr && type->is_array()) {
    for (const Json& name : type->as_array()) {
      const bool number =
          std::find(type->as_array().begin(), type->as_array().end(), Json("integer")) != type->as_array().end();
      if (name == Json("string") && (symbolic || number)) continue;
      add(type_named(name.as_string(), object));
    }
  } else if (type != nullptr) {
    add(type_named(type->as_string(), object));
  }
  return types.empty() ? "unknown" : fmt::format("{}", fmt::join(types, " | "));
}

bool is_number(const Json& schema) { return has_type(schema, "integer") || has_type(schema, "number"); }

/// A list only, so that in JavaScript a number can stand for a list of one.
bool is_list(const OpParameter& parameter) {
  return has_type(parameter.schema, "array") && !is_number(parameter.schema);
}

bool by_name_only(std::string_view name) { return name == "rng" || name == "stream"; }

bool takes_scalar(const OpSpec& op, const OpInput& input) {
  return op.inputs.size() > 1 && !input.variadic && (op.elementwise() || op.composite());
}

std::string input_type(const OpSpec& op, const OpInput& input) {
  if (input.variadic) return "readonly T[]";
  return takes_scalar(op, input) ? "T | Scalar" : "T";
}

bool stands_first(const OpInput& input) { return !input.optional && !by_name_only(input.name); }

/// Whether its sizes may be written one after the other, `x.reshape(2, 3)`: it has one list, which comes first, and
/// nothing else could be a number.
bool spreads(const OpSpec& op) {
  if (op.parameters.empty() || !is_list(op.parameters.front()) || op.parameters.front().default_value) return false;
  if (std::any_of(op.inputs.begin(), op.inputs.end(), [](const OpInput& input) { return input.variadic; }))
    return false;
  return std::none_of(op.parameters.begin() + 1, op.parameters.end(), [](const OpParameter& other) {
    return !by_name_only(other.name) && (is_list(other) || is_number(other.schema));
  });
}

/// What may stand behind the tensors that must be given, as members of a type, and the names of those with a position.
struct Rest {
  std::vector<std::string> members, order;
};

Rest rest_of(const OpSpec& op) {
  Rest rest;
  const auto add = [&](const std::string& name, const std::string& type, bool optional) {
    rest.members.push_back(fmt::format("{}{}: {}", name, optional ? "?" : "", type));
    if (!by_name_only(name)) rest.order.push_back(fmt::format("\"{}\"", name));
  };
  for (const OpInput& input : op.inputs) {
    if (!stands_first(input)) add(input.name, input_type(op, input) + " | null", true);
  }
  for (const OpParameter& parameter : op.parameters) {
    const std::string type = type_of(parameter.schema);
    add(parameter.name, is_list(parameter) ? "number | " + type : type, parameter.default_value.has_value());
  }
  return rest;
}

/// `...rest: Rest<{...}, [...]>`, or nothing.
std::string rest_type(const Rest& rest) {
  if (rest.members.empty()) return "";
  return fmt::format("...rest: Rest<{{ {} }}, [{}]>", fmt::join(rest.members, "; "), fmt::join(rest.order, ", "));
}

/// The sizes one after the other, and behind them what has a name.
std::string spread_type(const OpSpec& op, const Rest& rest) {
  const std::string& list = op.parameters.front().name;
  std::vector<std::string> others;
  for (const std::string& member : rest.members) {
    if (!member.starts_with(list + ":")) others.push_back(member);
  }
  if (others.empty()) return fmt::format("...{}: readonly number[]", list);
  return fmt::format("...{}: readonly number[] | readonly [...number[], {{ {} }}]", list, fmt::join(others, "; "));
}

std::string result_type(const OpSpec& op) {
  if (op.outputs.front().variadic) return "T[]";
  if (op.outputs.size() == 1) return "T";
  std::vector<std::string> list, members;
  for (const auto& output : op.outputs) {
    list.emplace_back("T");
    members.push_back(fmt::format("readonly {}: T", output.name));
  }
  return fmt::format("[{}] & {{ {} }}", fmt::join(list, ", "), fmt::join(members, "; "));
}

/// One line of an interface; a method lacks the first tensor.
std::string declaration(const OpSpec& op, const std::string& name, bool method) {
  std::vector<std::string> arguments;
  for (const OpInput& input : op.inputs) {
    if (stands_first(input)) arguments.push_back(fmt::format("{}: {}", input.name, input_type(op, input)));
  }
  if (method) arguments.erase(arguments.begin());
  const Rest rest = rest_of(op);
  const std::string result = result_type(op);
  const auto form = [&](std::string last) {
    std::vector<std::string> all = arguments;
    if (!last.empty()) all.push_back(std::move(last));
    return fmt::format("  {}({}): {};\n", name, fmt::join(all, ", "), result);
  };
  return form(rest_type(rest)) + (spreads(op) ? form(spread_type(op, rest)) : "");
}

bool has_method(const OpSpec& op) {
  return !op.inputs.empty() && stands_first(op.inputs.front()) && !op.inputs.front().variadic;
}

std::vector<std::string> names_of(const OpSpec& op) {
  std::vector<std::string> names{script_name(op.name)};
  for (const auto& alias : op.aliases) names.push_back(script_name(alias));
  return names;
}

/// name|names|inputs|parameters|outputs|flags, as op_table.ts says in its head.
std::string row(const OpSpec& op) {
  std::vector<std::string> inputs, parameters, outputs;
  for (const OpInput& input : op.inputs) {
    inputs.push_back(fmt::format("{}{}{}{}{}", input.name, input.optional || by_name_only(input.name) ? "?" : "",
                                 input.variadic ? "*" : "", takes_scalar(op, input) ? "~" : "",
                                 input.differentiable ? "" : "!"));
  }
  for (const OpParameter& parameter : op.parameters) {
    const std::string_view list = !is_list(parameter) ? "" : spreads(op) && parameters.empty() ? "*" : "+";
    parameters.push_back(fmt::format("{}{}{}", parameter.name, parameter.default_value ? "?" : "", list));
  }
  for (const auto& output : op.outputs) outputs.push_back(output.name + (output.variadic ? "*" : ""));
  const std::string flags = std::string(differentiable(op) ? "d" : "") + (op.data_dependent() ? "e" : "");
  return fmt::format("{}|{}|{}|{}|{}|{}\n", op.name, fmt::join(names_of(op), ","), fmt::join(inputs, ","),
                     fmt::join(parameters, ","), fmt::join(outputs, ","), flags);
}

constexpr std::string_view kHead = "// Written by `alknet-opgen js` from the op table (alknet/graph/ops).\n";

constexpr std::string_view kTableHead =
    "\n/**\n"
    " * A line an operation: name|names in JavaScript|inputs|parameters|outputs|flags, lists with commas. Inputs: ?\n"
    " * optional, * a list, ~ may be a number, ! without a gradient. Parameters: ? optional, + a list, * a list that "
    "may\n"
    " * be written as several arguments. Outputs: * a list. Flags: d differentiable, e the shape of the result depends "
    "on\n"
    " * the elements.\n"
    " */\n"
    "export const kOperationLines = `";

constexpr std::string_view kTypesHead =
    "\n/** A number operand: an integer when integral, and weak: it takes the tensor's dtype where that can hold it. "
    "*/\n"
    "export type Scalar = number | boolean;\n\n"
    "/** Element types. */\n"
    "export type Dtype = \"bool\" | \"i8\" | \"u8\" | \"i32\" | \"u32\" | \"i64\" | \"f16\" | \"bf16\" | \"f32\" | "
    "\"f64\";\n\n"
    "/** Arguments by position in this order, as many as you like; a last plain object names the rest. */\n"
    "export type Rest<Named, Order extends readonly (keyof Named)[]> = Order extends readonly [\n"
    "  infer First extends keyof Named,\n"
    "  ...infer More extends readonly (keyof Named)[],\n"
    "]\n"
    "  ? [] | [Partial<Named>] | [Named[First] | undefined, ...Rest<Named, More>]\n"
    "  : [] | [Partial<Named>];\n";

std::string types_text(const graph::OpTable& ops) {
  std::string functions, methods;
  for (const auto& family : graph::op_families()) {
    for (const OpSpec* op : operations_of(family, ops)) {
      const auto names = names_of(*op);
      for (const std::string& name : names) {
        const std::string doc = name == names.front() ? op->doc : fmt::format("As `{}`.", names.front());
        functions += fmt::format("  /** {} */\n{}", doc, declaration(*op, name, false));
        if (has_method(*op)) methods += fmt::format("  /** {} */\n{}", doc, declaration(*op, name, true));
      }
    }
  }
  return fmt::format(
      "{}{}\n/** The operations as functions: tensors first, then parameters. */\nexport interface Functions<T> "
      "{{\n{}}}\n\n"
      "/** The operations as methods of their first tensor. */\nexport interface Methods<T> {{\n{}}}\n",
      kHead, kTypesHead, functions, methods);
}

/// The names in JavaScript of the operations that `chosen` holds for, in order, each once.
template <typename Chosen>
std::set<std::string> script_names(const graph::OpTable& ops, Chosen chosen) {
  std::set<std::string> names;
  for (const OpSpec& op : ops.ops()) {
    if (!chosen(op)) continue;
    for (const std::string& name : names_of(op)) names.insert(name);
  }
  return names;
}

std::string functions_text(const graph::OpTable& ops) {
  std::string text = fmt::format("{}import {{ functionOf }} from \"../functions.ts\";\n\n", kHead);
  std::string renamed;
  for (const std::string& name : script_names(ops, [](const OpSpec&) { return true; })) {
    const std::string_view reserved = is_reserved_word(name) ? "_" : "";
    if (!reserved.empty()) renamed += fmt::format("{0}_ as {0}, ", name);
    text += fmt::format("{0}const {1}{2} = functionOf(\"{1}\");\n", reserved.empty() ? "export " : "", name, reserved);
  }
  if (!renamed.empty()) text += fmt::format("export {{ {} }};\n", renamed.substr(0, renamed.size() - 2));
  return text;
}

std::string table_text(const graph::OpTable& ops) {
  std::string rows;
  for (const OpSpec& op : ops.ops()) rows += row(op);
  return fmt::format(
      "{}{}{}`;\n\n/** The names of the operations that are methods of their first tensor too. */\n"
      "export const kMethodNames =\n  \"{}\";\n",
      kHead, kTableHead, rows, fmt::join(script_names(ops, has_method), ","));
}

}  // namespace

std::vector<GeneratedFile> generate_javascript(const graph::OpTable& ops) {
  return {{"op_table.ts", table_text(ops)}, {"operations.ts", types_text(ops)}, {"exports.ts", functions_text(ops)}};
}

}  // namespace alknet::compute
