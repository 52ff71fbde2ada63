#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alknet/base/shared_bytes.h"
#include "alknet/tensor/entry.h"
#include "alknet/tensor/error.h"
#include "alknet/tensor/view.h"

namespace alknet::schema {
class Schema;
struct FileEntry;
}  // namespace alknet::schema

namespace alknet::tensor {

class RecordsView;  // records.h
class BlobView;     // blobs.h

/// How bytes reach memory.
enum class Access {
  kMap,   ///< mmap: nothing is copied; somebody who shortens the file later kills the process with SIGBUS.
  kRead,  ///< pread into the heap when a view is first used: for network disks and files that may change.
};

/// What the kernel should expect of a mapped file (madvise).
enum class Advice {
  kNormal,
  kSequential,
  kRandom,
  kHugePages,
  /// All of it will be read soon: its pages are read and mapped at once, in one call instead of one page fault each 16
  /// pages. The call takes as long as the disk does; a kernel before 5.14 maps nothing.
  kPopulate,
};

struct OpenOptions {
  Access access = Access::kMap;
  Advice advice = Advice::kNormal;
};

/// A metatensor or safetensors file, open for reading.
///
/// Opening reads and checks the header, in time proportional to it; the data stays where it is. A File is immutable
/// after open, thread-safe and cheap to copy; views keep what they need of it alive.
class File {
 public:
  /// Throws `io_error`, or the TensorError of the first fault in the header; there is no partial result.
  static File open(const std::string& path, const OpenOptions& options = {});

  /// The same over the bytes of a whole file in memory; `path` is for messages.
  static File from_bytes(SharedBytes bytes, std::string path = "<memory>");

  const std::string& path() const;
  std::uint64_t size() const;         ///< Bytes of the whole file.
  std::uint64_t data_offset() const;  ///< Where the data region starts.

  /// All entries in data order (begin, end, name), pads and blob stores included.
  std::span<const Entry> entries() const;

  /// The entry of that name or nullptr; O(1).
  const Entry* find(std::string_view name) const;

  /// The entry of that name. Throws `entry_missing` with the nearest names.
  const Entry& entry(std::string_view name) const;

  /// The rank of `entry`, which must be of this file, in data order.
  std::size_t index_of(const Entry& entry) const;

  /// The bytes of an entry as numbers. Nothing is read yet. Throws `entry_missing`.
  TensorView tensor(std::string_view name) const;
  TensorView tensor(const Entry& entry) const;

  /// A struct tensor (include records.h). Throws `entry_missing`, `wrong_kind`, and what `check_schema` throws.
  RecordsView records(std::string_view name) const;

  /// A blob tensor: strings, bytes, JSON texts, ragged arrays (include blobs.h). Throws as `records`.
  BlobView blobs(std::string_view name) const;

  /// Metadata in file order, alknet's own keys included.
  const Metadata& metadata() const;
  std::optional<std::string_view> metadata(std::string_view key) const;

  /// Whether the file has the `metatensor` key, and so reserved names and perhaps a schema of its own.
  bool is_metatensor() const;

  /// Whether `entry` is a pad or a blob store: part of the format, not of the contents.
  bool is_reserved(const Entry& entry) const;

  /// The file's schema; when it has none, one Tensor property an entry. Parsed or inferred at the first call.
  /// Throws the schema layer's errors, which name `metatensor.schema`.
  const schema::Schema& schema() const;
  bool has_schema() const;

  /// What the file's own schema says of the entry of that name; nullptr when it says nothing or there is no schema.
  const schema::FileEntry* schema_entry(std::string_view name) const;

  /// Throws `entry_missing`, `entry_extra` or `entry_mismatch` when entries disagree with the schema. The first typed
  /// access does this once; a file without a schema of its own agrees by definition.
  void check_schema() const;

  /// Asks the kernel to bring the bytes of these entries in, in the background. Throws `entry_missing`.
  void prefetch(std::span<const std::string_view> names) const;

  /// Hints how an entry will be used. Does nothing in kRead mode.
  void advise(const Entry& entry, Advice advice) const;

  /// Copies bytes [offset, offset + into.size()) of the file. Throws `io_error`, `offset_out_of_range`.
  void read(std::uint64_t offset, std::span<std::byte> into) const;

 private:
  explicit File(std::shared_ptr<const FileState> state);

  std::shared_ptr<const FileState> state_;
};

}  // namespace alknet::tensor
