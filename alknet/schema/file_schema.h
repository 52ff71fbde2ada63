#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/schema/layout.h"

namespace alknet::schema {

constexpr std::size_t kMaxFileEntries = 1'000'000;

enum class EntryForm : std::uint8_t { kFlat, kStruct, kBlob };

/// One entry that a file schema asks for.
struct FileEntry {
  std::string name;            ///< property names and indices joined by '.', unescaped: "layers.0.weight"
  std::string path;            ///< as path.h writes it: "layers[0].weight"
  bool required = false;       ///< every property on the way is
  const Node* node = nullptr;  ///< the Tensor

  EntryForm form = EntryForm::kFlat;
  FileDtype dtype = FileDtype::kU8;  ///< of the entry in the file: U8 unless flat
  std::vector<std::int64_t> shape;   ///< of the entry in the file: with [stride] or [16] last; first may be -1
  std::vector<std::int64_t>
      logical;  ///< shape that users see: without stride, blocks counted in values; first may be -1
  std::optional<TensorBlock> block;
  std::uint64_t stride = 0;       ///< bytes of one item: record, 16 for blobs, element (0 for sub-byte types)
  std::uint32_t align = 1;        ///< of the entry's start in a file
  bool has_store = false;         ///< a store entry `__blob__.<name>` goes with it
  std::uint32_t store_align = 1;  ///< of the store's start: its largest item's
};

/// Walks the root Struct and returns the entries of a file with this schema, in document order; none for the schema
/// `{}`, which stands for a file without entries (an empty Struct is no schema). Throws `not_a_file_schema` (root is no
/// Struct, a leaf is no Tensor, two paths with one name), `schema_too_large` (over a million entries), or what layout()
/// throws for a record. Nodes live as long as `schema`.
std::vector<FileEntry> file_entries(const Schema& schema);

/// What a schema is inferred from.
struct InferredEntry {
  std::string name;
  FileDtype dtype = FileDtype::kU8;
  std::vector<std::int64_t> shape;
};

/// The schema of a file that has none: one required Tensor property per entry, under its whole name, in the order
/// given.
Json infer_file_schema(std::span<const InferredEntry> entries);

}  // namespace alknet::schema
