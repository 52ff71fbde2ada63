#include "alknet/compute/generate/kernel_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::OpcodeInfo;
using graph::expr::Program;

constexpr std::array<std::string_view, 10> kWordTypes = {"u32",       "i32", "f32",       "bool",      "vec2<u32>",
                                                         "vec4<f32>", "f16", "vec2<f32>", "vec4<u32>", "vec4<i32>"};

template <typename T>
const T* find_named(const std::vector<T>& list, std::string_view name) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const T& entry) { return entry.name == name; });
  return it == list.end() ? nullptr : &*it;
}

[[noreturn]] void refuse(std::string_view what, std::string_view member) {
  throw Error(BaseError::kInvalidArgument, fmt::format("[kernel spec] {}: {}", member, what), {{"member", member}});
}

// ---- writing --------------------------------------------------------------------------------------------------------

/// "variable", "constant", "cast" or the opcode's spelling; the number of arguments tells "-" from "-".
std::string_view opcode_text(Opcode opcode) {
  switch (opcode) {
    case Opcode::kConstant: return "constant";
    case Opcode::kVariable: return "variable";
    case Opcode::kCast: return "cast";
    default: return graph::expr::opcode_info(opcode).spelling;
  }
}

/// JSON has no infinities or NaN.
Json constant_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return value;
}

Json program_json(const Program& program) {
  JsonArray variables;
  for (const auto& v : program.variables) {
    JsonObject entry{{"name", v.name}, {"dtype", graph::dtype_name(v.dtype)}, {"parameter", v.parameter}};
    if (v.coordinate != 0) entry["coordinate"] = v.coordinate;
    variables.push_back(std::move(entry));
  }
  JsonArray instructions;
  for (const auto& step : program.instructions) {
    JsonObject entry{{"op", opcode_text(step.opcode)}, {"dtype", graph::dtype_name(step.dtype)}};
    if (step.opcode == Opcode::kVariable) entry["index"] = step.index;
    if (step.opcode == Opcode::kConstant) entry["constant"] = constant_json(step.constant);
    JsonArray arguments;
    for (std::size_t k = 0; k < graph::expr::opcode_info(step.opcode).arity; ++k) {
      arguments.push_back(step.arguments[k]);
    }
    if (!arguments.empty()) entry["arguments"] = std::move(arguments);
    instructions.push_back(std::move(entry));
  }
  JsonArray outputs;
  for (const auto& output : program.outputs) outputs.push_back({{"name", output.name}, {"value", output.value}});
  return {
      {"variables", std::move(variables)}, {"instructions", std::move(instructions)}, {"outputs", std::move(outputs)}};
}

Json buffers_json(const std::vector<KernelSpec::Buffer>& buffers) {
  JsonArray list;
  for (const auto& b : buffers) {
    list.push_back({{"name", b.name},
                    {"dtype", graph::dtype_name(b.dtype)},
                    {"vectors", b.vectors},
                    {"in_place", b.in_place},
                    {"scratch", b.scratch}});
  }
  return list;
}

// ---- reading --------------------------------------------------------------------------------------------------------

const Json& member(const Json& json, std::string_view name) {
  const auto* object = json.if_object();
  const Json* value = object ? object->if_contains(name) : nullptr;
  if (!value) refuse("is missing", name);
  return *value;
}

std::string text(const Json& json, std::string_view name) {
  const auto* value = member(json, name).if_string();
  if (!value) refuse("must be a string", name);
  return std::string(*value);
}

bool boolean(const Json& json, std::string_view name) {
  const auto* value = member(json, name).if_bool();
  if (!value) refuse("must be true or false", name);
  return *value;
}

std::uint32_t number(const Json& value, std::string_view name) {
  boost::system::error_code error;
  const auto result = value.to_number<std::uint32_t>(error);
  if (error) refuse("must be a whole number", name);
  return result;
}

const JsonArray& list(const Json& json, std::string_view name) {
  const auto* value = member(json, name).if_array();
  if (!value) refuse("must be a list", name);
  return *value;
}

graph::Dtype dtype(const Json& json) {
  const auto parsed = graph::parse_dtype(text(json, "dtype"));
  if (!parsed) refuse("is no dtype", "dtype");
  return *parsed;
}

WordType word_type(const Json& json) {
  const std::string name = text(json, "type");
  const auto type = word_type_of(name);
  if (!type) refuse("must be u32, i32, f32, bool, vec2<u32>, vec4<f32>, f16, vec2<f32> or vec4<u32>", "type");
  return *type;
}

double constant(const Json& json) {
  const Json& value = member(json, "constant");
  if (const auto* name = value.if_string()) {
    if (*name == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (*name == "inf") return std::numeric_limits<double>::infinity();
    if (*name == "-inf") return -std::numeric_limits<double>::infinity();
  }
  boost::system::error_code error;
  const auto result = value.to_number<double>(error);
  if (error) refuse("must be a number, \"inf\", \"-inf\" or \"nan\"", "constant");
  return result;
}

Instruction instruction(const Json& json, std::size_t position) {
  const std::string op = text(json, "op");
  const bool leaf = op == "constant" || op == "variable";
  const std::size_t count = leaf ? 0 : list(json, "arguments").size();
  Instruction step;
  const auto table = graph::expr::opcode_table();
  const auto it = std::find_if(table.begin(), table.end(), [&](const OpcodeInfo& info) {
    return opcode_text(info.opcode) == op && info.arity == count;
  });
  if (it == table.end()) refuse(fmt::format("there is no \"{}\" of {} arguments", op, count), "op");
  step.opcode = it->opcode;
  step.dtype = dtype(json);
  if (step.opcode == Opcode::kVariable) step.index = number(member(json, "index"), "index");
  if (step.opcode == Opcode::kConstant) step.constant = constant(json);
  for (std::size_t k = 0; k < count; ++k) {
    step.arguments[k] = number(list(json, "arguments")[k], "arguments");
    if (step.arguments[k] >= position) refuse("must be earlier instructions", "arguments");
  }
  return step;
}

std::int8_t coordinate(const Json& variable) {
  const Json* value = variable.as_object().if_contains("coordinate");
  if (value == nullptr) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::int8_t>(error);
  if (error || number < -graph::expr::kMaxCoordinates || number > graph::expr::kLinearIndex) {
    refuse(fmt::format("must be -{} to {}", graph::expr::kMaxCoordinates, graph::expr::kLinearIndex), "coordinate");
  }
  return number;
}

Program program(const Json& json) {
  Program result;
  for (const Json& v : list(json, "variables")) {
    result.variables.push_back({text(v, "name"), dtype(v), boolean(v, "parameter"), coordinate(v)});
  }
  for (const Json& step : list(json, "instructions")) {
    result.instructions.push_back(instruction(step, result.instructions.size()));
    const auto& last = result.instructions.back();
    if (last.opcode == Opcode::kVariable && last.index >= result.variables.size()) {
      refuse("is beyond the variables", "index");
    }
  }
  for (const Json& output : list(json, "outputs")) {
    const std::uint32_t value = number(member(output, "value"), "value");
    if (value >= result.instructions.size()) refuse("is beyond the instructions", "value");
    result.outputs.push_back({text(output, "name"), value});
  }
  return result;
}

std::vector<KernelSpec::Buffer> buffers(const Json& json, std::string_view name) {
  std::vector<KernelSpec::Buffer> result;
  for (const Json& b : list(json, name)) {
    result.push_back({text(b, "name"), dtype(b), boolean(b, "vectors"), text(b, "in_place"), boolean(b, "scratch")});
  }
  return result;
}

}  // namespace

std::optional<WordType> word_type_of(std::string_view name) {
  const auto it = std::find(kWordTypes.begin(), kWordTypes.end(), name);
  if (it == kWordTypes.end()) return std::nullopt;
  return static_cast<WordType>(it - kWordTypes.begin());
}

std::string_view word_type_name(WordType type) { return kWordTypes[static_cast<std::size_t>(type)]; }

const KernelSpec::Buffer* KernelSpec::input(std::string_view input_name) const {
  return find_named(inputs, input_name);
}
const KernelSpec::Parameter* KernelSpec::parameter(std::string_view parameter_name) const {
  return find_named(parameters, parameter_name);
}
const KernelSpec::Function* KernelSpec::function(std::string_view function_name) const {
  return find_named(functions, function_name);
}

std::uint32_t map_stride(const KernelSpec::IndexMap& map) {
  return (static_cast<std::uint32_t>(map.operands.size()) + 1 + 3) / 4 * 4;
}

ParameterLayout parameter_layout(const KernelSpec& spec) {
  ParameterLayout layout;
  layout.words.resize(spec.parameters.size());
  for (std::size_t i = 0; i < spec.parameters.size(); ++i) {
    if (spec.parameters[i].count == 0) layout.words[i] = layout.total++;
  }
  layout.total = (layout.total + 3) / 4 * 4;
  for (std::size_t i = 0; i < spec.parameters.size(); ++i) {
    if (spec.parameters[i].count == 0) continue;
    layout.words[i] = layout.total;
    layout.total += (spec.parameters[i].count + 3) / 4 * 4;
  }
  return layout;
}

Json to_json(const KernelSpec& spec) {
  JsonArray parameters, maps, variables, functions;
  for (const auto& p : spec.parameters) {
    parameters.push_back({{"name", p.name}, {"type", word_type_name(p.type)}, {"count", p.count}});
  }
  for (const auto& map : spec.maps) {
    maps.push_back({{"name", map.name}, {"operands", JsonArray(map.operands.begin(), map.operands.end())}});
  }
  for (const auto& v : spec.workgroup_variables) {
    variables.push_back({{"name", v.name}, {"type", word_type_name(v.type)}, {"count", v.count}});
  }
  for (const auto& f : spec.functions) functions.push_back({{"name", f.name}, {"program", program_json(f.program)}});
  return {{"name", spec.name},
          {"parameters", std::move(parameters)},
          {"inputs", buffers_json(spec.inputs)},
          {"outputs", buffers_json(spec.outputs)},
          {"maps", std::move(maps)},
          {"workgroup_size", JsonArray(spec.workgroup_size.begin(), spec.workgroup_size.end())},
          {"workgroup_count", spec.workgroup_count},
          {"workgroup_variables", std::move(variables)},
          {"pattern", spec.pattern},
          {"values", spec.values},
          {"functions", std::move(functions)},
          {"elements_per_invocation", spec.elements_per_invocation},
          {"checks_indices", spec.checks_indices},
          {"stores_directly", spec.stores_directly}};
}

KernelSpec kernel_spec_from_json(const Json& json) {
  KernelSpec spec;
  spec.name = text(json, "name");
  for (const Json& p : list(json, "parameters")) {
    spec.parameters.push_back({text(p, "name"), word_type(p), number(member(p, "count"), "count")});
  }
  spec.inputs = buffers(json, "inputs");
  spec.outputs = buffers(json, "outputs");
  for (const Json& map : list(json, "maps")) {
    spec.maps.push_back({text(map, "name"), {}});
    for (const Json& operand : list(map, "operands")) {
      if (!operand.is_string()) refuse("must be names", "operands");
      spec.maps.back().operands.emplace_back(operand.get_string());
    }
  }
  const JsonArray& size = list(json, "workgroup_size");
  if (size.size() != spec.workgroup_size.size()) refuse("must be three numbers", "workgroup_size");
  for (std::size_t i = 0; i < size.size(); ++i) spec.workgroup_size[i] = number(size[i], "workgroup_size");
  spec.workgroup_count = text(json, "workgroup_count");
  for (const Json& v : list(json, "workgroup_variables")) {
    spec.workgroup_variables.push_back({text(v, "name"), word_type(v), number(member(v, "count"), "count")});
  }
  spec.pattern = text(json, "pattern");
  if (!member(json, "values").is_object()) refuse("must be an object", "values");
  spec.values = member(json, "values").get_object();
  for (const Json& f : list(json, "functions")) {
    spec.functions.push_back({text(f, "name"), program(member(f, "program"))});
  }
  spec.elements_per_invocation = number(member(json, "elements_per_invocation"), "elements_per_invocation");
  spec.checks_indices = boolean(json, "checks_indices");
  spec.stores_directly = boolean(json, "stores_directly");
  return spec;
}

}  // namespace alknet::compute
