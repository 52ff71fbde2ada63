#pragma once

#include <cstdint>
#include <type_traits>

#include "alknet/base/float16.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// Calls `body` with a value of the C++ type that stores `dtype`: bool, std::int8_t, ..., Half, double. Not of a
/// block dtype.
template <typename Body>
auto visit_storage(graph::Dtype dtype, Body&& body) {
  using graph::Dtype;
  switch (dtype) {
    case Dtype::kBool: return body(bool{});
    case Dtype::kI8: return body(std::int8_t{});
    case Dtype::kU8: return body(std::uint8_t{});
    case Dtype::kI32: return body(std::int32_t{});
    case Dtype::kU32: return body(std::uint32_t{});
    case Dtype::kI64: return body(std::int64_t{});
    case Dtype::kF16: return body(Half{});
    case Dtype::kBF16: return body(BFloat16{});
    case Dtype::kF64: return body(double{});
    default: return body(float{});
  }
}

/// An element as C++ computes with it: Half and BFloat16 as float, others as they are.
template <typename T>
auto to_number(T value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return to_float(value);
  else
    return value;
}

/// Whether a number is NaN; never for integers.
template <typename T>
bool is_nan_number(T value) {
  return value != value;
}

}  // namespace alknet::compute
