#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alknet/schema/blob_range.h"
#include "alknet/schema/error.h"
#include "alknet/schema/layout.h"

namespace alknet::schema {

/// Reads the value of one record or message: checks every byte it goes over, and makes JSON where asked to. Used by one
/// thread; nothing is copied.
class ValueReader {
 public:
  /// `strict`: padding, unused reservations and absent fields must be zero.
  ValueReader(const Layout& layout, std::span<const std::byte> bytes, const BlobReader* blobs, bool strict)
      : layout_(layout), bytes_(bytes), blobs_(blobs), strict_(strict) {}

  /// Reads all bytes as one value of the layout's node. Throws `bad_length` for bytes behind it, and when the heap is
  /// not in field order, so that no byte of it is read twice.
  void read_whole(Json* out);

  /// Reads `node` at byte `at` into `out` (null: only checks) and returns the byte behind it.
  std::uint64_t read(const Node& node, std::uint64_t at, Json* out);

  /// The bytes of a String, Bytes or Timestamp at `at`, checked.
  std::string_view text(const Node& node, std::uint64_t at);

  /// The heap range of an offset-indirect field at `at`, checked: offset and bytes.
  BlobRange indirect(const Node& node, std::uint64_t at);

  /// Whether the i-th property of the aligned Struct at `at` is present.
  bool is_present(const Node& node, std::size_t property, std::uint64_t at) const;

  /// Reads a packed presence byte and moves behind it.
  bool packed_presence(const Node& node, std::uint64_t& at) const;

  /// A count or length in front of a packed value; moves behind it.
  std::uint32_t packed_count(const Node& node, std::uint64_t& at) const;

  /// The index of the variant that the Union at `at` holds, checked.
  std::size_t variant_index(const Node& node, std::uint64_t at) const;

  /// Bytes that need() has seen to be there.
  std::string_view bytes_at(std::uint64_t at, std::uint64_t size) const {
    return {reinterpret_cast<const char*>(bytes_.data() + at), size};
  }

  /// Throws message_truncated when `size` bytes from `at` are not all there.
  void need(const Node& node, std::uint64_t at, std::uint64_t size) const;

  /// An Error that says which node and byte.
  [[nodiscard]] Error error(SchemaError code, const Node& node, std::uint64_t at, std::string_view what) const;

 private:
  bool aligned() const { return layout_.mode() == LayoutMode::kAligned; }
  const std::byte* data(std::uint64_t at) const { return bytes_.data() + at; }
  void require_zero(const Node& node, std::uint64_t begin, std::uint64_t end) const;
  std::string_view checked_text(const Node& node, std::uint64_t at, std::uint64_t size) const;

  std::uint64_t read_scalar(const Node& node, std::uint64_t at, Json* out);
  std::uint64_t read_text(const Node& node, std::uint64_t at, Json* out);
  std::uint64_t read_array(const Node& node, std::uint64_t at, Json* out);
  std::uint64_t read_items(const Node& node, std::uint64_t count, std::uint64_t at, Json* out);
  std::uint64_t read_record(const Node& node, std::uint64_t at, Json* out);
  std::uint64_t read_struct(const Node& node, std::uint64_t at, JsonObject* out);
  std::uint64_t read_aligned_struct(const Node& node, std::uint64_t at, JsonObject* out);
  std::uint64_t read_union(const Node& node, std::uint64_t at, Json* out);
  std::uint64_t read_blob(const Node& node, std::uint64_t at, Json* out);
  Json blob_json(const Node& node, std::span<const std::byte> bytes);

  const Layout& layout_;
  std::span<const std::byte> bytes_;
  const BlobReader* blobs_;
  bool strict_;
  std::optional<std::uint64_t> heap_end_;  // while reading the whole: where the heap that was read ends
  std::size_t depth_ = 0;
};

}  // namespace alknet::schema
