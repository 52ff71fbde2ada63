#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/schema/blob_range.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/path.h"

namespace alknet::schema {

class ValueReader;

/// A field of a record, found once by its path and then read and written in any number of records.
///
/// Aligned layouts: reads and writes. Packed layouts: reads, by walking over what precedes the field. `record` is the
/// bytes of one value of the layout's node (a message, when fields are offset-indirect); it needs no alignment.
/// Every access checks what it reads: lengths, presence, booleans, indices, UTF-8. Immutable; safe to use from several
/// threads on distinct records. Valid as long as the layout's Schema.
///
/// Types: integers take Int* and Uint* kinds whose range they hold, and Enum (its index) as std::uint32_t; float takes
/// Float16, BFloat16 and Float32, double all floats; bool takes Boolean; std::string takes String, Timestamp, Enum and
/// (raw) Bytes; BlobRange takes Blob. Another pair is `invalid_argument`. A write rounds to nearest even.
class FieldAccess {
 public:
  /// Finds `path`. Throws `not_found` (naming the members that exist) or `invalid_argument` (a bad path).
  FieldAccess(const Layout& layout, std::string_view path);

  const Node& node() const { return *node_; }

  /// Whether it, or something it is inside of, may be absent.
  bool nullable() const { return nullable_; }

  /// The value, or nothing when it or something it is inside of is absent. Throws `message_truncated`, `bad_boolean`,
  /// `bad_enum`, `bad_presence`, `bad_utf8`, `bad_length`.
  template <typename T>
  std::optional<T> get(std::span<const std::byte> record) const;

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

  void enter_member(const std::string& wanted);
  void enter_item(std::uint64_t index);
  Found find(std::span<const std::byte> record) const;
  Found find_fixed(std::span<const std::byte> record) const;
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
  bool fixed_ = true;  // no step needs the record's bytes
};

}  // namespace alknet::schema
