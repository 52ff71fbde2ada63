#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dtype.h"
#include "alknet/graph/expr/program.h"

namespace alknet::compute {

/// Types of a kernel's parameters (one 32-bit word each: kU32, kI32, kF32) and of its workgroup variables (all).
enum class WordType : std::uint8_t { kU32, kI32, kF32, kBool, kI64, kVec4, kF16, kVec2, kWords4, kInts4 };
std::string_view word_type_name(WordType type);  ///< WGSL's: "u32", "i32", "f32", "bool", "vec2<u32>", "vec4<f32>",
                                                 ///< "f16", "vec2<f32>", "vec4<u32>", "vec4<i32>"
std::optional<WordType> word_type_of(std::string_view name);

/// What a kernel reads, writes and computes, in no language yet: plain data that a ShaderGenerator prints.
///
/// A body is a pattern (a template's name, with the values of its placeholders) and functions: expression programs that
/// the pattern calls. The function "apply" turns the pattern's result into the stored outputs.
struct KernelSpec {
  /// A number, or an array of numbers, known when the kernel is bound.
  struct Parameter {
    std::string name;
    WordType type = WordType::kU32;
    std::uint32_t count = 0;  ///< 0: a single number; else the length of an array, a multiple of 4.
    friend bool operator==(const Parameter&, const Parameter&) = default;
  };

  /// A tensor. Patterns read element k by `load_NAME(k)`.
  struct Buffer {
    std::string name;
    graph::Dtype dtype = graph::Dtype::kF32;
    bool vectors =
        false;  ///< Elements k to k + 3 are read by `load4_NAME(k)` as well: k + the offset is a multiple of 4.
    /// Of an input: the output in whose memory it lies, element by element; it has no binding of its own. Else empty.
    std::string in_place = {};
    bool scratch = false;  ///< Memory between the dispatches of one kernel, no operand of the computation.
    friend bool operator==(const Buffer&, const Buffer&) = default;
  };

  /// Turns a linear index over some dimensions into the element offsets of some inputs, whatever their strides:
  /// `locate_NAME(index)` in patterns. Its table is the parameters `NAME_rank` and `NAME_map`.
  struct IndexMap {
    std::string name;
    std::vector<std::string> operands;
    friend bool operator==(const IndexMap&, const IndexMap&) = default;
  };

  /// Memory that the invocations of a workgroup share.
  struct WorkgroupVariable {
    std::string name;
    WordType type = WordType::kF32;
    std::uint32_t count = 1;
    friend bool operator==(const WorkgroupVariable&, const WorkgroupVariable&) = default;
  };

  /// A program whose variables are arguments by name, or parameters (`NAME` of `parameters`).
  struct Function {
    std::string name;
    graph::expr::Program program;
    friend bool operator==(const Function& a, const Function& b) {
      return a.name == b.name && a.program.variables == b.program.variables &&
             a.program.instructions == b.program.instructions && a.program.outputs == b.program.outputs;
    }
  };

  std::string name;  ///< For people: "matmul+add".
  std::vector<Parameter> parameters;
  std::vector<Buffer> inputs;
  std::vector<Buffer> outputs;
  std::vector<IndexMap> maps;
  std::array<std::uint32_t, 3> workgroup_size = {64, 1, 1};
  std::string workgroup_count;  ///< Of all dimensions together: an expression of the single u32 parameters, as a Dim.
  std::vector<WorkgroupVariable> workgroup_variables;
  std::string pattern;  ///< "elementwise", "reduce_loop", "matmul_tiled", ...
  JsonObject values;    ///< Placeholders of the pattern: strings, numbers and booleans.
  std::vector<Function> functions;
  std::uint32_t elements_per_invocation = 1;  ///< Of "elementwise": 4 where outputs are packed four to a word.
  bool checks_indices = false;                ///< The pattern reports bad indices through `report_error(index)`.
  bool stores_directly = false;               ///< The pattern calls `store_OUTPUT(index, value)`; nothing is applied.

  const Buffer* input(std::string_view input_name) const;
  const Parameter* parameter(std::string_view parameter_name) const;
  const Function* function(std::string_view function_name) const;

  friend bool operator==(const KernelSpec&, const KernelSpec&) = default;
};

/// Most dimensions that an IndexMap's table holds: the highest rank of a tensor.
inline constexpr std::uint32_t kMaxMapRank = 32;

/// Numbers that one dimension takes in the table of `map`: its size and a stride per operand, rounded up to 4.
std::uint32_t map_stride(const KernelSpec::IndexMap& map);

/// Where each parameter lies in the kernel's parameter block: single numbers first, then the arrays, 16-byte aligned.
struct ParameterLayout {
  std::vector<std::uint32_t> words;  ///< Parallel to KernelSpec::parameters: index of the first word.
  std::uint32_t total = 0;           ///< Words of the block, a multiple of 4.
};
ParameterLayout parameter_layout(const KernelSpec& spec);

Json to_json(const KernelSpec& spec);

/// Reads what `to_json` wrote. Throws Error `invalid_argument` naming the member at fault.
KernelSpec kernel_spec_from_json(const Json& json);

}  // namespace alknet::compute
