#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/file_dtype.h"
#include "alknet/schema/kind.h"

namespace alknet::schema {

struct Node;
class Places;

enum class Encoding : std::uint8_t { kLengthPrefixed, kOffsetIndirect };
enum class Endian : std::uint8_t { kLittle, kBig };

/// A member of a Struct.
struct Property {
  std::string name;
  const Node* node = nullptr;
  bool required = false;
  const Json* default_value = nullptr;  ///< null when the property has no `default`

  /// Neither required nor with a default: it may be absent, and its layout says so.
  bool nullable() const { return !required && default_value == nullptr; }
};

/// A member of a Union.
struct Variant {
  std::string tag;
  const Node* node = nullptr;  ///< a Struct
};

/// `block` of a Tensor: each struct holds `values` logical values along `axis`.
struct TensorBlock {
  std::int64_t values = 1;
  std::size_t axis = 0;  ///< already counted from the front
};

/// What `TypeDef:Tensor` says.
struct TensorSpec {
  std::optional<FileDtype> dtype;    ///< flat tensors
  const Node* element = nullptr;     ///< struct tensors: a Struct; blob tensors: a Blob; null for flat ones
  std::vector<std::int64_t> shape;   ///< the first dimension may be -1: any count
  std::optional<TensorBlock> block;  ///< struct tensors only

  /// `shape` with the blocked axis counted in values; -1 stays.
  std::vector<std::int64_t> logical_shape() const;
};

/// One node of the structure that a schema describes, with every `$ref` resolved: what layout, access and the file
/// layers walk. Nodes belong to their Schema, are immutable, and may form cycles (through `$ref`).
struct Node {
  Kind kind = Kind::kNone;
  std::uint32_t align = 0;  ///< the `align` given, 0 when none; it only raises
  Encoding encoding = Encoding::kLengthPrefixed;
  std::optional<std::uint32_t> max_bytes;
  Endian endian = Endian::kLittle;  ///< of the whole schema

  std::vector<Property> properties;    ///< Struct: in layout order
  std::vector<std::uint32_t> by_name;  ///< Struct: indices of `properties`, sorted by their names
  bool has_order = false;              ///< Struct, Union: `order` was written

  const Node* items = nullptr;         ///< Array items, Record values, Blob item (null: Json)
  std::optional<std::uint64_t> count;  ///< Array: when `minItems` == `maxItems`

  std::string discriminator;      ///< Union
  std::vector<Variant> variants;  ///< Union: in index order

  std::vector<std::string> names;  ///< Enum: by index
  TensorSpec tensor;               ///< Tensor
  bool holds_tensor = false;       ///< Struct, Array, ...: a Tensor is somewhere inside; such a node has no bytes

  const Json* schema = nullptr;    ///< the JSON it was written as
  const Places* places = nullptr;  ///< with `place`: where it was written
  std::uint32_t place = 0;

  /// JSON pointer of the node in its document ("/properties/id"), for messages.
  std::string pointer() const;

  /// Makes `by_name`, once all properties are there.
  void index_properties();

  /// The property of that name, or null. O(log n).
  const Property* property(std::string_view name) const;
};

}  // namespace alknet::schema
