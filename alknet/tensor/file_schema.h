#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/schema/file_schema.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/entry.h"

namespace alknet::tensor {

/// A schema together with the entries that it asks of a file. Immutable and thread-safe.
class FileSchema {
 public:
  /// Throws `not_a_file_schema` and what else schema::file_entries throws.
  explicit FileSchema(schema::Schema schema);

  /// The schema of entries that have none: one required Tensor an entry.
  static schema::Schema infer(std::span<const Entry> entries);

  const schema::Schema& schema() const { return schema_; }
  std::span<const schema::FileEntry> entries() const { return entries_; }

  /// What the schema says of the entry of that name, or nullptr.
  const schema::FileEntry* find(std::string_view name) const;

  /// Reports each disagreement with a metatensor file's entries as an Error `entry_missing`, `entry_extra` or
  /// `entry_mismatch`; `path` is the file's, for messages. O(entries).
  void check(std::span<const Entry> entries, std::string_view path,
             const std::function<void(const Error&)>& report) const;

 private:
  schema::Schema schema_;
  std::vector<schema::FileEntry> entries_;
  std::unordered_map<std::string_view, const schema::FileEntry*> by_name_;
};

/// A shape in records as a shape in values: `entry`'s block axis multiplied by its block's values; the same without
/// `block`. Throws `size_overflow`.
std::vector<std::int64_t> logical_shape(const schema::FileEntry& entry, std::span<const std::int64_t> shape,
                                        std::string_view path);

}  // namespace alknet::tensor
