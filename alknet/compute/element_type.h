#pragma once

#include <cstdint>
#include <type_traits>

#include "alknet/graph/dtype.h"

namespace alknet::compute {

using graph::Dtype;

/// The dtype of a C++ element type.
template <typename T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::kF32;
  if constexpr (std::is_same_v<T, double>) return Dtype::kF64;
  if constexpr (std::is_same_v<T, std::int8_t>) return Dtype::kI8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::kU8;
  if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::kI32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Dtype::kU32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::kI64;
  if constexpr (std::is_same_v<T, bool>) return Dtype::kBool;
}

}  // namespace alknet::compute
