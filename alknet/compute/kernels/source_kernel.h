#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/compute/generate/kernel_spec.h"
#include "alknet/gpu/pipeline.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// A kernel that a user wrote: its source, and what it reads and writes. Plain data.
///
/// Bindings of group 0: 0 the parameter block (uniform: one word a parameter, in order; a kernel without parameters
/// leaves it out), then the inputs (read-only storage), then the outputs (storage, all zeros when the kernel starts).
/// Tensors are contiguous; bool, i8, u8, f16 and bf16 lie packed in words, i64 in two words. docs/kernels.md explains
/// it by examples.
///
/// Expressions (see graph::Dim) may name: the dimensions that input shapes name, `NAME_count` (elements of the input
/// NAME), and integer parameters that are given with a call.
struct SourceKernel {
  struct Parameter {
    std::string name;
    WordType type = WordType::kU32;            ///< kU32, kI32 or kF32.
    std::optional<graph::Dim> value = {};      ///< Computed; otherwise it is given with a call.
    std::optional<double> default_value = {};  ///< For calls that do not give it.
    friend bool operator==(const Parameter&, const Parameter&) = default;
  };

  struct Input {
    std::string name;
    graph::Dtype dtype = graph::Dtype::kF32;
    /// A lone name binds a dimension, numbers and expressions must be met. None: any shape.
    std::optional<graph::SymbolicShape> shape = {};
    friend bool operator==(const Input&, const Input&) = default;
  };

  struct Output {
    std::string name;
    graph::Dtype dtype = graph::Dtype::kF32;
    graph::SymbolicShape shape = {};
    std::string same_as = {};  ///< The input whose shape it has, instead of `shape`.
    friend bool operator==(const Output&, const Output&) = default;
  };

  std::string name;
  gpu::ShaderLanguage language = gpu::ShaderLanguage::kWgsl;
  std::string source;  ///< Text; the bytes of SPIR-V.
  std::string entry = "main";
  std::vector<Parameter> parameters = {};
  std::vector<Input> inputs = {};
  std::vector<Output> outputs = {};
  /// As the source says; none: read from the source.
  std::optional<std::array<std::uint32_t, 3>> workgroup_size = {};
  /// How many workgroups a call runs: up to three counts, or a total (see `folds`). Empty: each call says it.
  graph::SymbolicShape workgroups = {};
  /// `workgroups` is one total, which is laid out in two dimensions where one does not hold it; the source then finds
  /// its place by `num_workgroups`.
  bool folds = false;

  friend bool operator==(const SourceKernel&, const SourceKernel&) = default;
};

/// "wgsl", "glsl", "spirv".
std::string_view language_name(gpu::ShaderLanguage language);

/// The JSON form, whose schema is in source_kernel.cc; `source` of SPIR-V is base64 there.
Json to_json(const SourceKernel& kernel);

/// Reads that form. Throws Error `kernel_invalid` that lists every problem; details has `problems` [{path, message}],
/// paths being JSON pointers.
SourceKernel source_kernel_from_json(const Json& json);

/// Throws the same for what a program filled in.
void check_source_kernel(const SourceKernel& kernel);

/// Parameters, inputs, outputs and workgroup size as a generated kernel has them; no pattern.
KernelSpec interface_of(const SourceKernel& kernel);

}  // namespace alknet::compute
