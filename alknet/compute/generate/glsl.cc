#include "alknet/compute/generate/glsl.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using graph::Dtype;

/// How a dtype lies in storage buffers, and which type kernels compute it in.
struct GlslStorage {
  Dtype dtype;
  std::string_view element, computed;
};
constexpr GlslStorage kGlslStorage[] = {
    {Dtype::kF32, "float", "float"},
    {Dtype::kI32, "int", "int"},
    {Dtype::kU32, "uint", "uint"},
    {Dtype::kBool, "uint", "bool"},
};

/// A type of parameters, and that of four of them.
struct GlslWord {
  WordType type;
  std::string_view name, vector;
};
constexpr GlslWord kGlslWords[] = {
    {WordType::kU32, "uint", "uvec4"}, {WordType::kI32, "int", "ivec4"}, {WordType::kF32, "float", "vec4"}};

const GlslWord& glsl_word(WordType type) {
  for (const GlslWord& word : kGlslWords) {
    if (word.type == type) return word;
  }
  throw Error(ComputeError::kUnsupported, fmt::format("GLSL has no parameters of {}; use WGSL", word_type_name(type)));
}

class GlslPrinter {
 public:
  explicit GlslPrinter(const KernelSpec& spec) : spec_(spec) {}

  std::string run() {
    if (spec_.pattern != "elementwise") {
      throw Error(ComputeError::kUnsupported,
                  fmt::format("[{}] there is no GLSL template \"{}\"; use WGSL", spec_.name, spec_.pattern),
                  {{"op", spec_.name}, {"template", spec_.pattern}});
    }
    parameters();
    std::uint32_t binding = 1;
    for (const auto& b : spec_.inputs) buffer(b, binding++, true);
    for (const auto& b : spec_.outputs) buffer(b, binding++, false);
    for (const auto& map : spec_.maps) index_map(map);
    for (const auto& f : spec_.functions) out_ += glsl_function(f.name, f.program);
    main();
    return fmt::format("#version 450\nlayout(local_size_x = {}) in;\n{}{}", spec_.workgroup_size[0], glsl_helpers(out_),
                       out_);
  }

 private:
  const GlslStorage& storage(Dtype dtype) const {
    for (const auto& row : kGlslStorage) {
      if (row.dtype == dtype) return row;
    }
    throw Error(
        ComputeError::kUnsupported,
        fmt::format("[{}] GLSL kernels do not store {}; use WGSL or .to('cpu')", spec_.name, graph::dtype_name(dtype)),
        {{"op", spec_.name}, {"dtype", graph::dtype_name(dtype)}});
  }

  void parameters() {
    out_ += "\nlayout(std140, set = 0, binding = 0) uniform Parameters {\n";
    for (const auto& p : spec_.parameters) {
      if (p.count == 0) out_ += fmt::format("  {} {};\n", glsl_word(p.type).name, p.name);
    }
    for (const auto& p : spec_.parameters) {
      if (p.count != 0) out_ += fmt::format("  {} {}[{}];\n", glsl_word(p.type).vector, p.name, p.count / 4);
    }
    out_ += "} p;\n";
  }

  void buffer(const KernelSpec::Buffer& b, std::uint32_t binding, bool input) {
    const GlslStorage& row = storage(b.dtype);
    out_ += fmt::format("\nlayout(std430, set = 0, binding = {0}) {1}buffer Buffer_{2} {{ {3} b_{2}[]; }};\n", binding,
                        input ? "readonly " : "", b.name, row.element);
    if (!input) return;
    if (b.dtype == Dtype::kBool) {
      out_ += fmt::format(
          "bool load_{0}(uint k) {{\n  uint i = p.{0}_offset + k;\n"
          "  return (b_{0}[i >> 2u] & (0xffu << ((i & 3u) * 8u))) != 0u;\n}}\n",
          b.name);
    } else {
      out_ += fmt::format("{1} load_{0}(uint k) {{ return b_{0}[p.{0}_offset + k]; }}\n", b.name, row.computed);
    }
  }

  void index_map(const KernelSpec::IndexMap& map) {
    const std::uint32_t vectors = map_stride(map) / 4;
    std::string members, inner, last, zeros;
    for (std::size_t k = 0; k < map.operands.size(); ++k) {
      const std::size_t word = k + 1;
      const std::string stride =
          fmt::format("p.{}_map[d * {}u + {}u].{}", map.name, vectors, word / 4, "xyzw"[word % 4]);
      members += fmt::format("  uint {};\n", map.operands[k]);
      zeros += k == 0 ? "0u" : ", 0u";
      inner += fmt::format("    at.{} += part * {};\n", map.operands[k], stride);
      last += fmt::format("  at.{} += rest * {};\n", map.operands[k], stride);
    }
    out_ += fmt::format(
        "\nstruct {0}_place {{\n{1}}};\n"
        "{0}_place locate_{0}(uint index) {{\n  {0}_place at = {0}_place({5});\n  uint rest = index;\n  uint d = 0u;\n"
        "  for (; d + 1u < p.{0}_rank; d += 1u) {{\n    uint size = p.{0}_map[d * {2}u].x;\n"
        "    uint part = rest % size;\n    rest = rest / size;\n{3}  }}\n{4}  return at;\n}}\n",
        map.name, members, vectors, inner, last, zeros);
  }

  std::string coordinate(std::int8_t which) const {
    if (which > 0) return "int(index)";
    std::string value = "index";
    for (int d = -1; d > which; --d) value += fmt::format(" / p.extent_{}", -d);
    return fmt::format("int(({}) % p.extent_{})", value, -which);
  }

  /// As the WGSL template: `elements_per_invocation` elements, packed where outputs are.
  void main() {
    const auto& program = spec_.function("apply")->program;
    std::string arguments, place;
    for (const auto& v : program.variables) {
      if (v.parameter) continue;
      const bool is_coordinate = v.coordinate != 0;
      arguments += arguments.empty() ? "" : ", ";
      arguments += is_coordinate ? coordinate(v.coordinate) : fmt::format("load_{0}(at.{0})", v.name);
      if (!is_coordinate) place = "    element_place at = locate_element(index);\n";
    }
    const auto result_type = [&]() -> std::string {
      if (program.outputs.size() > 1) return "apply_result";
      return std::string(storage(program.instructions[program.outputs[0].value].dtype).computed);
    };
    std::string begin, each, end;
    for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
      const auto& b = spec_.outputs[k];
      const std::string value = program.outputs.size() == 1 ? "result" : "result." + program.outputs[k].name;
      if (b.dtype == Dtype::kBool) {
        begin += fmt::format("  uint word_{} = 0u;\n", b.name);
        each += fmt::format("    word_{} |= ({} ? 1u : 0u) << (k * 8u);\n", b.name, value);
        end += fmt::format("  b_{0}[(p.{0}_offset + first) >> 2u] = word_{0};\n", b.name);
      } else {
        each += fmt::format("    b_{0}[p.{0}_offset + index] = {1};\n", b.name, value);
      }
    }
    out_ += fmt::format(
        "\nvoid main() {{\n"
        "  uint group = (gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y) * gl_NumWorkGroups.x"
        " + gl_WorkGroupID.x;\n"
        "  uint first = (group * {0}u + gl_LocalInvocationIndex) * {1}u;\n  if (first >= p.count) {{ return; }}\n{2}"
        "  for (uint k = 0u; k < {1}u && first + k < p.count; k += 1u) {{\n    uint index = first + k;\n{3}"
        "    {4} result = apply({5});\n{6}  }}\n{7}}}\n",
        spec_.workgroup_size[0], spec_.elements_per_invocation, begin, place, result_type(), arguments, each, end);
  }

  const KernelSpec& spec_;
  std::string out_;
};

}  // namespace

std::string GlslGenerator::generate(const KernelSpec& spec) const { return GlslPrinter(spec).run(); }

}  // namespace alknet::compute
