#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "alknet/base/shared_bytes.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// The bytes of one file: mapped, read on request, or in memory already. Immutable and thread-safe.
class ByteSource {
 public:
  /// Opens a regular file. Throws `io_error`.
  static ByteSource open(const std::string& path, Access access);
  static ByteSource memory(SharedBytes bytes, std::string path);

  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// Whether `bytes()` holds the file.
  bool in_memory() const { return descriptor_ < 0; }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// Copies bytes that lie inside the file. Throws `io_error`, also when the file has become shorter since.
  void read(std::uint64_t offset, std::span<std::byte> into) const;

  /// madvise for a range of a mapped file, posix_fadvise in kRead mode; `advice` is a POSIX_MADV_* value.
  void advise(std::uint64_t offset, std::uint64_t size, int advice) const;

 private:
  ByteSource() = default;

  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;               // kRead
  std::span<const std::byte> bytes_;  // kMap and memory
  SharedBytes owner_;                 // memory
  bool mapped_ = false;
};

}  // namespace alknet::tensor
