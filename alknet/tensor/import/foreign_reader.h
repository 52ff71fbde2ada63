#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/error.h"

namespace alknet::tensor {

/// Reads an untrusted file from front to back through a small buffer, and refuses to leave it. One thread; the source
/// must outlive it.
class ForeignReader {
 public:
  /// Reads from byte `offset`; `what` names the format in messages ("GGUF").
  ForeignReader(const ByteSource& source, std::string_view what, std::uint64_t offset = 0);

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return source_.size() - position_; }

  /// Throws `import_truncated`.
  void read(std::span<std::byte> into);
  void skip(std::uint64_t bytes);

  /// The next number, little-endian. Throws `import_truncated`.
  template <typename T>
  T number() {
    std::byte bytes[sizeof(T)];
    read(bytes);
    return load_le<T>(bytes);
  }

  /// The next `bytes` bytes. Throws `import_truncated`, and `import_invalid` above `limit`.
  std::string text(std::uint64_t bytes, std::uint64_t limit);

  /// Throws an error that names the file and the byte reached.
  [[noreturn]] void fail(TensorError code, std::string_view what, std::string_view remedy) const;
  [[noreturn]] void fail(std::string_view what) const;  ///< `import_invalid`: the file is damaged

 private:
  void require(std::uint64_t bytes) const;

  const ByteSource& source_;
  std::string_view format_;
  std::uint64_t position_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_start_ = 0;  // where in the file it begins
  std::size_t buffer_size_ = 0;     // bytes of it that are filled
};

}  // namespace alknet::tensor
