#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/file_schema.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// What users see of an entry.
struct EntryFacts {
  schema::EntryForm form = schema::EntryForm::kFlat;
  std::string_view dtype;                     ///< A safetensors name, "struct" or "blob".
  std::vector<std::int64_t> item_shape;       ///< In elements, records or blobs.
  std::vector<std::int64_t> logical_shape;    ///< The same with blocks counted in values.
  std::uint64_t stride = 0;                   ///< Bytes of a record or blob reference; 0 for flat tensors.
  const schema::FileEntry* schema = nullptr;  ///< Of struct and blob tensors.
};

/// The facts of one entry, by the schema where it agrees with the entry, else flat.
EntryFacts entry_facts(const File& file, const Entry& entry);

/// "flat", "struct" or "blob".
std::string_view name(schema::EntryForm form);

/// The document that `alknet tensor info --json` prints: file, bytes, format ("metatensor" or "safetensors"), metadata,
/// schema, tensors. With `statistics` every flat tensor has `min`, `max` and, where there are any, `nans`; all data is
/// read then, and `on_progress` called with the bytes of each tensor.
Json file_facts(const File& file, bool statistics = false, const std::function<void(std::uint64_t)>& on_progress = {});

}  // namespace alknet::tensor
