#include "alknet/compute/generate/wgsl.h"

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using graph::Dtype;

/// How a dtype lies in storage buffers, and which type kernels compute it in. i64 holds places only: those beyond i32
/// read as the lowest i32, which is no place.
struct Storage {
  Dtype dtype;
  std::string_view element;  // of the buffer's array
  std::string_view computed;
};
constexpr Storage kStorage[] = {
    {Dtype::kF32, "f32", "f32"}, {Dtype::kI32, "i32", "i32"},   {Dtype::kU32, "u32", "u32"},
    {Dtype::kF16, "f16", "f32"}, {Dtype::kBool, "u32", "bool"}, {Dtype::kI64, "vec2<i32>", "i32"},
};

const Storage& storage(const KernelSpec& spec, Dtype dtype, bool shader_f16) {
  for (const auto& row : kStorage) {
    if (row.dtype == dtype && (dtype != Dtype::kF16 || shader_f16)) return row;
  }
  throw Error(ComputeError::kUnsupported,
              fmt::format("[{}] this GPU has no kernels for {}; use .to('cpu')", spec.name, graph::dtype_name(dtype)),
              {{"op", spec.name}, {"dtype", graph::dtype_name(dtype)}});
}

/// Prints one kernel; `out` grows from the declarations to the entry point.
class Printer {
 public:
  Printer(const KernelSpec& spec, const WgslOptions& options) : spec_(spec), options_(options) {}

  std::string run() {
    const auto is_f16 = [](const KernelSpec::Buffer& b) { return b.dtype == Dtype::kF16; };
    if (std::any_of(spec_.inputs.begin(), spec_.inputs.end(), is_f16) ||
        std::any_of(spec_.outputs.begin(), spec_.outputs.end(), is_f16)) {
      out_ += "enable f16;\n\n";
    }
    parameters();
    std::uint32_t binding = 1;
    for (const auto& b : spec_.inputs) input(b, binding++);
    for (const auto& b : spec_.outputs) output(b, binding++);
    if (spec_.checks_indices) errors(binding);
    for (const auto& v : spec_.workgroup_variables) {
      out_ += fmt::format("var<workgroup> {}: array<{}, {}>;\n", v.name, word_type_name(v.type), v.count);
    }
    out_ += kWorkgroupIndex;
    for (const auto& map : spec_.maps) index_map(map);
    for (const auto& f : spec_.functions) out_ += wgsl_function(f.name, f.program);
    if (spec_.pattern == "elementwise") {
      elementwise_store();
    } else if (!spec_.stores_directly) {
      store();
    }
    out_ += pattern();
    out_ += wgsl_helpers(out_);
    return std::move(out_);
  }

 private:
  static constexpr std::string_view kWorkgroupIndex = R"(
fn workgroup_index(id: vec3<u32>, counts: vec3<u32>) -> u32 {
  return (id.z * counts.y + id.y) * counts.x + id.x;
}
)";

  void parameters() {
    out_ += "struct Parameters {\n";
    for (const auto& p : spec_.parameters) {
      if (p.count == 0) out_ += fmt::format("  {}: {},\n", p.name, word_type_name(p.type));
    }
    for (const auto& p : spec_.parameters) {
      if (p.count != 0)
        out_ += fmt::format("  {}: array<vec4<{}>, {}>,\n", p.name, word_type_name(p.type), p.count / 4);
    }
    out_ += "}\n@group(0) @binding(0) var<uniform> p: Parameters;\n";
  }

  void input(const KernelSpec::Buffer& b, std::uint32_t binding) {
    const Storage& row = storage(spec_, b.dtype, options_.shader_f16);
    out_ += fmt::format("\n@group(0) @binding({}) var<storage, read> b_{}: array<{}>;\n", binding, b.name, row.element);
    if (b.dtype == Dtype::kBool) {
      out_ += fmt::format(
          "fn load_{0}(k: u32) -> bool {{\n  let i = p.{0}_offset + k;\n"
          "  return (b_{0}[i >> 2u] & (0xffu << ((i & 3u) * 8u))) != 0u;\n}}\n",
          b.name);
      return;
    }
    if (b.dtype == Dtype::kI64) {
      out_ += fmt::format(
          "fn load_{0}(k: u32) -> i32 {{\n  let value = b_{0}[p.{0}_offset + k];\n"
          "  return select(i32(-2147483648), value.x, value.y == (value.x >> 31u));\n}}\n",
          b.name);
      return;
    }
    const std::string element = fmt::format("b_{0}[p.{0}_offset + k]", b.name);
    out_ += fmt::format("fn load_{}(k: u32) -> {} {{ return {}; }}\n", b.name, row.computed,
                        row.element == row.computed ? element : fmt::format("{}({})", row.computed, element));
  }

  /// Packed outputs: an element-wise invocation writes whole words; elsewhere invocations that share a word change
  /// only their own byte of it, atomically.
  void output(const KernelSpec::Buffer& b, std::uint32_t binding) {
    const Storage& row = storage(spec_, b.dtype, options_.shader_f16);
    const bool packed = b.dtype == Dtype::kBool;
    const bool words = spec_.pattern == "elementwise";
    out_ += fmt::format("\n@group(0) @binding({}) var<storage, read_write> b_{}: array<{}>;\n", binding, b.name,
                        packed && !words ? "atomic<u32>" : row.element);
    if (packed && words) {
      out_ +=
          fmt::format("fn store_word_{0}(k: u32, word: u32) {{ b_{0}[(p.{0}_offset + k) >> 2u] = word; }}\n", b.name);
    } else if (packed) {
      out_ += fmt::format(
          "fn store_{0}(k: u32, value: bool) {{\n  let i = p.{0}_offset + k;\n  let shift = (i & 3u) * 8u;\n"
          "  atomicAnd(&b_{0}[i >> 2u], ~(0xffu << shift));\n"
          "  atomicOr(&b_{0}[i >> 2u], select(0u, 1u, value) << shift);\n}}\n",
          b.name);
    } else if (b.dtype == Dtype::kI64) {
      out_ += fmt::format(
          "fn store_{0}(k: u32, value: i32) {{ b_{0}[p.{0}_offset + k] = vec2<i32>(value, value >> 31u); }}\n", b.name);
    } else {
      out_ += fmt::format("fn store_{0}(k: u32, value: {1}) {{ b_{0}[p.{0}_offset + k] = {2}; }}\n", b.name,
                          row.computed, row.element == row.computed ? "value" : fmt::format("{}(value)", row.element));
    }
  }

  /// Words: how many bad indices, then kernel, index and size of the first.
  void errors(std::uint32_t binding) {
    out_ += fmt::format(
        "\n@group(0) @binding({}) var<storage, read_write> errors: array<atomic<u32>, 4>;\n"
        "fn report_error(index: i32, size: u32) {{\n  if (atomicAdd(&errors[0], 1u) != 0u) {{ return; }}\n"
        "  atomicStore(&errors[1], p.error_id);\n  atomicStore(&errors[2], bitcast<u32>(index));\n"
        "  atomicStore(&errors[3], size);\n}}\n",
        binding);
  }

  void index_map(const KernelSpec::IndexMap& map) {
    const std::uint32_t vectors = map_stride(map) / 4;
    std::string members, inner, last;
    for (std::size_t k = 0; k < map.operands.size(); ++k) {
      const std::size_t word = k + 1;
      members += fmt::format("  {}: u32,\n", map.operands[k]);
      inner += fmt::format("    at.{} += part * p.{}_map[d * {}u + {}u].{};\n", map.operands[k], map.name, vectors,
                           word / 4, "xyzw"[word % 4]);
      last += fmt::format("  at.{} += rest * p.{}_map[d * {}u + {}u].{};\n", map.operands[k], map.name, vectors,
                          word / 4, "xyzw"[word % 4]);
    }
    out_ += fmt::format(
        "\nstruct {0}_place {{\n{1}}}\n"
        "fn locate_{0}(index: u32) -> {0}_place {{\n  var at: {0}_place;\n  var rest = index;\n  var d = 0u;\n"
        "  for (; d + 1u < p.{0}_rank; d += 1u) {{\n    let size = p.{0}_map[d * {2}u].x;\n"
        "    let part = rest % size;\n    rest = rest / size;\n{3}  }}\n{4}  return at;\n}}\n",
        map.name, members, vectors, inner, last);
  }

  /// A call of "apply" for the output element `index`, and before it the place of its operands.
  std::string apply_call(std::string_view indent) {
    const auto& program = spec_.function("apply")->program;
    std::string arguments, place;
    for (const auto& v : program.variables) {
      if (v.parameter) continue;
      if (!arguments.empty()) arguments += ", ";
      const bool loaded = spec_.input(v.name) != nullptr;
      arguments += loaded ? fmt::format("load_{0}(at.{0})", v.name) : "value";
      if (loaded) place = fmt::format("{}let at = locate_element(index);\n", indent);
    }
    return fmt::format("{}{}let result = apply({});\n", place, indent, arguments);
  }

  std::string result_member(std::size_t k) const {
    const auto& outputs = spec_.function("apply")->program.outputs;
    return outputs.size() == 1 ? "result" : "result." + outputs[k].name;
  }

  void store() {
    const auto& program = spec_.function("apply")->program;
    std::string_view value_type = "f32";
    for (const auto& v : program.variables) {
      if (!v.parameter && !spec_.input(v.name)) value_type = storage(spec_, v.dtype, true).computed;
    }
    out_ += fmt::format("\nfn store(index: u32, value: {}) {{\n{}", value_type, apply_call("  "));
    for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
      out_ += fmt::format("  store_{}(index, {});\n", spec_.outputs[k].name, result_member(k));
    }
    out_ += "}\n";
  }

  void elementwise_store() {
    if (spec_.elements_per_invocation == 1) {
      out_ += fmt::format("\nfn store(index: u32) {{\n{}", apply_call("  "));
      for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
        out_ += fmt::format("  store_{}(index, {});\n", spec_.outputs[k].name, result_member(k));
      }
      out_ += "}\n";
      return;
    }
    std::string begin, each, end;
    for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
      const auto& b = spec_.outputs[k];
      if (b.dtype == Dtype::kBool) {
        begin += fmt::format("  var word_{} = 0u;\n", b.name);
        each += fmt::format("    word_{} |= select(0u, 1u, {}) << (k * 8u);\n", b.name, result_member(k));
        end += fmt::format("  store_word_{0}(first, word_{0});\n", b.name);
      } else {
        each += fmt::format("    store_{}(index, {});\n", b.name, result_member(k));
      }
    }
    out_ += fmt::format(
        "\nfn store(first: u32) {{\n{}  for (var k = 0u; k < {}u && first + k < p.count; k += 1u) {{\n"
        "    let index = first + k;\n{}{}  }}\n{}}}\n",
        begin, spec_.elements_per_invocation, apply_call("    "), each, end);
  }

  std::string pattern() const {
    const std::string_view text = options_.pattern ? options_.pattern(spec_.pattern) : std::string_view();
    if (text.empty()) {
      throw Error(ComputeError::kUnsupported,
                  fmt::format("[{}] there is no WGSL template \"{}\"", spec_.name, spec_.pattern),
                  {{"op", spec_.name}, {"template", spec_.pattern}});
    }
    kainjow::mustache::mustache renderer{std::string(text)};
    renderer.set_custom_escape([](const std::string& value) { return value; });
    kainjow::mustache::data data;
    data.set("size", std::to_string(spec_.workgroup_size[0]));
    data.set("elements", std::to_string(spec_.elements_per_invocation));
    for (const auto& [key, value] : spec_.values) {
      if (const bool* flag = value.if_bool()) {
        data.set(key, *flag);
      } else {
        data.set(key, value.is_string() ? std::string(value.get_string()) : json_text(value));
      }
    }
    std::string rendered = renderer.render(data);
    if (!renderer.is_valid()) {
      throw Error(BaseError::kInternal, fmt::format("template {}: {}", spec_.pattern, renderer.error_message()));
    }
    return '\n' + rendered;
  }

  const KernelSpec& spec_;
  const WgslOptions& options_;
  std::string out_;
};

}  // namespace

std::string WgslGenerator::generate(const KernelSpec& spec) const { return Printer(spec, options_).run(); }

}  // namespace alknet::compute
