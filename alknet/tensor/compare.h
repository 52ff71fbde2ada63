#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/diff.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// How an entry differs between two files.
enum class EntryChange : std::uint8_t {
  kAdded,    ///< Only the second file has it.
  kRemoved,  ///< Only the first file has it.
  kForm,     ///< Other dtype, shape or form; values are not compared.
  kValues,   ///< Other values.
};

/// "added", "removed", "form", "values".
std::string_view name(EntryChange change);

struct EntryDifference {
  std::string entry;
  EntryChange change = EntryChange::kAdded;
  std::string before, after;    ///< "F32 [2, 3]"; empty where there is no such entry.
  std::uint64_t values = 0;     ///< kValues: elements, records or blobs,
  std::uint64_t differing = 0;  ///< how many of them differ,
  std::uint64_t first = 0;      ///< and the first that does, in row-major order.
};

/// What differs between two files.
struct FileDifference {
  schema::Diff schema;
  std::vector<EntryDifference> entries;  ///< In the data order of the first file, then of the second.
  std::vector<std::string> metadata;     ///< Keys of the user's metadata with another value, or on one side alone.

  bool empty() const { return schema.changes.empty() && entries.empty() && metadata.empty(); }

  /// {"equal", "schema": Diff::json, "metadata": [keys], "entries": [{"entry", "change", "before", "after", "values"?,
  /// "differing"?, "first"?}]}.
  Json json() const;
};

/// Compares two files by entry names. Elements are equal when their bits are (so 0 and -0 differ, and a NaN equals
/// itself); records and blobs when their fields and contents are, wherever those are stored. `on_bytes` is told of
/// progress in bytes of the first file. Throws as File::check_schema and as reading values does.
FileDifference compare(const File& before, const File& after, const std::function<void(std::uint64_t)>& on_bytes = {});

}  // namespace alknet::tensor
