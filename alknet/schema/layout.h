#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/schema/schema.h"

namespace alknet::schema {

enum class LayoutMode : std::uint8_t {
  kPacked,   ///< wire frames: back to back, variable fields shift the rest
  kAligned,  ///< memory-mapped: every field at a fixed offset, as in C
};

/// One row of a layout, for people and tools: a field of the outermost Struct or of what it holds in place.
struct LayoutField {
  std::string path;  ///< as path.h writes it; "" when the root is no Struct
  Kind kind = Kind::kNone;
  std::optional<std::uint64_t> offset;  ///< from the start; nothing where it varies
  std::optional<std::uint64_t> bytes;   ///< nothing where it varies
  std::uint32_t align = 1;
  bool nullable = false;
  const Node* node = nullptr;
};

/// The measures of one node in one mode.
struct NodeLayout {
  std::optional<std::uint64_t> size;  ///< nothing where it varies; a multiple of `align` in aligned mode
  std::uint32_t align = 1;            ///< 1 in packed mode
  bool indirect = false;              ///< some of its bytes are in the heap of the message
  bool blobs = false;                 ///< a Blob is inside; told of the layout's root also through recursion
  std::uint32_t bitmap_bytes = 0;     ///< aligned Struct: validity bits of nullable fields, at the start
  /// Struct: offset of each property (packed: behind its presence byte), in the order of Node::properties.
  std::vector<std::optional<std::uint64_t>> offsets;
  /// Struct: the bit of each property in the validity bitmap, or -1.
  std::vector<std::int32_t> presence_bits;
};

/// Where the bytes of a node are. Immutable, cheap to copy, safe to use from several threads; valid as long as the
/// node's Schema.
class Layout {
 public:
  LayoutMode mode() const;
  const Node& node() const;

  /// Bytes of a value, which is also the stride of an array of them (aligned); nothing where it varies, and for
  /// containers of tensors, which have no bytes.
  std::optional<std::uint64_t> size() const;
  std::uint32_t align() const;

  /// Rows in layout order: a Struct or Array inside is one row and followed by its parts; the parts of an Array are
  /// those of its first item (`[0]`), the others follow at the item's size. Tensors of a file have no offset.
  const std::vector<LayoutField>& fields() const;

  /// The row of that path, or null.
  const LayoutField* field(std::string_view path) const;

  /// Measures of `part`, a node that this layout contains in place, in the heap, or as an item of such.
  const NodeLayout& of(const Node& part) const;

 private:
  friend Layout layout(const Node& node, LayoutMode mode);
  struct State;
  explicit Layout(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Throws `schema_invalid` when values of the layout's node are no bytes: those of a Tensor are entries of a file, and
/// Structs and Arrays of Tensors have none. What reads and writes values asks this first; details has `pointer`.
void require_value_bytes(const Layout& layout);

/// Computes the layout of `node` and of all it contains. Throws `schema_invalid` when it has none in this mode (a
/// variable field without `maxBytes`, a node without kind, recursion, big-endian aligned ...); details has `pointer`.
Layout layout(const Node& node, LayoutMode mode);

/// The same for the root; `schema` must outlive the layout.
inline Layout layout(const Schema& schema, LayoutMode mode) { return layout(schema.root(), mode); }

}  // namespace alknet::schema
