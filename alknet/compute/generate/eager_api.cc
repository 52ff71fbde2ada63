#include "alknet/compute/generate/eager_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/compute/generate/documents.h"
#include "alknet/graph/call_types.h"

namespace alknet::compute {
namespace {

using graph::OpInput;
using graph::OpParameter;
using graph::OpSpec;

constexpr std::size_t kLineWidth = 116;
constexpr std::string_view kStream = "stream";  // eager calls draw from stream 0

/// Written by hand in Tensor or beside it.
bool is_reserved_method(std::string_view name) {
  static const std::set<std::string_view> kNames = {"view",   "contiguous", "clone", "detach", "size",
                                                    "assign", "write",      "read",  "grad",   "backward"};
  return kNames.contains(name);
}
bool is_reserved_function(std::string_view name) {
  static const std::set<std::string_view> kNames = {"contiguous", "clone", "assign", "detach"};
  return kNames.contains(name);
}

std::string identifier(const std::string& name) {
  static const std::set<std::string_view> kKeywords = {"and",  "or",     "not",   "xor",  "default",  "float", "int",
                                                       "bool", "double", "union", "this", "operator", "auto"};
  return kKeywords.contains(name) ? name + "_" : name;
}

/// A schema of texts that are dtypes.
bool is_dtype(const OpParameter& parameter) {
  const Json* values = parameter.schema.get_object().if_contains("enum");
  if (values == nullptr || !has_type(parameter.schema, "string")) return false;
  const auto& list = values->get_array();
  return std::find(list.begin(), list.end(), Json("f32")) != list.end();
}

struct CppParameter {
  std::string type;
  std::string name;
  std::string default_value;  ///< Empty: must be given.
  bool attribute = false;
  bool omitted = false;  ///< Always the default.

  /// What the function's body gives for it.
  std::string value() const { return omitted ? fmt::format("{}({})", type, default_value) : name; }

  std::string declaration(bool with_default) const {
    return type + " " + name + (with_default && !default_value.empty() ? " = " + default_value : "");
  }
};

std::string literal(const Json& value) {
  if (value.is_string()) return fmt::format("\"{}\"", std::string_view(value.get_string()));
  return json_text(value);
}

std::string list_literal(const JsonArray& items) {
  std::string text = "{";
  for (const Json& item : items) text += (text.size() > 1 ? ", " : "") + json_text(item);
  return text + "}";
}

/// The C++ type of a parameter's values, and its default.
CppParameter cpp_parameter(const OpParameter& parameter) {
  const Json& schema = parameter.schema;
  const std::optional<Json>& standard = parameter.default_value;
  const bool null = has_type(schema, "null");
  const auto simple = [&](const std::string& type) {
    CppParameter made{type, identifier(parameter.name), "", true};
    if (null) made.type = fmt::format("std::optional<{}>", type);
    if (standard) made.default_value = standard->is_null() ? "{}" : literal(*standard);
    return made;
  };
  if (is_dtype(parameter)) {
    CppParameter made = simple("Dtype");
    if (standard && standard->is_string()) {
      made.default_value = fmt::format("*graph::parse_dtype({})", literal(*standard));
    }
    return made;
  }
  if (has_type(schema, "array")) {
    const Json* items = schema.get_object().if_contains("items");
    if (items != nullptr && has_type(*items, "integer")) {
      CppParameter made{"const Ints&", identifier(parameter.name), "", true};
      if (standard && standard->is_null()) made.default_value = "{}";
      if (standard && standard->is_array()) made.default_value = list_literal(standard->get_array());
      if (standard && standard->is_number()) made.default_value = json_text(*standard);
      return made;
    }
  } else if (has_type(schema, "boolean")) {
    return simple("bool");
  } else if (has_type(schema, "integer")) {
    return simple("std::int64_t");
  } else if (has_type(schema, "number")) {
    return simple("Number");
  } else if (has_type(schema, "string")) {
    return simple("std::string_view");
  }
  CppParameter made{"const Json&", identifier(parameter.name), "", true};
  if (standard) {
    made.default_value = standard->is_null() ? "Json()" : fmt::format("parse_json(R\"({})\")", json_text(*standard));
  }
  return made;
}

/// One function of the API.
struct Function {
  const OpSpec* op = nullptr;
  std::string name;
  std::vector<CppParameter> parameters;  ///< In C++ order.
  std::vector<CppParameter> inputs;      ///< In the op table's.
  std::vector<CppParameter> attributes;
  bool context = false;  ///< No input must be a tensor, so a context comes first.
  bool method = false;   ///< The first parameter may be *this.

  std::string result() const;
  std::string arguments(bool defaults, bool as_method) const;
};

std::string camel(std::string_view name) {
  std::string text;
  bool upper = true;
  for (const char letter : name) {
    if (letter != '_') text += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(letter))) : letter;
    upper = letter == '_';
  }
  return text;
}

std::string Function::result() const {
  if (op->outputs.front().variadic) return "std::vector<Tensor>";
  return op->outputs.size() == 1 ? "Tensor" : camel(op->name) + "Result";
}

std::string Function::arguments(bool defaults, bool as_method) const {
  std::string text = context ? "const Context& context" : "";
  for (std::size_t i = as_method ? 1 : 0; i < parameters.size(); ++i) {
    text += (text.empty() ? "" : ", ") + parameters[i].declaration(defaults);
  }
  return text;
}

/// Whether a parameter that may be left out stands before one that may not, as `start` of `arange`.
bool has_leading_default(const OpSpec& op) {
  const auto optional = [](const OpParameter& parameter) { return parameter.default_value.has_value(); };
  const auto first = std::find_if(op.parameters.begin(), op.parameters.end(), optional);
  return !std::all_of(first, op.parameters.end(), optional);
}

/// `whole`: parameters before a required one must be given too. Else the function is the short form, as `arange(end)`:
/// what is required, and a dtype.
Function make_function(const OpSpec& op, std::string name, bool whole) {
  Function function;
  function.op = &op;
  function.name = std::move(name);
  bool first = true;
  for (const OpInput& input : op.inputs) {
    CppParameter made{"const Tensor&", identifier(input.name), input.optional ? "{}" : "", false};
    if (input.name == graph::kRandomState) {
      function.inputs.push_back(std::move(made));
      continue;
    }
    if (input.optional) {
      made.type = "const Argument&";
    } else if (input.variadic) {
      made.type = "const std::vector<Tensor>&";
    } else if (op.elementwise() && input.promotes && !first && op.promotion != graph::Promotion::kNone) {
      made.type = "const Argument&";
    }
    first = false;
    function.inputs.push_back(std::move(made));
  }
  const bool random = std::any_of(op.inputs.begin(), op.inputs.end(),
                                  [](const auto& each) { return each.name == graph::kRandomState; });
  bool leading = has_leading_default(op);
  for (const OpParameter& parameter : op.parameters) {
    CppParameter made = cpp_parameter(parameter);
    leading = leading && parameter.default_value;
    if (leading && whole) made.default_value.clear();
    const bool short_form = !whole && parameter.default_value && !is_dtype(parameter);
    made.omitted = short_form || (random && parameter.name == kStream);
    function.attributes.push_back(std::move(made));
  }
  for (const bool required : {true, false}) {
    for (const auto* list : {&function.inputs, &function.attributes}) {
      for (const CppParameter& each : *list) {
        if (each.default_value.empty() == required && each.name != graph::kRandomState && !each.omitted)
          function.parameters.push_back(each);
      }
    }
  }
  const auto needed = [](const OpInput& input) { return !input.optional && input.name != graph::kRandomState; };
  function.context = std::none_of(op.inputs.begin(), op.inputs.end(), needed);
  function.method = !function.context && !function.parameters.empty() &&
                    function.parameters.front().type == "const Tensor&" && !is_reserved_method(function.name);
  return function;
}

std::vector<Function> functions_of(const graph::OpTable& ops) {
  std::vector<Function> functions;
  std::set<std::string> taken;
  for (const OpSpec& op : ops.ops()) taken.insert(op.name);
  for (const OpSpec& op : ops.ops()) {
    std::vector<std::string> names{op.name};
    std::copy_if(op.aliases.begin(), op.aliases.end(), std::back_inserter(names),
                 [&](const std::string& alias) { return taken.insert(alias).second; });
    for (const std::string& name : names) {
      functions.push_back(make_function(op, name, true));
      if (has_leading_default(op)) functions.push_back(make_function(op, name, false));
    }
  }
  return functions;
}

/// `doc` as comment lines.
std::string comment(const std::string& doc, std::string_view indent) {
  std::string text;
  std::string line;
  std::size_t at = 0;
  while (at < doc.size()) {
    const std::size_t end = std::min(doc.find(' ', at), doc.size());
    const std::string word = doc.substr(at, end - at);
    if (!line.empty() && line.size() + word.size() + 1 + indent.size() > kLineWidth) {
      text += fmt::format("{}/// {}\n", indent, line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  return text + fmt::format("{}/// {}\n", indent, line);
}

std::string methods_header(const std::vector<Function>& functions) {
  std::string text =
      "// Written by alknet-opgen from the op table.\n#pragma once\n\n#include <cstdint>\n#include <optional>\n"
      "#include <string_view>\n#include <vector>\n\n#include \"alknet/compute/eager/arguments.h\"\n\n"
      "namespace alknet::compute {\n\nclass Tensor;\n";
  std::set<std::string> results;
  for (const Function& function : functions) {
    if (function.op->outputs.size() > 1 && results.insert(function.result()).second) {
      text += fmt::format("struct {};\n", function.result());
    }
  }
  text += "\n/// Operations of the op table on a tensor.\nclass TensorMethods {\n public:\n";
  for (const Function& function : functions) {
    if (!function.method) continue;
    text += comment(function.op->doc, "  ");
    text += fmt::format("  {} {}({}) const;\n", function.result(), function.name, function.arguments(true, true));
  }
  return text +
         "\n protected:\n  TensorMethods() = default;\n\n private:\n  const Tensor& self() const;\n};\n\n"
         "}  // namespace alknet::compute\n";
}

struct OperatorRow {
  std::string_view symbol;
  std::string_view op;
};
constexpr std::array kBinaryOperators = {
    OperatorRow{"+", "add"},        OperatorRow{"-", "sub"},         OperatorRow{"*", "mul"},
    OperatorRow{"/", "div"},        OperatorRow{"%", "remainder"},   OperatorRow{"==", "eq"},
    OperatorRow{"!=", "ne"},        OperatorRow{"<", "lt"},          OperatorRow{"<=", "le"},
    OperatorRow{">", "gt"},         OperatorRow{">=", "ge"},         OperatorRow{"&", "bitwise_and"},
    OperatorRow{"|", "bitwise_or"}, OperatorRow{"^", "bitwise_xor"},
};
constexpr std::array kUnaryOperators = {OperatorRow{"-", "neg"}, OperatorRow{"~", "bitwise_not"}};

constexpr std::array<std::string_view, 3> kOperatorForms = {
    "const Tensor& a, const Tensor& b", "const Tensor& a, const Argument& b", "const Argument& a, const Tensor& b"};

std::string operations_header(const std::vector<Function>& functions, const graph::OpTable& ops) {
  std::string text =
      "// Written by alknet-opgen from the op table.\n#pragma once\n\n#include \"alknet/compute/tensor.h\"\n\n"
      "namespace alknet::compute {\n\n";
  std::set<std::string> results;
  for (const Function& function : functions) {
    if (function.op->outputs.size() < 2 || !results.insert(function.result()).second) continue;
    text += fmt::format("/// What `{}` gives.\nstruct {} {{\n  Tensor ", function.op->name, function.result());
    for (const auto& output : function.op->outputs) {
      text += (&output == &function.op->outputs.front() ? "" : ", ") + identifier(output.name);
    }
    text += ";\n};\n\n";
  }
  for (const Function& function : functions) {
    if (is_reserved_function(function.name)) continue;
    text += comment(function.op->doc, "");
    text += fmt::format("{} {}({});\n\n", function.result(), function.name, function.arguments(true, false));
  }
  for (const auto& row : kBinaryOperators) {
    if (ops.find(row.op) == nullptr) continue;
    for (const auto form : kOperatorForms) text += fmt::format("Tensor operator{}({});\n", row.symbol, form);
  }
  for (const auto& row : kUnaryOperators) {
    if (ops.find(row.op) != nullptr) text += fmt::format("Tensor operator{}(const Tensor& a);\n", row.symbol);
  }
  return text + "\n}  // namespace alknet::compute\n";
}

/// The random state that a call gets: the next one beside `first`, where there is a choice when it needs one
/// (graph::needs_random_state).
std::string random_state(const OpSpec& op, std::string_view first) {
  const std::string next = fmt::format("next_rng({})", first);
  if (!op.input(graph::kRandomState)->optional) return next;
  std::vector<std::string> conditions;
  for (const OpParameter& parameter : op.parameters) {
    if (graph::is_dropout_probability(parameter.name))
      conditions.push_back(fmt::format("!{}.zero()", identifier(parameter.name)));
    if (parameter.name == graph::kTraining) conditions.push_back(identifier(parameter.name));
  }
  return fmt::format("{} ? Argument({}) : Argument()", fmt::join(conditions, " && "), next);
}

std::string call_text(const Function& function, bool as_method) {
  std::string inputs, attributes;
  const std::string first = function.context ? "context" : as_method ? "self()" : function.parameters.front().name;
  for (const auto& input : function.inputs) {
    const bool self = as_method && input.name == function.parameters.front().name;
    const std::string given = input.name == graph::kRandomState ? random_state(*function.op, first)
                              : self                            ? first
                                                                : input.name;
    inputs += (inputs.empty() ? "" : ", ") + given;
  }
  for (const auto& attribute : function.attributes) attributes += (attributes.empty() ? "" : ", ") + attribute.value();
  const std::string start = function.context ? "context, " : "";
  const std::string arguments = fmt::format("{}kOp, {{{}}}, {{{}}}", start, inputs, attributes);
  const std::string op =
      fmt::format("  static const OpSpec& kOp = graph::OpTable::builtin().at(\"{}\");\n", function.op->name);
  if (function.op->outputs.front().variadic) return fmt::format("{}  return apply_variadic({});\n", op, arguments);
  const std::size_t outputs = function.op->outputs.size();
  if (outputs == 1) return fmt::format("{}  return apply({});\n", op, arguments);
  std::string results;
  for (std::size_t k = 0; k < outputs; ++k) results += fmt::format("{}outputs[{}]", k == 0 ? "" : ", ", k);
  return fmt::format("{}  std::array<Tensor, {}> outputs;\n  apply({}, outputs);\n  return {{{}}};\n", op, outputs,
                     arguments, results);
}

std::string operations_source(const std::vector<Function>& functions, const graph::OpTable& ops) {
  std::string text =
      "// Written by alknet-opgen from the op table.\n#include \"alknet/compute/eager/operations.h\"\n\n"
      "#include <array>\n\n#include \"alknet/compute/eager/apply.h\"\n#include \"alknet/graph/op_table.h\"\n\n"
      "namespace alknet::compute {\n\n"
      "const Tensor& TensorMethods::self() const { return static_cast<const Tensor&>(*this); }\n\n";
  for (const Function& function : functions) {
    if (!is_reserved_function(function.name)) {
      text += fmt::format("{} {}({}) {{\n{}}}\n\n", function.result(), function.name, function.arguments(false, false),
                          call_text(function, false));
    }
    if (function.method) {
      text += fmt::format("{} TensorMethods::{}({}) const {{\n{}}}\n\n", function.result(), function.name,
                          function.arguments(false, true), call_text(function, true));
    }
  }
  const auto body = [](std::string_view op, std::string_view operands) {
    return fmt::format(
        "{{\n  static const OpSpec& kOp = graph::OpTable::builtin().at(\"{}\");\n  return apply(kOp, "
        "{{{}}});\n}}\n\n",
        op, operands);
  };
  for (const auto& row : kBinaryOperators) {
    if (ops.find(row.op) == nullptr) continue;
    for (const auto form : kOperatorForms) {
      text += fmt::format("Tensor operator{}({}) {}", row.symbol, form, body(row.op, "a, b"));
    }
  }
  for (const auto& row : kUnaryOperators) {
    if (ops.find(row.op) != nullptr) {
      text += fmt::format("Tensor operator{}(const Tensor& a) {}", row.symbol, body(row.op, "a"));
    }
  }
  return text + "}  // namespace alknet::compute\n";
}

}  // namespace

std::vector<GeneratedFile> generate_eager_api(const graph::OpTable& ops) {
  const auto functions = functions_of(ops);
  return {{"tensor_methods.h", methods_header(functions)},
          {"operations.h", operations_header(functions, ops)},
          {"operations.cc", operations_source(functions, ops)}};
}

}  // namespace alknet::compute
