#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/schema/codec.h"
#include "alknet/schema/error.h"
#include "alknet/schema/validate.h"

namespace alknet::schema {

/// Writes one value. One use, one thread; `layout`, the options and the value must outlive it.
class Encoder {
 public:
  Encoder(const Layout& layout, const BlobWriter& blobs, std::uint64_t max_bytes)
      : layout_(layout), blobs_(blobs), max_bytes_(max_bytes) {}

  /// The whole message.
  std::vector<std::byte> message(const Json& value);

  /// The fixed part of an aligned value into `record`, which is zeros; what is offset-indirect stays in the heap.
  void fixed_part(const Json& value, std::span<std::byte> record);

 private:
  /// A Blob's content, kept until the whole value was found to be right.
  struct Content {
    const Node* node;
    std::uint64_t at;              ///< of its reference in the message
    std::uint64_t align;           ///< of its start in the store
    std::string_view text;         ///< the content when it is a string of the instance
    std::vector<std::byte> bytes;  ///< the content otherwise
  };

  bool aligned() const { return layout_.mode() == LayoutMode::kAligned; }

  // `to`: aligned, where the value goes, zeros so far; null in packed mode, where it is appended.
  void write(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_form(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_number(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_boolean(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_enum(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_text(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_array(const Node& node, const Json& value, const InstancePath& path, std::byte* to);
  void write_record(const Node& node, const Json& value, const InstancePath& path);
  void write_union(const Node& node, const Json& value, const InstancePath& path);
  void write_blob(const Node& node, const Json& value, const InstancePath& path, std::byte* to);

  /// The members of a Struct; `tag` is a Union's discriminator, which the object also has.
  void write_members(const Node& node, const JsonObject& object, const InstancePath& path, std::byte* to,
                     std::string_view tag);
  [[noreturn]] void refuse_members(const Node& node, const JsonObject& object, const InstancePath& path,
                                   std::string_view tag) const;

  /// The bytes of a text's instance: itself, or what base64 stands for, which `made` then holds.
  std::span<const std::byte> text_bytes(const Node& node, const Json& value, const InstancePath& path,
                                        std::vector<std::byte>& made) const;
  void check_utf8(const Node& node, std::string_view text, const InstancePath& path) const;
  void write_ragged(Content& content, const Json& value, const InstancePath& path);

  /// `size` bytes to write to: `to`, or new ones of the packed message.
  std::byte* place(const Node& node, const InstancePath& path, std::byte* to, std::uint64_t size);
  void append_count(const Node& node, const InstancePath& path, std::uint64_t count);

  /// New bytes of the heap, zeros, referred to at `to`. Valid until the next ones.
  std::byte* place_in_heap(const Node& node, const InstancePath& path, std::byte* to, std::uint64_t size,
                           std::uint64_t align);

  /// Throws bad_length when the message, or so many items, would be too long.
  void check_size(const Node& node, const InstancePath& path, std::uint64_t size) const;
  std::uint64_t size_of(const Node& node, const InstancePath& path, std::uint64_t count, std::uint64_t stride) const;
  void write_contents(std::span<std::byte> message);

  [[nodiscard]] Error error(SchemaError code, const Node& node, const InstancePath& path, std::string_view what) const;
  [[nodiscard]] Error wrong(const Node& node, const InstancePath& path, const Json& value) const;

  const Layout& layout_;
  const BlobWriter& blobs_;
  std::uint64_t max_bytes_;
  std::span<std::byte> fixed_;     // aligned: the part of fixed size
  std::vector<std::byte> packed_;  // packed: the message so far
  std::vector<std::byte> heap_;    // aligned: what follows the fixed part
  std::vector<Content> contents_;
  std::size_t depth_ = 0;
};

}  // namespace alknet::schema
