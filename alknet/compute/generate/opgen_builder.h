#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/compute/generate/wgsl_storage.h"
#include "alknet/graph/op_program.h"

namespace alknet::compute {

inline constexpr std::uint32_t kElementwiseSize = 256;  ///< Invocations of a workgroup.

/// Builds a kernel's specification part by part.
class OpgenBuilder {
 public:
  OpgenBuilder(const Computation& computation, const OpgenOptions& options) : from_(computation), options_(options) {
    result_.spec.name = computation.name();
  }

  const Computation& from() const { return from_; }
  bool software() const { return options_.software; }
  const OpgenOptions& options() const { return options_; }

  /// Whether elements of the dtype share words.
  bool packed(Dtype dtype) const {
    const WgslStorage* row = wgsl_storage(dtype, !options_.packed_f16);
    return row != nullptr && row->packed();
  }
  KernelSpec& spec() { return result_.spec; }

  void number(std::string name, WordType type = WordType::kU32) {
    spec().parameters.push_back({std::move(name), type, 0});
  }
  void numbers(std::initializer_list<const char*> names) {
    for (const char* name : names) number(name);
  }

  void map(std::string name, std::vector<std::string> operands) {
    spec().maps.push_back({name, std::move(operands)});
    number(name + "_rank");
    spec().parameters.push_back({name + "_map", WordType::kU32, kMaxMapRank * map_stride(spec().maps.back())});
  }

  void workgroup(std::uint32_t size, std::string count) {
    spec().workgroup_size = {size, 1, 1};
    spec().workgroup_count = std::move(count);
  }

  bool has(std::size_t op_input) const { return from_.inputs[op_input].has_value(); }

  /// Buffers of the op's present inputs, named as in the op table.
  void op_inputs() {
    for (std::size_t i = 0; i < from_.op_inputs(); ++i) {
      if (has(i)) spec().inputs.push_back({from_.op->inputs[i].name, *from_.inputs[i]});
    }
  }

  void scratch(std::string name, Dtype dtype) { spec().inputs.push_back({std::move(name), dtype, false, {}, true}); }

  /// A function, and the parameters its program reads that are not there yet.
  void function(std::string name, graph::expr::Program program) {
    for (const auto& variable : program.variables) {
      if (!variable.parameter || spec().parameter(variable.name)) continue;
      number(variable.name, word_type(variable.dtype));
    }
    spec().functions.push_back({std::move(name), std::move(program)});
  }

  /// Outputs, the function "apply" and what it reads beside the pattern's result.
  GeneratedKernel finish() {
    if (spec().stores_directly) return finish_without_program();
    const bool plain = from_.program.outputs.empty();
    graph::expr::Program apply =
        plain ? identity(graph::compute_dtype(from_.outputs.front())) : compose(from_.program, result_.constants);
    const std::size_t first = from_.op ? 1 : 0;  // x0 is then the op's result
    std::vector<std::string> operands;
    for (std::size_t i = first; i < from_.program.inputs.size(); ++i) {
      const std::string name = fmt::format("x{}", i);
      const bool flat = !from_.op && options_.flat;
      if (!flat) operands.push_back(name);
      spec().inputs.push_back({name, from_.program.inputs[i], flat && (options_.single >> i & 1) == 0});
      if (i < options_.in_place.size() && options_.in_place[i]) {
        spec().inputs.back().in_place = fmt::format("y{}", *options_.in_place[i]);
      }
    }
    for (std::size_t k = 0; k < from_.outputs.size(); ++k) {
      spec().outputs.push_back({fmt::format("y{}", k), from_.outputs[k], !from_.op && options_.flat});
      if (!from_.op && packed(from_.outputs[k])) spec().elements_per_invocation = 4;
      if (from_.strided) operands.push_back(spec().outputs.back().name);
    }
    if (from_.strided && spec().elements_per_invocation != 1) {
      throw Error(ComputeError::kUnsupported,
                  fmt::format("[{}] a part of a packed tensor cannot be written; use i32, or .to('cpu')", spec().name));
    }
    if (!operands.empty()) map("element", std::move(operands));
    int extents = 0;
    for (const auto& variable : apply.variables) extents = std::max(extents, -variable.coordinate);
    for (int d = 1; d <= extents; ++d) number(fmt::format("extent_{}", d));
    if (!from_.op && options_.flat) flat(is_short(apply));
    function("apply", std::move(apply));
    return finish_parameters();
  }

 private:
  GeneratedKernel finish_without_program() {
    if (!from_.program.outputs.empty()) {
      throw Error(
          ComputeError::kUnsupported,
          fmt::format("[{}] the GPU has no kernel that goes on computing with places; use .to('cpu')", spec().name),
          {{"op", spec().name}});
    }
    for (std::size_t k = 0; k < from_.outputs.size(); ++k) {
      spec().outputs.push_back({fmt::format("y{}", k), from_.outputs[k]});
    }
    return finish_parameters();
  }

  /// "elementwise_flat": a vector of 4 elements an invocation, or two where programs are short.
  void flat(bool is_short) {
    spec().values = {{"written_out", is_short}};
    spec().elements_per_invocation = is_short ? 8 : 4;
    const std::uint32_t elements = kElementwiseSize * spec().elements_per_invocation;
    workgroup(kElementwiseSize, fmt::format("(count + {})//{}", elements - 1, elements));
  }

  /// Few instructions, none of them a function that takes many.
  static bool is_short(const graph::expr::Program& program) {
    using graph::expr::Opcode;
    constexpr std::size_t kFew = 24;
    const auto is_cheap = [](const graph::expr::Instruction& step) {
      const auto info = graph::expr::opcode_info(step.opcode);
      const bool one =
          step.opcode == Opcode::kAbs || step.opcode == Opcode::kMaximum || step.opcode == Opcode::kMinimum;
      return step.dtype != Dtype::kI64 && step.opcode != Opcode::kRemainder && (!info.function || one);
    };
    return program.instructions.size() <= kFew &&
           std::all_of(program.instructions.begin(), program.instructions.end(), is_cheap);
  }

  GeneratedKernel finish_parameters() {
    number("count");
    for (const auto& buffer : spec().inputs) number(buffer.name + "_offset");
    for (const auto& buffer : spec().outputs) number(buffer.name + "_offset");
    if (spec().checks_indices) number("error_id");
    return std::move(result_);
  }

  static WordType word_type(Dtype dtype) {
    if (graph::is_float(dtype)) return WordType::kF32;
    const bool is_signed = dtype == Dtype::kI32 || dtype == Dtype::kI8 || dtype == Dtype::kI64;
    return is_signed ? WordType::kI32 : WordType::kU32;
  }

  static graph::expr::Program identity(Dtype dtype) {
    graph::expr::Program program;
    program.variables = {{"x0", dtype, false}};
    graph::expr::Instruction read;
    read.opcode = graph::expr::Opcode::kVariable;
    read.dtype = dtype;
    program.instructions = {read};
    program.outputs = {{"y0", 0}};
    return program;
  }

  const Computation& from_;
  OpgenOptions options_;
  GeneratedKernel result_;
};

/// Several invocations share a row: the parameter `lanes`, a power of two up to 256, of them, which "join_lanes" calls
/// put together as values of `type` by the pattern's function "joined".
void share_rows(OpgenBuilder& builder, WordType type);

/// Builds a reduction (opgen_rows.cc).
void opgen_reduction(OpgenBuilder& builder);

/// Builds the kernels of templates that normalise rows (opgen_rows.cc); false for others.
bool opgen_rows(OpgenBuilder& builder, std::string_view name);

/// Builds the kernels of templates that pick, place, order and scan elements (opgen_indexing.cc); false for others.
bool opgen_indexing(OpgenBuilder& builder, std::string_view name);

/// Those that read weights in blocks (opgen_quantized.cc).
bool opgen_quantized(OpgenBuilder& builder, std::string_view name);

}  // namespace alknet::compute
