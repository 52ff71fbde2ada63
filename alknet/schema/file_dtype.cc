#include "alknet/schema/file_dtype.h"

#include <array>

#include "alknet/base/bytes.h"

namespace alknet::schema {
namespace {

using enum FileDtype;
constexpr std::array<FileDtypeInfo, 22> kTable = {{
    {kBool, "BOOL", 8},
    {kF4, "F4", 4},
    {kF6E2M3, "F6_E2M3", 6},
    {kF6E3M2, "F6_E3M2", 6},
    {kU8, "U8", 8},
    {kI8, "I8", 8},
    {kF8E5M2, "F8_E5M2", 8},
    {kF8E4M3, "F8_E4M3", 8},
    {kF8E8M0, "F8_E8M0", 8},
    {kF8E4M3Fnuz, "F8_E4M3FNUZ", 8},
    {kF8E5M2Fnuz, "F8_E5M2FNUZ", 8},
    {kI16, "I16", 16},
    {kU16, "U16", 16},
    {kF16, "F16", 16},
    {kBF16, "BF16", 16},
    {kI32, "I32", 32},
    {kU32, "U32", 32},
    {kF32, "F32", 32},
    {kC64, "C64", 64},
    {kF64, "F64", 64},
    {kI64, "I64", 64},
    {kU64, "U64", 64},
}};

static_assert([] {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].dtype) != i) return false;
  }
  return true;
}());

}  // namespace

std::span<const FileDtypeInfo> file_dtypes() { return kTable; }

const FileDtypeInfo& info(FileDtype dtype) { return kTable[static_cast<std::size_t>(dtype)]; }

std::optional<FileDtype> parse_file_dtype(std::string_view name) {
  for (const auto& row : kTable) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> byte_size(FileDtype dtype, std::uint64_t elements) {
  const auto bits = checked_mul<std::uint64_t>(elements, info(dtype).bits);
  if (!bits || *bits % 8 != 0) return std::nullopt;
  return *bits / 8;
}

}  // namespace alknet::schema
