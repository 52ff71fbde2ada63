#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// How a dtype lies in storage buffers and what kernels compute it in. WGSL has no 8-bit and no bf16 storage: such
/// elements are packed in words of 32 bits, the first in the lowest bits.
struct WgslStorage {
  graph::Dtype dtype;
  std::string_view element;   ///< Of the buffer's array.
  std::string_view computed;  ///< What `load_NAME` returns and `store_NAME` takes.
  std::uint32_t bits = 0;     ///< Of a packed element; 0: an element is one of the array's.
  std::string_view unpack;    ///< An expression of `raw`, the element's bits; empty where not packed.
  std::string_view pack;      ///< An expression of `value` that has only the element's bits.

  bool packed() const { return bits != 0; }
  std::uint32_t per_word() const { return 32 / bits; }
};

/// The storage of a dtype; f16 is packed where the device lacks `shader-f16`. Null for f64, which WGSL lacks.
const WgslStorage* wgsl_storage(graph::Dtype dtype, bool shader_f16);

/// The type in which WGSL computes a value of a compute dtype: f32, i32 (also i8), u32 (also u8), bool, vec2<u32> (i64:
/// low word, high word). Throws Error `unsupported` for f64.
std::string_view wgsl_type(graph::Dtype dtype);

/// `load_NAME(k)` of an input buffer: element k from its offset. With `in_place` its elements are those of that output.
std::string wgsl_load(std::string_view name, const WgslStorage& storage, std::string_view in_place = {});

/// `load_NAME(k)` and `load4_NAME(k)` of an input buffer that is an array of vectors of 4 unpacked elements.
std::string wgsl_vector_load(std::string_view name, const WgslStorage& storage);

/// `store_NAME(k, value)` of an output buffer. Elements of one word are stored by several invocations, so each changes
/// its own bits alone, atomically: the buffer's array is of atomic<u32>.
std::string wgsl_store(std::string_view name, const WgslStorage& storage);

}  // namespace alknet::compute
