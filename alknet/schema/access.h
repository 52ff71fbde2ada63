#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/schema/blob_range.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/path.h"

namespace alknet::schema {

class ValueReader;

/// A bit that says whether a nullable field is there.
struct PresenceBit {
  std::uint64_t byte = 0;  ///< from the start of the record
  std::byte mask{};
};

/// Where a field is in every record of an aligned layout.
struct FieldPlace {
  std::uint64_t offset = 0;           ///< from the start of the record
  std::uint64_t record_bytes = 0;     ///< of a whole record
  std::vector<PresenceBit> presence;  ///< all must be set, else the field is absent

  /// Whether the field is there; `record` has at least `record_bytes` bytes.
  bool is_present(const std::byte* record) const {
    for (const auto& bit : presence) {
      if ((record[bit.byte] & bit.mask) == std::byte{0}) return false;
    }
    return true;
  }
};

/// The kind whose little-endian bytes are a T; kNone for types that need more than a copy.
template <typename T>
consteval Kind native_kind() {
  if constexpr (std::is_same_v<T, std::int8_t>) return Kind::kInt8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Kind::kUint8;
  if constexpr (std::is_same_v<T, std::int16_t>) return Kind::kInt16;
  if constexpr (std::is_same_v<T, std::uint16_t>) return Kind::kUint16;
  if constexpr (std::is_same_v<T, std::int32_t>) return Kind::kInt32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Kind::kUint32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Kind::kInt64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Kind::kUint64;
  if constexpr (std::is_same_v<T, float>) return Kind::kFloat32;
  if constexpr (std::is_same_v<T, double>) return Kind::kFloat64;
  if constexpr (std::is_same_v<T, BlobRange>) return Kind::kBlob;
  return Kind::kNone;
}

/// A field of a record, found once by its path and then read and written in any number of records.
///
/// Aligned layouts: reads and writes. Packed layouts: reads, by walking over what precedes the field. `record` is the
/// bytes of one value of the layout's node (a message, when fields are offset-indirect); it needs no alignment.
/// Every access checks what it reads: lengths, presence, booleans, indices, UTF-8. Immutable; safe to use from several
/// threads on distinct records. Valid as long as the layout's Schema.
///
/// Types: integers take Int* and Uint* kinds whose range they hold, and Enum (its index) as std::uint32_t; float takes
/// Float16, BFloat16 and Float32, double all floats; bool takes Boolean; std::string takes String, Timestamp, Enum and
/// (raw) Bytes, and so does std::string_view for reading, which refers to the record (an Enum's name: to the schema);
/// BlobRange takes Blob. Another pair is `invalid_argument`. A write rounds to nearest even.
class FieldAccess {
 public:
  /// Finds `path`. Throws `not_found` (naming the members that exist), `invalid_argument` (a bad path) or
  /// `schema_invalid` (the layout is of Tensors, whose bytes are a file's).
  FieldAccess(const Layout& layout, std::string_view path);

  const Node& node() const { return *node_; }

  /// Whether it, or something it is inside of, may be absent.
  bool nullable() const { return nullable_; }

  /// Where the field is in every record, or null when that depends on the record.
  const FieldPlace* place() const { return fixed_ ? &place_ : nullptr; }

  /// The value, or nothing when it or something it is inside of is absent. Throws `message_truncated`, `bad_boolean`,
  /// `bad_enum`, `bad_presence`, `bad_utf8`, `bad_length`. A number read as its own type costs a few instructions.
  template <typename T>
  std::optional<T> get(std::span<const std::byte> record) const {
    if constexpr (native_kind<T>() != Kind::kNone) {
      if (direct_ == native_kind<T>() && record.size() >= place_.record_bytes) {
        if (!place_.is_present(record.data())) return std::nullopt;
        return load_le<T>(record.data() + place_.offset);
      }
    }
    return get_checked<T>(record);
  }

  /// Writes a value and marks the field, and what it is inside of, present; the bytes that a shorter text leaves are
  /// zeroed. Throws `reservation_overflow`, `bad_enum`, `bad_utf8`; nothing has changed then. Aligned only, not for
  /// offset-indirect fields.
  template <typename T>
  void set(std::span<std::byte> record, const T& value) const;
  void set(std::span<std::byte> record, const char* text) const { set(record, std::string(text)); }

  /// Marks a nullable field absent and zeroes its bytes. Throws `invalid_argument` when it may not be absent.
  void clear(std::span<std::byte> record) const;

  /// The value as the JSON instance that it stands for (objects for Structs, base64 for Bytes, absent members left
  /// out), or nothing when absent. `blobs` is needed when Blobs are inside.
  std::optional<Json> get_json(std::span<const std::byte> record, const BlobReader& blobs = nullptr) const;

 private:
  struct Found {
    std::uint64_t offset = 0;
    bool present = true;
  };
  /// From a node to one of its parts: a property, a variant's property (`index` is the variant), a key, or an item.
  struct Step {
    const Node* node;
    std::uint64_t index;
    std::string key;
  };

  template <typename T>
  std::optional<T> get_checked(std::span<const std::byte> record) const;
  void enter_member(const std::string& wanted);
  void enter_item(std::uint64_t index);
  void resolve_place();
  Found find(std::span<const std::byte> record) const;
  const FieldPlace& fixed_place(std::span<const std::byte> record) const;
  std::uint64_t mark_present(std::span<std::byte> record) const;
  bool step_aligned(ValueReader& reader, const Step& step, std::uint64_t& at) const;
  bool step_packed(ValueReader& reader, const Step& step, std::uint64_t& at) const;
  static bool walk_struct(ValueReader& reader, const Node& node, std::size_t index, std::uint64_t& at);
  static bool walk_record(ValueReader& reader, const Node& node, std::string_view key, std::uint64_t& at);

  Layout layout_;
  std::string text_;
  const Node* node_ = nullptr;
  std::vector<Step> steps_;
  bool nullable_ = false;
  bool fixed_ = true;          // no step needs the record's bytes
  FieldPlace place_;           // when fixed_
  Kind direct_ = Kind::kNone;  // the kind, when the bytes at place_ are the value as a machine has it
};

}  // namespace alknet::schema
