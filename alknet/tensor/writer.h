#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/schema/access.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/entry.h"
#include "alknet/tensor/error.h"

namespace alknet::schema {
struct FileEntry;
}

namespace alknet::tensor {

struct WriterOptions {
  std::optional<schema::Schema> schema = {};  ///< Left out of the file when it equals the inferred one.
  Metadata metadata = {};               ///< The caller's; a metatensor gets `format` = `pt` unless it is among them.
  bool plain_safetensors = false;       ///< No metatensor keys and no pads; `schema` and `checksums` must be unset.
  bool checksums = false;               ///< Store the xxh3-128 of every entry.
  std::vector<std::string> order = {};  ///< Data order of the named entries; the others follow by the placement rule.
};

/// What an entry holds. `shape` is the stored one (struct tensors end in the stride, blob tensors in 16).
struct EntrySpec {
  std::string name;
  schema::FileDtype dtype{};
  std::vector<std::int64_t> shape = {};  ///< Of a growing entry: without the first dimension, which is counted.
  std::uint64_t align = 1;               ///< Power of two; raises the alignment that dtype or schema give.
  bool sparse = false;                   ///< Fixed entries: bytes never written are zeros, not an error.
};

/// Writes a metatensor (or plain safetensors) file in constant memory, all or nothing.
///
/// Declare every entry, `start`, write, `close`. The target appears, whole and synced to disk, only when `close`
/// returns; until then, and after any error, the old file is untouched and nothing new is left behind. After a kill
/// at worst one `.<name>.alknet-tmp` stays, which the next Writer of the same target removes.
///
/// After `start`, `write` and `append` may be called from several threads; the other functions from one at a time.
/// Errors: the TensorErrors named below, and `io_error` for a full disk or a read-only folder.
class Writer {
 public:
  using Id = std::size_t;  ///< Names a declared entry of this Writer.

  /// Creates nothing visible yet. Throws `io_error` when the folder cannot be written, `target_busy`.
  explicit Writer(std::string path, WriterOptions options = {});

  /// Abandons the file unless `close` has returned.
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;

  /// Declares an entry of known size. Throws the TensorError that a reader of such an entry would.
  Id declare(EntrySpec spec);

  /// Declares an entry whose first dimension is known at `close`. It spools to an unlinked file beside the target.
  Id declare_growing(EntrySpec spec);

  /// Declares a blob tensor of shape [n] + `row_shape` (its entry ends in 16 more) whose n is counted, and its store.
  /// `item_align` is the alignment of the blobs' items; a schema may raise it.
  Id declare_blobs(std::string name, std::vector<std::int64_t> row_shape = {}, std::uint64_t item_align = 1);

  /// Declares the store that the Blob fields of the entry `entry_name` point into; `store_blob` takes the result.
  Id declare_store(std::string_view entry_name, std::uint64_t item_align = 1);

  /// What the schema given says of the entry of that name; nullptr when it says nothing or there is none.
  const schema::FileEntry* schema_entry(std::string_view name) const;

  /// The target, for messages.
  const std::string& path() const;

  /// Ends declaration: places the fixed entries and reserves the header.
  void start();

  /// Writes bytes of a fixed entry at `offset` bytes from its start. Ranges of concurrent calls must not overlap.
  void write(Id entry, std::uint64_t offset, std::span<const std::byte> bytes);

  /// The whole entry at once.
  template <typename T, std::size_t N>
  void write(Id entry, std::span<T, N> elements) {
    write(entry, 0, std::as_bytes(elements));
  }

  /// Appends to a growing entry; concurrent calls for one entry are safe, in an order of their own.
  void append(Id entry, std::span<const std::byte> bytes);

  /// Appends one blob to a blob tensor: its bytes to the store, its reference to the entry.
  void append_blob(Id entry, std::span<const std::byte> bytes);
  void append_blob(Id entry, std::string_view text) { append_blob(entry, std::as_bytes(std::span(text))); }

  /// Appends one blob to a store and returns the reference for the field. Empty blobs are (0, 0).
  schema::BlobRange store_blob(Id store, std::span<const std::byte> bytes);

  /// Finishes header, growing entries and checksums, syncs and renames onto the target. Throws `incomplete_entry`,
  /// `size_mismatch` (a growing entry that ends inside a row), `entry_*` when entries and schema disagree.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::tensor
