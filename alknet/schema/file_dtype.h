#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace alknet::schema {

/// The element types of a tensor in a file: the 22 names of safetensors, in its order.
enum class FileDtype : std::uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

/// One row of the table of element types.
struct FileDtypeInfo {
  FileDtype dtype;
  std::string_view name;  ///< As in a safetensors header, for example "F8_E4M3".
  std::uint8_t bits;      ///< Of one element: 4 and 6 for the sub-byte types.

  /// Bytes of one element; 0 for the sub-byte types.
  constexpr std::uint32_t bytes() const { return bits / 8; }
  /// Alignment of one element in a file: its size, 1 for the sub-byte types.
  constexpr std::uint32_t align() const { return bits < 8 ? 1 : bits / 8U; }
};

/// All rows, in the order of the enumerators.
std::span<const FileDtypeInfo> file_dtypes();

const FileDtypeInfo& info(FileDtype dtype);
inline std::string_view name(FileDtype dtype) { return info(dtype).name; }

/// The type of that exact name, or nothing.
std::optional<FileDtype> parse_file_dtype(std::string_view name);

/// Bytes of `elements` elements; nothing when that overflows or (sub-byte types) does not fill whole bytes.
std::optional<std::uint64_t> byte_size(FileDtype dtype, std::uint64_t elements);

}  // namespace alknet::schema
