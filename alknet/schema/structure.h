#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "alknet/schema/keywords.h"
#include "alknet/schema/node.h"
#include "alknet/schema/places.h"

namespace alknet::schema {

/// Follows `$ref` from a schema without a kind to the schema that has one, or to the end. Throws `schema_too_deep`
/// after 64.
PlaceId follow_references(Places& places, PlaceId place);

/// The kind that a schema has, itself or through `$ref`.
Kind kind_at(Places& places, PlaceId place);

/// The schema `member` of a TypeDef object, where a string is short for the kind of that name.
PlaceId held_schema(Places& places, PlaceId place, const TypeDef& type, std::string_view member);

/// `"TypeDef:Tensor": true`: a handle of any tensor, which an operation's schema may say and a file's may not.
inline bool is_any_tensor(const TensorSpec& tensor) { return !tensor.dtype && tensor.element == nullptr; }

/// Whether a Blob with such an item holds an array of items.
bool is_ragged_item(Kind kind);

/// `maxBytes` as the largest number of code points of the JSON string.
std::uint64_t max_text_length(Kind kind, std::uint64_t max_bytes);

/// The nodes of a schema. `nodes` owns them all; `root` is one of them.
struct Structure {
  std::deque<Node> nodes;
  const Node* root = nullptr;
};

/// Builds the node of every schema with a kind, and checks all that TypeDef objects say. `places` must outlive the
/// nodes. Throws `schema_invalid`, `bad_order`, `schema_too_deep`.
Structure build_structure(Places& places);

/// The second half of build_structure: checks that need all nodes, and marks those that hold a Tensor.
void check_nodes(const Places& places, std::deque<Node>& nodes);

}  // namespace alknet::schema
