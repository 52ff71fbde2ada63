#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/schema/file_schema.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// A part of one entry that a path names: leading dimensions by index, then perhaps a range of the next one, so it is
/// always one run of items.
struct Selection {
  const Entry* entry = nullptr;
  schema::EntryForm form = schema::EntryForm::kFlat;
  std::vector<std::int64_t> shape;  ///< Of the result in items (elements, records, blobs); [] for a single one.
  std::uint64_t first = 0;          ///< The first item, in row-major order.
  std::uint64_t count = 1;          ///< Items.
  std::string field;                ///< Of a single record: the path of a field in it, or "" for all.
};

/// Finds what `path` names in `file`: an entry's name, or property names joined by dots (a literal dot as `\.`) and
/// indices `[i]`, then indices `[i]` into the entry, then `[a:b]` (each side may be left out), or a field of a record.
/// Throws `bad_path`, `entry_missing`, `index_out_of_range`, and File::check_schema's errors.
Selection select(const File& file, std::string_view path);

}  // namespace alknet::tensor
