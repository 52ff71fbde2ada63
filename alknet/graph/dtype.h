#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace alknet::graph {

/// Element types of tensors in graphs and operations, spelled `bool`, `i8`, ... `f64`; and the block formats of GGUF
/// (`q4_0`, ... `q6_k`), in which weights are stored: see is_block.
enum class Dtype : std::uint8_t {
  kBool,
  kI8,
  kU8,
  kI32,
  kU32,
  kI64,
  kF16,
  kBF16,
  kF32,
  kF64,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K
};

/// What operations compute on.

inline constexpr std::array kAllDtypes = {Dtype::kBool, Dtype::kI8,  Dtype::kU8,   Dtype::kI32, Dtype::kU32,
                                          Dtype::kI64,  Dtype::kF16, Dtype::kBF16, Dtype::kF32, Dtype::kF64};

inline constexpr std::array kBlockDtypes = {Dtype::kQ4_0, Dtype::kQ4_1, Dtype::kQ5_0, Dtype::kQ5_1, Dtype::kQ8_0,
                                            Dtype::kQ2_K, Dtype::kQ3_K, Dtype::kQ4_K, Dtype::kQ5_K, Dtype::kQ6_K};

/// What numbers a dtype holds; orders promotion as PyTorch does: bool < integer < float.
enum class DtypeClass : std::uint8_t { kBool, kInteger, kFloat };

std::string_view dtype_name(Dtype dtype);
std::optional<Dtype> parse_dtype(std::string_view name);

/// Bytes of an element; of a block where is_block: what holds any dtype is sized by `storage_bytes`.
std::size_t dtype_bytes(Dtype dtype);

/// Whether values are stored in blocks of `block_values` along the last dimension, a whole number of them in a row
/// (ggml/src/ggml-common.h; alknet/tensor/block_formats.h has the fields). Shapes and strides count values. Only the
/// operations that name such a dtype take it (`linear`, `quantized_matmul`, `dequantize`); it takes no part in
/// promotion and is no float, though its values are.
bool is_block(Dtype dtype);

/// Values of a block; 1 for other dtypes.
std::int64_t block_values(Dtype dtype);

/// Bytes of so many elements in a row; of a block dtype they are whole blocks.
std::size_t storage_bytes(Dtype dtype, std::int64_t elements);

/// Alignment in bytes that kernels need: that of an element; 1 for blocks.
std::size_t dtype_alignment(Dtype dtype);

DtypeClass dtype_class(Dtype dtype);
bool is_float(Dtype dtype);

/// Whether the dtype has the number exactly or, a float, as the nearest it has: integers have whole numbers in range
/// (i64: of magnitudes below 2^63), bool 0 and 1.
bool holds(Dtype dtype, double value);

/// The dtype of an operation on two tensors, not of blocks: PyTorch's rules; u32 with i8 or i32 gives i64, with u8
/// gives u32.
Dtype promote(Dtype a, Dtype b);

/// The dtype of an operation on a tensor and a weak scalar of a kind: the tensor's unless the scalar's class is higher.
Dtype promote_scalar(Dtype tensor, DtypeClass scalar);

/// The dtype that a scalar of a kind has where no tensor decides: bool, i64 or f32.
Dtype scalar_dtype(DtypeClass scalar);

/// The dtype in which kernels compute on `dtype`: f32 for f16 and bf16, itself otherwise.
Dtype compute_dtype(Dtype dtype);

/// The difference between 1 and the next number; 0 for integers and bool.
double dtype_epsilon(Dtype dtype);

}  // namespace alknet::graph
