#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/node.h"

namespace alknet::tensor {

/// What the bytes of a blob mean, by its Blob node: text, raw bytes, JSON text, or an array of fixed-size items.
/// Immutable, thread-safe; valid as long as the node's Schema. Errors say what is wrong; the caller says where.
class BlobItem {
 public:
  explicit BlobItem(const schema::Node& blob);

  schema::Kind kind() const { return kind_; }             ///< kString, kBytes, kJson ..., or the items' kind.
  std::uint64_t alignment() const { return alignment_; }  ///< Of a blob's offset in its store.
  /// Whether it is UTF-8: strings, timestamps, JSON.
  bool is_text() const {
    return kind_ == schema::Kind::kString || kind_ == schema::Kind::kTimestamp || kind_ == schema::Kind::kJson;
  }

  /// The blob as text. Throws `wrong_kind`, `bad_utf8`.
  std::string_view text(std::span<const std::byte> blob) const;

  /// The number of items of an array. Throws `bad_length` when the last one is incomplete.
  std::uint64_t count(std::span<const std::byte> blob) const;

  /// The blob as JSON: a string (base64 for kBytes), the value of JSON text (null when empty, as an absent field's is),
  /// an array. Throws also `json_invalid` and what schema::decode throws.
  Json json(std::span<const std::byte> blob) const;

  /// Everything that `json` would find wrong, and padding inside of items.
  void check(std::span<const std::byte> blob) const;

 private:
  schema::Kind kind_;
  std::uint64_t alignment_;
  std::optional<schema::Layout> layout_;  // of an array's items
};

}  // namespace alknet::tensor
