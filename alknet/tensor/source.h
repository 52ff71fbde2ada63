#pragma once

#include <memory>
#include <span>
#include <string>

#include "alknet/base/task.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// A model whose layout is known and whose bytes come in time: a file of this machine, or one that a peer streams.
/// Used by one thread at a time, on the executor of the tasks that await it.
class Source {
 public:
  virtual ~Source() = default;

  /// The header, complete from the start: entries, metadata, schema. The bytes of an entry may be looked at only after
  /// `arrived` has given them; then any thread may, as long as a copy of the File lives.
  virtual const File& file() const = 0;

  /// Waits until all bytes of an entry of `file()`, and of the blob store that it points into, are there. Asking for an
  /// entry that was not coming makes it come. Throws what kept them away: `io_error`, `checksum_mismatch`, a lost
  /// connection; asking again may succeed.
  virtual Task<TensorView> arrived(const Entry& entry) = 0;

  /// Which entries are wanted first, in this order; those not named keep their order and come after. Names that are no
  /// entries throw `entry_missing`. May be called again while bytes come.
  virtual void prioritize(std::span<const std::string> names) = 0;
};

/// A file of this machine: everything has arrived, and priorities ask the kernel to read ahead.
class FileSource final : public Source {
 public:
  explicit FileSource(File file) : file_(std::move(file)) {}

  const File& file() const override { return file_; }
  Task<TensorView> arrived(const Entry& entry) override;
  void prioritize(std::span<const std::string> names) override;

 private:
  File file_;
};

}  // namespace alknet::tensor
