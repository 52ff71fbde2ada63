#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alknet/tensor/file.h"

namespace alknet::stream {

/// Bytes of an entry that a storage already had: those of an interrupted download.
struct StoredRange {
  std::uint32_t index = 0;  ///< The entry's rank in data order.
  std::uint64_t begin = 0;  ///< In the tensor.
  std::uint64_t end = 0;

  bool operator==(const StoredRange&) const = default;
};

/// Where the bytes of a streamed file go. The File over it shows them as they come. One thread at a time; the bytes of
/// the File may be read from any thread once they were written.
class Storage {
 public:
  virtual ~Storage() = default;

  /// The header, and the bytes so far; those not written are zeros.
  virtual const tensor::File& file() const = 0;

  /// Writes at an offset of the file, inside its data region. Throws `io_error`.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  /// Bytes are about to be written there: a hint.
  virtual void expect(std::uint64_t /*offset*/, std::uint64_t /*bytes*/) {}

  /// What it had from the start.
  virtual std::vector<StoredRange> stored() const { return {}; }

  /// Notes what has been written, so that a later download may go on from there. Throws `io_error`.
  virtual void save_progress(std::span<const StoredRange> /*written*/) {}

  /// Everything was written and checked. Throws `io_error`.
  virtual void commit() {}
};

/// Memory of the whole file's size, of which pages that are never written take nothing. `header` are the file's first
/// bytes, up to its data region. Throws `out_of_memory` when there is no room for `file_bytes`, and the TensorErrors of
/// a header that is not sound.
std::unique_ptr<Storage> memory_storage(std::vector<std::byte> header, std::uint64_t file_bytes, std::string path);

/// A file that gets its name when it is complete. Until then it is `.NAME.alknet-part` beside it, with what it has
/// noted in `.NAME.alknet-part.json`: a download of the same header to the same target goes on from there; one with
/// another header begins anew. Throws `io_error`, `target_busy` while another download writes the same target, and the
/// TensorErrors of the header.
std::unique_ptr<Storage> file_storage(const std::string& target, std::vector<std::byte> header,
                                      std::uint64_t file_bytes);

}  // namespace alknet::stream
