#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace alknet::graph {

/// Element types of tensors in graphs and operations, spelled `bool`, `i8`, ... `f64`.
enum class Dtype : std::uint8_t { kBool, kI8, kU8, kI32, kU32, kI64, kF16, kBF16, kF32, kF64 };

inline constexpr std::array kAllDtypes = {Dtype::kBool, Dtype::kI8,  Dtype::kU8,   Dtype::kI32, Dtype::kU32,
                                          Dtype::kI64,  Dtype::kF16, Dtype::kBF16, Dtype::kF32, Dtype::kF64};

/// What numbers a dtype holds; orders promotion as PyTorch does: bool < integer < float.
enum class DtypeClass : std::uint8_t { kBool, kInteger, kFloat };

std::string_view dtype_name(Dtype dtype);
std::optional<Dtype> parse_dtype(std::string_view name);
std::size_t dtype_bytes(Dtype dtype);
DtypeClass dtype_class(Dtype dtype);
bool is_float(Dtype dtype);

/// Whether the dtype has the number exactly or, a float, as the nearest it has: integers have whole numbers in range
/// (i64: of magnitudes below 2^63), bool 0 and 1.
bool holds(Dtype dtype, double value);

/// The dtype of an operation on two tensors: PyTorch's rules; u32 with i8 or i32 gives i64, with u8 gives u32.
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
