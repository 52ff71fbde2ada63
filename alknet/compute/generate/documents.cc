#include "alknet/compute/generate/documents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/ops_json.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::OpInput;
using graph::OpParameter;
using graph::OpSpec;

/// A list of dtypes, or the name of the group that it is.
std::string dtypes_text(const std::vector<Dtype>& dtypes) {
  const auto is_group = [&](auto predicate) {
    const auto count = std::count_if(graph::kAllDtypes.begin(), graph::kAllDtypes.end(), predicate);
    return static_cast<std::size_t>(count) == dtypes.size() && std::all_of(dtypes.begin(), dtypes.end(), predicate);
  };
  if (is_group([](Dtype) { return true; })) return "all";
  if (is_group([](Dtype d) { return d != Dtype::kBool; })) return "number";
  if (is_group(graph::is_float)) return "float";
  if (is_group([](Dtype d) { return graph::dtype_class(d) == graph::DtypeClass::kInteger; })) return "integer";
  std::vector<std::string_view> names;
  for (const Dtype dtype : dtypes) names.push_back(graph::dtype_name(dtype));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string signature(const OpSpec& op) {
  std::vector<std::string> parts;
  for (const OpInput& input : op.inputs) {
    parts.push_back((input.variadic ? "*" : "") + input.name + (input.optional ? "=null" : ""));
  }
  for (const OpParameter& parameter : op.parameters) {
    parts.push_back(parameter.name + (parameter.default_value ? "=" + json_text(*parameter.default_value) : ""));
  }
  return fmt::format("{}({})", op.name, fmt::join(parts, ", "));
}

std::string_view promotion_text(graph::Promotion promotion) {
  switch (promotion) {
    case graph::Promotion::kSame: return "one dtype";
    case graph::Promotion::kPromote: return "promoted";
    case graph::Promotion::kFloat: return "promoted, integers to f32";
    case graph::Promotion::kAccumulate: return "integers to i64";
    case graph::Promotion::kBool: return "all to bool";
    case graph::Promotion::kNone: break;
  }
  return "none";
}

bool takes_floats(const OpInput& input) {
  return input.differentiable && std::any_of(input.dtypes.begin(), input.dtypes.end(), graph::is_float);
}

std::string markdown_entry(const OpSpec& op) {
  std::vector<std::string> inputs, outputs;
  for (const OpInput& input : op.inputs) {
    inputs.push_back(fmt::format("`{}` {}", input.name, dtypes_text(input.dtypes)));
  }
  for (const auto& output : op.outputs) {
    outputs.push_back(fmt::format("`{}` {}{}", output.name, output.dtype, output.variadic ? ", a list" : ""));
  }
  std::string text = fmt::format("### {}\n\n`{}`\n\n{}\n\n", op.name, signature(op), op.doc);
  if (!op.aliases.empty()) text += fmt::format("Also called {}. ", fmt::join(op.aliases, ", "));
  text += fmt::format("Inputs: {}. Outputs: {}. Promotion: {}. Gradient: {}.\n\n",
                      inputs.empty() ? "none" : fmt::format("{}", fmt::join(inputs, "; ")), fmt::join(outputs, "; "),
                      promotion_text(op.promotion), differentiable(op) ? "yes" : "no");
  return text;
}

constexpr std::string_view kMarkdownHead =
    "# Operations\n\n"
    "Written by `alknet-opgen docs` from the op table (alknet/graph/ops). Inputs come first, then parameters in the "
    "order\n"
    "of their positions; `=` gives what they are when left out, `*` marks a list of tensors. The groups of dtypes: "
    "*all*,\n"
    "*number* (all but bool), *float* (f16, bf16, f32, f64), *integer*. Promotion follows PyTorch.\n\n";

}  // namespace

std::vector<const OpSpec*> operations_of(const graph::OpFamily& family, const graph::OpTable& ops) {
  std::vector<const OpSpec*> list;
  const Json entries = parse_json(family.text);
  for (const Json& entry : entries.as_array()) list.push_back(&ops.at(entry.at("name").as_string()));
  std::sort(list.begin(), list.end(), [](const OpSpec* a, const OpSpec* b) { return a->name < b->name; });
  return list;
}

bool differentiable(const OpSpec& op) {
  const auto fixed = graph::parse_dtype(op.outputs.front().dtype);
  if (fixed && !graph::is_float(*fixed)) return false;
  const bool ruled = op.elementwise() || op.composite() || op.data_dependent() || !op.backward.empty();
  return ruled && std::any_of(op.inputs.begin(), op.inputs.end(), takes_floats);
}

bool has_type(const Json& schema, std::string_view wanted) {
  const Json* type = schema.is_object() ? schema.get_object().if_contains("type") : nullptr;
  if (type == nullptr) return false;
  if (type->is_string()) return type->get_string() == wanted;
  const auto& list = type->get_array();
  return std::any_of(list.begin(), list.end(), [&](const Json& one) { return one.get_string() == wanted; });
}

std::vector<GeneratedFile> generate_documentation(const graph::OpTable& ops) {
  std::string text(kMarkdownHead);
  text += fmt::format("{} operations in {} families.\n\n", ops.ops().size(), graph::op_families().size());
  for (const auto& family : graph::op_families()) {
    const auto list = operations_of(family, ops);
    if (list.empty()) continue;
    std::string title(family.name);
    std::replace(title.begin(), title.end(), '_', ' ');
    title.front() = static_cast<char>(title.front() - 'a' + 'A');
    text += fmt::format("## {}\n\n", title);
    for (const OpSpec* op : list) text += markdown_entry(*op);
  }
  text.pop_back();
  return {{"operations.md", text}};
}

}  // namespace alknet::compute
