#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace alknet::schema {

/// The kinds of schema nodes that have a binary form: a node names one with the keyword `TypeDef:<Kind>`.
enum class Kind : std::uint8_t {
  kNone,  ///< A plain JSON Schema node: it validates, but has no binary form.
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kBoolean,
  kEnum,
  kString,
  kBytes,
  kTimestamp,
  kRecord,
  kArray,
  kStruct,
  kUnion,
  kTensor,
  kBlob,
  kJson,  ///< Any JSON value as UTF-8 text; only as the `item` of a Blob.
};

/// How a kind is stored; what layout and access branch on.
enum class KindForm : std::uint8_t {
  kNone,     ///< no binary form
  kInteger,  ///< two's complement, fixed size
  kFloat,    ///< IEEE 754 (or bfloat16), fixed size
  kBoolean,  ///< one byte, 0 or 1
  kEnum,     ///< u32 index
  kText,     ///< variable: u32 length and bytes
  kRecord,   ///< variable: u32 count, then key and value pairs
  kArray,    ///< items, counted or not
  kStruct,   ///< fields
  kUnion,    ///< u8 index, then the variant
  kTensor,   ///< an entry of a file, or a handle
  kBlob,     ///< u64 offset, u64 bytes into a store
};

/// One row of the table of kinds. Adding a kind is adding a row.
struct KindInfo {
  Kind kind;
  std::string_view name;  ///< as in `TypeDef:<name>`
  KindForm form;
  std::uint8_t size;         ///< bytes of the fixed part; 0 when its parts decide
  std::uint8_t align;        ///< 0 when its parts decide
  std::string_view options;  ///< members the TypeDef object may have besides `align`, separated by spaces
  std::string_view lowered;  ///< JSON text of the standard keywords it lowers to, as far as its name alone decides
  double min;                ///< numbers: the smallest finite JSON number it takes
  double max;                ///< numbers: the largest
  std::string_view expects;  ///< for messages: "an integer from -128 to 127"
};

/// All rows, in the order of the enumerators.
std::span<const KindInfo> kinds();

const KindInfo& info(Kind kind);
inline std::string_view name(Kind kind) { return info(kind).name; }

/// The kind of that exact name ("Int32"), or nothing; "None" is no kind.
std::optional<Kind> parse_kind(std::string_view name);

/// Integers, floats, Boolean and Enum: one fixed-size value.
bool is_scalar(Kind kind);

}  // namespace alknet::schema
