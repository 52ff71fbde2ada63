#pragma once

#include <utility>

#include "alknet/compute/backend.h"
#include "alknet/compute/device_gpu/matmul_choice.h"
#include "alknet/compute/device_gpu/parameter_block.h"
#include "alknet/compute/generate/kernel_spec.h"
#include "alknet/compute/generate/matmul_form.h"

namespace alknet::compute {

/// Fills in the parameters that follow from the shapes, strides and attributes of a binding: `count`, the index maps
/// and those of the kernel's pattern. Offsets of buffers and constants of the computation are the caller's.
/// Throws Error `internal` for a pattern that is not known here, `limit_exceeded` for sizes beyond 32 bits.
void bind_parameters(const Computation& computation, const KernelSpec& spec, const Binding& binding,
                     ParameterBlock& block);

/// How the operands of a matrix product may be read.
std::pair<MatmulReading, MatmulReading> matmul_readings(const Binding& binding);
/// Invocations that share a row of `length`: about four elements each, a power of two up to 256.
std::int64_t lanes_for(std::int64_t length);

/// Elements of a row of a softmax or norm that each of its invocations has, rounded up to what "kept" forms there are;
/// 0 where registers do not hold them.
std::uint32_t kept_elements(const Binding& binding);

/// Which form of attention suits the shapes and the device's workgroup memory (see OpgenOptions).
std::uint32_t attention_columns(const Binding& binding, std::uint32_t workgroup_storage);

/// How the keys of attention of few queries are shared out (see OpgenOptions::AttentionStage); one slice where more
/// would not pay.
MatmulSlices attention_slices(const Binding& binding);

/// `layout` seen as a tensor of `shape`: dimensions in front and sizes of 1 repeat with stride 0.
/// Throws Error `shape_mismatch`.
Strided broadcast_to(const Strided& layout, const Shape& shape);

}  // namespace alknet::compute
