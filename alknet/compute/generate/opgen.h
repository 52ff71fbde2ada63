#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/compute/generate/kernel_spec.h"
#include "alknet/compute/generate/matmul_form.h"

namespace alknet::compute {

/// Keys of a slice of attention (OpgenOptions::AttentionStage) at most; also a multiple of what slices are made of.
inline constexpr std::int64_t kMostSliceKeys = 1024;

/// A kernel's specification, with the values of those parameters that the computation itself fixes (scalars and
/// attributes of its element-wise steps): computations that differ only there share one source.
struct GeneratedKernel {
  KernelSpec spec;
  std::vector<std::pair<std::string, double>> constants;
};

struct OpgenOptions {
  /// Patterns without workgroup memory and barriers, for devices that run on a CPU.
  bool software = false;
  /// Whether f16 lies packed in words, for devices without `shader-f16`.
  bool packed_f16 = false;
  /// Rows of a workgroup of a product with weights in blocks; 0: a tile of many.
  std::uint32_t quantized_rows = 0;
  /// The form of a matrix product on hardware.
  MatmulForm matmul = {};
  /// Of element-wise operations: all tensors lie in the order of the outputs without gaps, from a multiple of 4
  /// elements on, or are one element (`single`, a bit an input); none is i64.
  bool flat = false;
  std::uint32_t single = 0;
  /// Invocations of the smallest subgroup, where the device has subgroups of neighbouring invocations; else 0.
  std::uint32_t smallest_subgroup = 0;
  /// Elements of a row that each invocation of "softmax_tree" and "layer_norm_tree" holds in registers; 0: the row is
  /// too long.
  std::uint32_t kept = 0;
  /// Columns of the result that a workgroup of "attention_tiled" has, 64 or 128; 0: attention without workgroup memory.
  std::uint32_t attention_columns = 0;
  /// Attention of few queries in two dispatches: slices of the keys, and what joins them.
  enum class AttentionStage : std::uint8_t { kAll, kSlices, kSum };
  AttentionStage attention_stage = AttentionStage::kAll;
  /// Long lines: "sort" and "scatter" read what dispatches before them have sorted (see opgen_sort.h).
  bool sorted = false;
  /// By input of an element-wise computation: the output that lies in its memory with its layout. Empty: no input.
  std::vector<std::optional<std::uint32_t>> in_place = {};
  friend bool operator==(const OpgenOptions&, const OpgenOptions&) = default;
};

/// Turns a computation into a kernel's specification.
///
/// Buffers are named as the op's inputs; those of the element-wise program are `x0`, `x1`, ... by their place in
/// `ElementwiseProgram::inputs`, outputs `y0`, `y1`, .... Every kernel has the parameter `count` (elements of an
/// output) and for each buffer NAME `NAME_offset` (elements). Throws Error `unsupported` for an operation that no
/// pattern computes.
GeneratedKernel opgen(const Computation& computation, const OpgenOptions& options = {});

/// The steps of an element-wise program as one expression program. Tensors are named x0, x1, ...; scalars and
/// attributes become parameters whose values are appended to `constants`.
graph::expr::Program compose(const ElementwiseProgram& program, std::vector<std::pair<std::string, double>>& constants);

}  // namespace alknet::compute
