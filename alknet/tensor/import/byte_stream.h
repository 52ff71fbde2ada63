#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "alknet/tensor/byte_source.h"

namespace alknet::tensor {

/// Untrusted bytes that come from front to back: a file, or a member of an archive while it is unpacked. One thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// The next bytes. Throws `import_truncated` when there are fewer.
  virtual void read(std::span<std::byte> into) = 0;

  /// Bytes of the whole stream.
  virtual std::uint64_t size() const = 0;

  /// For messages.
  virtual std::string name() const = 0;
};

}  // namespace alknet::tensor
