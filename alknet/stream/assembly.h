#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/base/hash.h"
#include "alknet/stream/intervals.h"
#include "alknet/stream/storage.h"

namespace alknet::stream {

/// Puts the pieces of a file's tensors together: places them at their offsets, knows what lacks, and checks each tensor
/// that is whole against the file's checksum. Bytes that were there already are never written again, whatever comes:
/// a tensor that is whole does not change. One thread at a time.
class Assembly {
 public:
  /// Takes in what the storage has. Tensors of which it has everything are checked here; those that fail lack
  /// everything. Throws `bad_checksum_table`.
  explicit Assembly(std::unique_ptr<Storage> storage);

  const tensor::File& file() const { return storage_->file(); }

  /// Bytes of an entry from `offset` on. Throws `protocol_error` for an index that does not exist or bytes outside the
  /// entry, `io_error` of the storage, and `checksum_mismatch` naming the tensor when these bytes made it whole and it
  /// is not the one that was summed; then it lacks everything again.
  void place(std::uint32_t index, std::uint64_t offset, std::span<const std::byte> bytes);

  /// Whether all bytes of an entry are there and checked.
  bool complete(std::uint32_t index) const { return entries_.at(index).complete; }

  /// Whether all entries are.
  bool complete() const { return complete_ == entries_.size(); }

  /// What an entry lacks; nothing when it is complete.
  std::vector<Interval> missing(std::uint32_t index) const;

  /// Bytes placed so far, and in all.
  std::uint64_t placed() const { return placed_; }
  std::uint64_t total() const { return total_; }

  /// Notes what is there, for a later download to go on from; see Storage.
  void save_progress();

  /// Gives a file its name once everything is complete.
  void commit() { storage_->commit(); }

 private:
  struct EntryState {
    Intervals received;
    std::unique_ptr<Xxh3> hash;  ///< Of the first `hashed` bytes, while the tensor is not whole.
    std::uint64_t hashed = 0;
    std::uint64_t expected = 0;  ///< Up to where the storage knows that bytes will come.
    bool complete = false;
  };

  void read_checksums();
  void write(std::uint32_t index, Interval part, std::span<const std::byte> bytes);
  void expect_more(std::uint32_t index, std::uint64_t begin);
  void finish_if_whole(std::uint32_t index);
  void check(std::uint32_t index);

  std::unique_ptr<Storage> storage_;
  std::vector<EntryState> entries_;
  std::map<std::uint32_t, std::string> checksums_;  // by index
  std::size_t complete_ = 0;
  std::uint64_t placed_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace alknet::stream
