#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/access.h"
#include "alknet/schema/file_dtype.h"
#include "alknet/schema/file_schema.h"
#include "alknet/tensor/entry.h"

namespace alknet::tensor {

/// One entry of the metatensor file that an import makes.
struct ImportedEntry {
  std::string name;
  schema::EntryForm form = schema::EntryForm::kFlat;
  schema::FileDtype dtype = schema::FileDtype::kU8;  ///< Flat entries.
  std::vector<std::int64_t> shape = {};              ///< In elements, records (blocks) or blobs.
  Json item = nullptr;                               ///< Struct and blob entries: the schema of `dtype`.
  std::uint64_t stride = 0;                          ///< Struct entries: bytes of a record.
  std::optional<std::int64_t> block_values = {};     ///< Struct entries: values of a record along the last axis.
  bool has_store = false;                            ///< Struct entries: some fields are Blobs.
  std::string description = {};                      ///< For the schema: what the shape of the data does not say.
};

/// What an import makes, known before any data is read.
struct ImportPlan {
  std::string_view format;  ///< The row of `formats()` that made it.
  std::vector<ImportedEntry> entries = {};
  Metadata metadata = {};
  JsonObject definitions = {};  ///< `$defs` that items refer to.
};

/// Takes the bytes of one entry. One thread.
class EntrySink {
 public:
  virtual ~EntrySink() = default;

  /// Flat and struct entries: bytes at `offset` bytes from the entry's start; every byte is written exactly once.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  /// Blob entries: the next blob in row-major order.
  virtual void append_blob(std::span<const std::byte> bytes) = 0;

  /// Struct entries with a store: keeps the bytes of a Blob field and returns its reference.
  virtual schema::BlobRange store_blob(std::span<const std::byte> bytes) = 0;

  /// The path of a file that may be made and removed meanwhile, on a disk that has room for the entry.
  virtual std::string scratch_path() const = 0;
};

/// A foreign file, open: its header is read and checked, its data is not. One format is one file in this folder.
///
/// Foreign files are hostile until checked: nothing is allocated in proportion to a number that the size of the file
/// does not bear out, and memory does not grow with the data. Errors: `import_invalid`, `import_truncated`,
/// `import_unsupported`, and the TensorErrors that limits have (`size_overflow`, `too_many_entries`, ...); they name
/// the file, the entry and the byte.
class Importer {
 public:
  virtual ~Importer() = default;

  const ImportPlan& plan() const { return plan_; }

  /// Reads the data of `plan().entries[entry]` from front to back into `sink`, a piece at a time.
  virtual void stream(std::size_t entry, EntrySink& sink) const = 0;

 protected:
  ImportPlan plan_;
};

/// Bytes that one `EntrySink::write` of an importer has at most, and so the memory that streaming takes.
inline constexpr std::size_t kImportPiece = std::size_t{4} << 20;

}  // namespace alknet::tensor
