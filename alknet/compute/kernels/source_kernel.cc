#include "alknet/compute/kernels/source_kernel.h"

#include "alknet/base/base64.h"
#include "alknet/compute/kernels/kernel_problems.h"
#include "alknet/graph/graph.h"
#include "alknet/schema/schema.h"

namespace alknet::compute {
namespace {

constexpr std::array<std::string_view, 3> kLanguages = {"wgsl", "spirv", "glsl"};  // in the order of ShaderLanguage

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "required": ["name", "language", "source", "outputs"],
  "additionalProperties": false,
  "properties": {
    "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_./-]{0,127}$"},
    "language": {"enum": ["wgsl", "glsl", "spirv"]},
    "source": {"type": "string", "minLength": 1, "maxLength": 4194304},
    "entry": {"$ref": "#/$defs/identifier"},
    "parameters": {"type": "array", "maxItems": 64, "items": {
      "type": "object", "required": ["name", "dtype"], "additionalProperties": false,
      "properties": {
        "name": {"$ref": "#/$defs/identifier"},
        "dtype": {"enum": ["f32", "i32", "u32"]},
        "value": {"$ref": "#/$defs/expression"},
        "default": {"type": "number"}}}},
    "inputs": {"type": "array", "maxItems": 32, "items": {
      "type": "object", "required": ["name", "dtype"], "additionalProperties": false,
      "properties": {
        "name": {"$ref": "#/$defs/identifier"},
        "dtype": {"$ref": "#/$defs/dtype"},
        "shape": {"$ref": "#/$defs/shape"}}}},
    "outputs": {"type": "array", "minItems": 1, "maxItems": 32, "items": {
      "type": "object", "required": ["name", "dtype", "shape"], "additionalProperties": false,
      "properties": {
        "name": {"$ref": "#/$defs/identifier"},
        "dtype": {"$ref": "#/$defs/dtype"},
        "shape": {"anyOf": [{"$ref": "#/$defs/shape"}, {"$ref": "#/$defs/identifier"}]}}}},
    "workgroup_size": {"type": "array", "minItems": 1, "maxItems": 3,
      "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
    "workgroups": {"anyOf": [{"$ref": "#/$defs/expression"},
      {"type": "array", "minItems": 1, "maxItems": 3, "items": {"$ref": "#/$defs/expression"}}]}
  },
  "$defs": {
    "identifier": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$"},
    "dtype": {"enum": ["bool", "i8", "u8", "i32", "u32", "i64", "f16", "bf16", "f32"]},
    "expression": {"type": ["integer", "string"], "maxLength": 1024},
    "shape": {"type": "array", "maxItems": 32, "items": {"$ref": "#/$defs/expression"}}
  }
})json";

Json dim_json(const graph::Dim& dim) {
  if (const auto constant = dim.constant()) return *constant;
  return Json(dim.text());
}

JsonArray shape_json(const graph::SymbolicShape& shape) {
  JsonArray list;
  for (const auto& dim : shape) list.push_back(dim_json(dim));
  return list;
}

/// Reads what the schema has accepted; expressions may still be wrong.
class Reader {
 public:
  explicit Reader(KernelProblems& problems) : problems_(problems) {}

  SourceKernel read(const JsonObject& json) {
    SourceKernel kernel;
    kernel.name = json.at("name").as_string();
    const auto language =
        std::find(kLanguages.begin(), kLanguages.end(), std::string_view(json.at("language").as_string()));
    kernel.language = static_cast<gpu::ShaderLanguage>(language - kLanguages.begin());
    kernel.source = source(kernel.language, json.at("source").as_string());
    if (const Json* entry = json.if_contains("entry")) kernel.entry = entry->as_string();
    each(json, "parameters", [&](const JsonObject& p, const std::string& path) {
      SourceKernel::Parameter parameter{std::string(p.at("name").as_string()),
                                        *word_type_of(p.at("dtype").as_string())};
      if (const Json* value = p.if_contains("value")) parameter.value = dim(*value, path + "/value");
      if (const Json* value = p.if_contains("default")) parameter.default_value = value->to_number<double>();
      kernel.parameters.push_back(std::move(parameter));
    });
    each(json, "inputs", [&](const JsonObject& i, const std::string& path) {
      SourceKernel::Input input{std::string(i.at("name").as_string()), dtype(i)};
      if (const Json* given = i.if_contains("shape")) input.shape = shape(given->as_array(), path + "/shape");
      kernel.inputs.push_back(std::move(input));
    });
    each(json, "outputs", [&](const JsonObject& o, const std::string& path) {
      SourceKernel::Output output{std::string(o.at("name").as_string()), dtype(o)};
      const Json& given = o.at("shape");
      if (const auto* list = given.if_array()) output.shape = shape(*list, path + "/shape");
      if (const auto* input = given.if_string()) output.same_as = *input;
      kernel.outputs.push_back(std::move(output));
    });
    if (const Json* size = json.if_contains("workgroup_size")) {
      kernel.workgroup_size = {1, 1, 1};
      const JsonArray& list = size->as_array();
      for (std::size_t d = 0; d < list.size(); ++d) (*kernel.workgroup_size)[d] = list[d].to_number<std::uint32_t>();
    }
    if (const Json* counts = json.if_contains("workgroups")) {
      kernel.folds = !counts->is_array();
      kernel.workgroups =
          kernel.folds ? graph::SymbolicShape{dim(*counts, "/workgroups")} : shape(counts->as_array(), "/workgroups");
    }
    return kernel;
  }

 private:
  template <typename Each>
  static void each(const JsonObject& json, std::string_view member, const Each& read_one) {
    const Json* list = json.if_contains(member);
    if (list == nullptr) return;
    std::size_t index = 0;
    for (const Json& item : list->as_array()) {
      read_one(item.as_object(), "/" + std::string(member) + "/" + std::to_string(index++));
    }
  }

  std::string source(gpu::ShaderLanguage language, std::string_view text) {
    if (language != gpu::ShaderLanguage::kSpirv) return std::string(text);
    const auto bytes = parse_base64(text);
    if (!bytes) problems_.add("/source", "SPIR-V is given as base64, which this is not");
    return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : std::string();
  }

  static graph::Dtype dtype(const JsonObject& json) { return *graph::parse_dtype(json.at("dtype").as_string()); }

  graph::Dim dim(const Json& json, const std::string& path) {
    try {
      return graph::dim_from_attribute(json);
    } catch (const Error& error) {
      problems_.add(path, error.message());
      return {};
    }
  }

  graph::SymbolicShape shape(const JsonArray& list, const std::string& path) {
    graph::SymbolicShape result;
    for (std::size_t d = 0; d < list.size(); ++d) result.push_back(dim(list[d], path + "/" + std::to_string(d)));
    return result;
  }

  KernelProblems& problems_;
};

}  // namespace

std::string_view language_name(gpu::ShaderLanguage language) { return kLanguages[static_cast<std::size_t>(language)]; }

Json to_json(const SourceKernel& kernel) {
  JsonObject json{{"name", kernel.name}, {"language", language_name(kernel.language)}};
  json["source"] = kernel.language == gpu::ShaderLanguage::kSpirv ? base64_text(std::as_bytes(std::span(kernel.source)))
                                                                  : kernel.source;
  json["entry"] = kernel.entry;
  JsonArray parameters, inputs, outputs;
  for (const auto& parameter : kernel.parameters) {
    JsonObject entry{{"name", parameter.name}, {"dtype", word_type_name(parameter.type)}};
    if (parameter.value) entry["value"] = dim_json(*parameter.value);
    if (parameter.default_value) entry["default"] = *parameter.default_value;
    parameters.push_back(std::move(entry));
  }
  for (const auto& input : kernel.inputs) {
    JsonObject entry{{"name", input.name}, {"dtype", graph::dtype_name(input.dtype)}};
    if (input.shape) entry["shape"] = shape_json(*input.shape);
    inputs.push_back(std::move(entry));
  }
  for (const auto& output : kernel.outputs) {
    outputs.push_back({{"name", output.name},
                       {"dtype", graph::dtype_name(output.dtype)},
                       {"shape", output.same_as.empty() ? Json(shape_json(output.shape)) : Json(output.same_as)}});
  }
  json["parameters"] = std::move(parameters);
  json["inputs"] = std::move(inputs);
  json["outputs"] = std::move(outputs);
  if (kernel.workgroup_size) {
    json["workgroup_size"] = JsonArray(kernel.workgroup_size->begin(), kernel.workgroup_size->end());
  }
  if (kernel.folds && !kernel.workgroups.empty()) {
    json["workgroups"] = dim_json(kernel.workgroups.front());
  } else if (!kernel.workgroups.empty()) {
    json["workgroups"] = shape_json(kernel.workgroups);
  }
  return json;
}

SourceKernel source_kernel_from_json(const Json& json) {
  const schema::Schema schema = schema::Schema::parse(kSchema);
  const Json* name = json.is_object() ? json.get_object().if_contains("name") : nullptr;
  KernelProblems problems(name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string());
  for (const auto& problem : schema.validate(json, {.max_errors = 100})) {
    problems.add(problem.instance_path, problem.message);
  }
  problems.throw_if_any();
  SourceKernel kernel = Reader(problems).read(json.get_object());
  problems.throw_if_any();
  check_source_kernel(kernel);
  return kernel;
}

KernelSpec interface_of(const SourceKernel& kernel) {
  KernelSpec spec;
  spec.name = kernel.name;
  for (const auto& parameter : kernel.parameters) spec.parameters.push_back({parameter.name, parameter.type});
  for (const auto& input : kernel.inputs) spec.inputs.push_back({input.name, input.dtype});
  for (const auto& output : kernel.outputs) spec.outputs.push_back({output.name, output.dtype});
  if (kernel.workgroup_size) spec.workgroup_size = *kernel.workgroup_size;
  return spec;
}

}  // namespace alknet::compute
