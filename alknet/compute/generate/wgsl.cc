#include "alknet/compute/generate/wgsl.h"

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/wgsl_blocks.h"
#include "alknet/compute/generate/wgsl_storage.h"

namespace alknet::compute {
namespace {

using graph::Dtype;

const WgslStorage& storage(const KernelSpec& spec, Dtype dtype, bool shader_f16) {
  if (const WgslStorage* row = wgsl_storage(dtype, shader_f16)) return *row;
  throw Error(ComputeError::kUnsupported,
              fmt::format("[{}] this GPU has no kernels for {}; use .to('cpu')", spec.name, graph::dtype_name(dtype)),
              {{"op", spec.name}, {"dtype", graph::dtype_name(dtype)}});
}

bool is_byte(Dtype dtype) { return dtype == Dtype::kI8 || dtype == Dtype::kU8; }

/// Prints one kernel; `out` grows from the declarations to the entry point.
class Printer {
 public:
  Printer(const KernelSpec& spec, const WgslOptions& options) : spec_(spec), options_(options) {}

  std::string run() {
    const auto is_f16 = [&](const KernelSpec::Buffer& b) { return b.dtype == Dtype::kF16 && options_.shader_f16; };
    if (std::any_of(spec_.inputs.begin(), spec_.inputs.end(), is_f16) ||
        std::any_of(spec_.outputs.begin(), spec_.outputs.end(), is_f16)) {
      out_ += "enable f16;\n";
    }
    if (spec_.values.contains("subgroup_matrix")) {
      out_ +=
          "enable subgroups;\nenable chromium_experimental_subgroup_matrix;\n"
          "diagnostic(off, chromium.subgroup_matrix_uniformity);  // a subgroup's part of a tile is its own\n";
    } else if (spec_.values.contains("subgroups")) {
      out_ += "enable subgroups;\n";
    }
    parameters();
    std::uint32_t binding = 1;
    for (const auto& b : spec_.inputs) input(b, b.in_place.empty() ? binding++ : 0);
    for (const auto& b : spec_.outputs) output(b, binding++);
    if (spec_.checks_indices) errors(binding);
    for (const auto& v : spec_.workgroup_variables) {
      out_ += fmt::format("var<workgroup> {}: array<{}, {}>;\n", v.name, word_type_name(v.type), v.count);
    }
    out_ += kWorkgroupIndex;
    for (const auto& map : spec_.maps) index_map(map);
    for (const auto& f : spec_.functions) out_ += wgsl_function(f.name, f.program);
    if (!spec_.stores_directly) coordinates();
    if (spec_.pattern == "elementwise_flat") {
      flat_store();
    } else if (spec_.pattern == "elementwise") {
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
    if (graph::is_block(b.dtype)) {
      out_ += fmt::format("\n@group(0) @binding({}) var<storage, read> b_{}: array<u32>;\n", binding, b.name);
      out_ += wgsl_block_load(b.name, b.dtype);
      return;
    }
    const WgslStorage& row = storage(spec_, b.dtype, options_.shader_f16);
    if (!b.in_place.empty()) {
      out_ += wgsl_load(b.name, row, b.in_place);
      return;
    }
    const bool vectors = b.vectors && !row.packed();
    out_ += fmt::format("\n@group(0) @binding({}) var<storage, read> b_{}: array<{}>;\n", binding, b.name,
                        vectors ? fmt::format("vec4<{}>", row.element) : std::string(row.element));
    out_ += vectors ? wgsl_vector_load(b.name, row) : wgsl_load(b.name, row);
    if (b.vectors && row.bits == 8) {
      out_ += fmt::format("fn word_{0}(k: u32) -> u32 {{ return b_{0}[(p.{0}_offset + k) / 4u]; }}\n", b.name);
    }
    if (b.vectors && row.packed()) {
      out_ += fmt::format(
          "fn load4_{0}(k: u32) -> vec4<{1}> {{\n"
          "  return vec4<{1}>(load_{0}(k), load_{0}(k + 1u), load_{0}(k + 2u), load_{0}(k + 3u));\n}}\n",
          b.name, row.computed);
    }
    if (spec_.checks_indices && !graph::is_float(b.dtype)) index(b, row);
  }

  /// `index_NAME(k)`: an element as an i32; one that does not fit is out of any range.
  void index(const KernelSpec::Buffer& b, const WgslStorage& row) {
    std::string_view value = "i32(value)";
    if (b.dtype == Dtype::kU32) value = "bitcast<i32>(min(value, 0x7fffffffu))";
    if (row.computed == "vec2<u32>") {
      value =
          "select(select(2147483647, i32(-2147483648), (value.y >> 31u) != 0u), bitcast<i32>(value.x), "
          "value.y == bitcast<u32>(bitcast<i32>(value.x) >> 31u))";
    }
    out_ +=
        fmt::format("fn index_{0}(k: u32) -> i32 {{\n  let value = load_{0}(k);\n  return {1};\n}}\n", b.name, value);
  }

  /// Packed outputs: an element-wise invocation writes whole words; elsewhere invocations that share a word change
  /// only their own bits of it.
  void output(const KernelSpec::Buffer& b, std::uint32_t binding) {
    const WgslStorage& row = storage(spec_, b.dtype, options_.shader_f16);
    const bool words = spec_.pattern.starts_with("elementwise");
    if (b.vectors && !row.packed()) {
      out_ += fmt::format(
          "\n@group(0) @binding({0}) var<storage, read_write> b_{1}: array<vec4<{2}>>;\n"
          "fn store4_{1}(first: u32, value: vec4<{3}>) {{\n  let at = (p.{1}_offset + first) / 4u;\n{4}"
          "  b_{1}[at] = vec4<{2}>(value);\n}}\n",
          binding, b.name, row.element, row.computed, ragged_store(b.name, row));
      return;
    }
    out_ += fmt::format("\n@group(0) @binding({}) var<storage, read_write> b_{}: array<{}>;\n", binding, b.name,
                        row.packed() && !words ? "atomic<u32>" : row.element);
    if (row.packed() && words) {
      out_ += fmt::format("fn store_word_{0}(k: u32, word: u32) {{ b_{0}[(p.{0}_offset + k) / {1}u] = word; }}\n",
                          b.name, row.per_word());
      out_ += fmt::format("fn pack_{}(value: {}) -> u32 {{ return {}; }}\n", b.name, row.computed, row.pack);
    } else {
      out_ += wgsl_store(b.name, row);
    }
  }

  /// The part of a vector before the end, written out: a vector that is indexed by a variable leaves its registers.
  static std::string ragged_store(std::string_view name, const WgslStorage& row) {
    std::string text = "  if (first + 4u > p.count) {\n";
    for (std::size_t lane = 0; lane < 3; ++lane) {
      text += fmt::format("    if (first + {0}u < p.count) {{ b_{1}[at].{2} = {3}(value.{2}); }}\n", lane, name,
                          "xyzw"[lane], row.element);
    }
    return text + "    return;\n  }\n";
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

  /// Functions from a linear index to the coordinates that "apply" reads.
  void coordinates() {
    const auto* apply = spec_.function("apply");
    if (apply == nullptr) return;
    for (const auto& v : apply->program.variables) {
      if (v.coordinate == 0) continue;
      std::string value = "index";
      for (int d = -1; v.coordinate < 0 && d > v.coordinate; --d) value += fmt::format(" / p.extent_{}", -d);
      if (v.coordinate < 0) value = fmt::format("({}) % p.extent_{}", value, -v.coordinate);
      value = fmt::format("i32({})", value);
      if (v.dtype == Dtype::kI64) value = fmt::format("i64_from_i32({})", value);
      out_ += fmt::format("\nfn {}_of(index: u32) -> {} {{ return {}; }}\n", v.name, wgsl_type(v.dtype), value);
    }
  }

  /// A call of "apply" for the output element `index`, and before it the place of its operands.
  std::string apply_call(std::string_view indent) {
    const auto& program = spec_.function("apply")->program;
    std::string arguments, place;
    for (const auto& v : program.variables) {
      if (v.parameter) continue;
      if (!arguments.empty()) arguments += ", ";
      if (v.coordinate != 0) {
        arguments += fmt::format("{}_of(index)", v.name);
        continue;
      }
      const bool loaded = spec_.input(v.name) != nullptr;
      arguments += loaded ? fmt::format("load_{0}(at.{0})", v.name) : "value";
      if (loaded || strided()) place = fmt::format("{}let at = locate_element(index);\n", indent);
    }
    return fmt::format("{}{}let result = apply({});\n", place, indent, arguments);
  }

  /// Whether outputs have places of their own among the operands.
  bool strided() const {
    return std::any_of(spec_.maps.begin(), spec_.maps.end(), [&](const KernelSpec::IndexMap& map) {
      return !spec_.outputs.empty() &&
             std::find(map.operands.begin(), map.operands.end(), spec_.outputs.front().name) != map.operands.end();
    });
  }

  std::string result_member(std::size_t k) const {
    const auto& outputs = spec_.function("apply")->program.outputs;
    return outputs.size() == 1 ? "result" : "result." + outputs[k].name;
  }

  void store() {
    const auto& program = spec_.function("apply")->program;
    Dtype result = Dtype::kF32;  // of the pattern
    for (const auto& v : program.variables) {
      if (!v.parameter && v.coordinate == 0 && !spec_.input(v.name)) result = v.dtype;
    }
    out_ += fmt::format("\nfn store(index: u32, {}: {}) {{\n", is_byte(result) ? "wide" : "value", wgsl_type(result));
    if (result == Dtype::kI8) out_ += "  let value = (wide << 24u) >> 24u;\n";  // sums wrap before what follows
    if (result == Dtype::kU8) out_ += "  let value = wide & 0xffu;\n";
    out_ += apply_call("  ");
    for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
      const std::string& name = spec_.outputs[k].name;
      out_ += fmt::format("  store_{}({}, {});\n", name, strided() ? "at." + name : "index", result_member(k));
    }
    out_ += "}\n";
  }

  void elementwise_store() {
    if (spec_.elements_per_invocation == 1) {
      out_ += fmt::format("\nfn store(index: u32) {{\n{}", apply_call("  "));
      for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
        const std::string& name = spec_.outputs[k].name;
        out_ += fmt::format("  store_{}({}, {});\n", name, strided() ? "at." + name : "index", result_member(k));
      }
      out_ += "}\n";
      return;
    }
    std::string begin, each, end;
    for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
      const auto& b = spec_.outputs[k];
      const WgslStorage& row = storage(spec_, b.dtype, options_.shader_f16);
      if (row.packed()) {
        // Words that begin behind the last element belong to somebody else.
        const std::uint32_t per_word = row.per_word(), words = spec_.elements_per_invocation / per_word;
        begin += fmt::format("  var words_{}: array<u32, {}>;\n", b.name, words);
        each += fmt::format("    words_{0}[k / {1}u] |= pack_{0}({2}) << ((k % {1}u) * {3}u);\n", b.name, per_word,
                            result_member(k), row.bits);
        end += fmt::format(
            "  for (var w = 0u; w < {1}u && first + w * {2}u < p.count; w += 1u) {{\n"
            "    store_word_{0}(first + w * {2}u, words_{0}[w]);\n  }}\n",
            b.name, words, per_word);
      } else {
        each += fmt::format("    store_{}(index, {});\n", b.name, result_member(k));
      }
    }
    out_ += fmt::format(
        "\nfn store(first: u32) {{\n{}  for (var k = 0u; k < {}u && first + k < p.count; k += 1u) {{\n"
        "    let index = first + k;\n{}{}  }}\n{}}}\n",
        begin, spec_.elements_per_invocation, apply_call("    "), each, end);
  }

  /// `fetch(first)` reads 4 elements of each operand, `put(operands)` computes and writes 4 of each output: apart, so
  /// that several reads are on their way before the first write. Long programs are not written out four times.
  void flat_store() {
    const auto& program = spec_.function("apply")->program;
    std::string members = "  first: u32,\n", reads, results;
    for (const auto& v : program.variables) {
      const auto* b = spec_.input(v.name);
      if (v.parameter || v.coordinate != 0 || b == nullptr || !b->vectors) continue;
      members += fmt::format("  {}: vec4<{}>,\n", v.name, storage(spec_, b->dtype, options_.shader_f16).computed);
      reads += fmt::format("  read.{0} = load4_{0}(first);\n", v.name);
    }
    const auto apply = [&](std::string_view lane) {
      std::string arguments;
      for (const auto& v : program.variables) {
        if (v.parameter) continue;
        if (!arguments.empty()) arguments += ", ";
        if (v.coordinate != 0) {
          arguments += fmt::format("{}_of(read.first + {})", v.name, lane);
        } else {
          arguments += spec_.input(v.name)->vectors ? fmt::format("read.{}[{}]", v.name, lane)
                                                    : fmt::format("load_{}(0u)", v.name);
        }
      }
      return fmt::format("apply({})", arguments);
    };
    const auto assign = [&](std::string_view lane) {
      std::string text = fmt::format("    let result = {};\n", apply(lane));
      for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
        text += fmt::format("    {}[{}] = {};\n", spec_.outputs[k].name, lane, result_member(k));
      }
      return text;
    };
    for (const auto& b : spec_.outputs) {
      results += fmt::format("  var {}: vec4<{}>;\n", b.name, storage(spec_, b.dtype, options_.shader_f16).computed);
    }
    if (spec_.values.at("written_out").as_bool()) {
      for (const char* lane : {"0u", "1u", "2u", "3u"}) results += fmt::format("  {{\n{}  }}\n", assign(lane));
    } else {
      results += fmt::format("  for (var lane = 0u; lane < 4u; lane += 1u) {{\n{}  }}\n", assign("lane"));
    }
    for (const auto& b : spec_.outputs) results += store_vector(b);
    out_ += fmt::format(
        "\nstruct Operands {{\n{}}}\n"
        "fn fetch(first: u32) -> Operands {{\n  var read: Operands;\n  read.first = first;\n{}  return read;\n}}\n"
        "fn put(read: Operands) {{\n{}}}\n",
        members, reads, results);
  }

  std::string store_vector(const KernelSpec::Buffer& b) const {
    const WgslStorage& row = storage(spec_, b.dtype, options_.shader_f16);
    if (!row.packed()) return fmt::format("  store4_{0}(read.first, {0});\n", b.name);
    // Words that begin behind the last element belong to somebody else.
    std::string text;
    for (std::uint32_t first = 0; first < 4; first += row.per_word()) {
      std::string word;
      for (std::uint32_t i = 0; i < row.per_word(); ++i) {
        word += fmt::format("{0}(pack_{1}({1}[{2}]) << {3}u)", i == 0 ? "" : " | ", b.name, first + i, i * row.bits);
      }
      text += fmt::format("  if (read.first + {0}u < p.count) {{ store_word_{1}(read.first + {0}u, {2}); }}\n", first,
                          b.name, word);
    }
    return text;
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
    for (const char* shared :
         {"attention_mask", "attention_vectors", "join_lanes", "matmul_place", "matmul_sums", "quantized_input"}) {
      data.set(shared, kainjow::mustache::partial([this, shared] { return std::string(options_.pattern(shared)); }));
    }
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
