#include "alknet/graph/dtype.h"

#include <algorithm>
#include <cmath>

namespace alknet::graph {
namespace {

struct DtypeRow {
  std::string_view name;
  std::size_t bytes;
  DtypeClass dtype_class;
};

/// In the order of the enum.
constexpr std::array<DtypeRow, kAllDtypes.size()> kRows = {{
    {"bool", 1, DtypeClass::kBool},
    {"i8", 1, DtypeClass::kInteger},
    {"u8", 1, DtypeClass::kInteger},
    {"i32", 4, DtypeClass::kInteger},
    {"u32", 4, DtypeClass::kInteger},
    {"i64", 8, DtypeClass::kInteger},
    {"f16", 2, DtypeClass::kFloat},
    {"bf16", 2, DtypeClass::kFloat},
    {"f32", 4, DtypeClass::kFloat},
    {"f64", 8, DtypeClass::kFloat},
}};

const DtypeRow& row(Dtype dtype) { return kRows[static_cast<std::size_t>(dtype)]; }

constexpr auto kPromotion = [] {
  using enum Dtype;
  constexpr std::size_t n = kAllDtypes.size();
  // PyTorch has no u32 in its table, and gives i16, which does not exist here, for i8 with u8: i32 is the next.
  return std::array<std::array<Dtype, n>, n>{{
      // bool  i8    u8    i32   u32   i64   f16   bf16   f32   f64
      {kBool, kI8, kU8, kI32, kU32, kI64, kF16, kBF16, kF32, kF64},
      {kI8, kI8, kI32, kI32, kI64, kI64, kF16, kBF16, kF32, kF64},
      {kU8, kI32, kU8, kI32, kU32, kI64, kF16, kBF16, kF32, kF64},
      {kI32, kI32, kI32, kI32, kI64, kI64, kF16, kBF16, kF32, kF64},
      {kU32, kI64, kU32, kI64, kU32, kI64, kF16, kBF16, kF32, kF64},
      {kI64, kI64, kI64, kI64, kI64, kI64, kF16, kBF16, kF32, kF64},
      {kF16, kF16, kF16, kF16, kF16, kF16, kF16, kF32, kF32, kF64},
      {kBF16, kBF16, kBF16, kBF16, kBF16, kBF16, kF32, kBF16, kF32, kF64},
      {kF32, kF32, kF32, kF32, kF32, kF32, kF32, kF32, kF32, kF64},
      {kF64, kF64, kF64, kF64, kF64, kF64, kF64, kF64, kF64, kF64},
  }};
}();

}  // namespace

std::string_view dtype_name(Dtype dtype) { return row(dtype).name; }
std::size_t dtype_bytes(Dtype dtype) { return row(dtype).bytes; }
DtypeClass dtype_class(Dtype dtype) { return row(dtype).dtype_class; }
bool is_float(Dtype dtype) { return dtype_class(dtype) == DtypeClass::kFloat; }

std::optional<Dtype> parse_dtype(std::string_view name) {
  const auto found = std::find_if(kAllDtypes.begin(), kAllDtypes.end(), [&](Dtype d) { return dtype_name(d) == name; });
  if (found == kAllDtypes.end()) return std::nullopt;
  return *found;
}

bool holds(Dtype dtype, double value) {
  if (is_float(dtype)) return true;
  const bool is_signed = dtype == Dtype::kI8 || dtype == Dtype::kI32 || dtype == Dtype::kI64;
  const auto bits = static_cast<int>(8 * dtype_bytes(dtype));
  const double above = dtype == Dtype::kBool ? 2 : std::ldexp(1.0, is_signed ? bits - 1 : bits);
  return std::trunc(value) == value && value < above && value >= (is_signed ? -above : 0);
}

Dtype promote(Dtype a, Dtype b) { return kPromotion[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)]; }

Dtype promote_scalar(Dtype tensor, DtypeClass scalar) {
  if (scalar <= dtype_class(tensor)) return tensor;
  return scalar_dtype(scalar);
}

Dtype scalar_dtype(DtypeClass scalar) {
  switch (scalar) {
    case DtypeClass::kBool: return Dtype::kBool;
    case DtypeClass::kInteger: return Dtype::kI64;
    case DtypeClass::kFloat: return Dtype::kF32;
  }
  return Dtype::kF32;
}

Dtype compute_dtype(Dtype dtype) { return dtype == Dtype::kF16 || dtype == Dtype::kBF16 ? Dtype::kF32 : dtype; }

double dtype_epsilon(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF16: return 0x1p-10;
    case Dtype::kBF16: return 0x1p-7;
    case Dtype::kF32: return 0x1p-23;
    case Dtype::kF64: return 0x1p-52;
    default: return 0;
  }
}

}  // namespace alknet::graph
