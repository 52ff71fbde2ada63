#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "alknet/base/once.h"
#include "alknet/tensor/byte_source.h"

namespace alknet::tensor {

/// A range of a file that is read into memory when it is first asked for. Thread-safe.
class LazyBytes {
 public:
  std::span<const std::byte> get(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
    once_.run([&] {
      std::vector<std::byte> bytes(size);
      source.read(offset, bytes);
      bytes_ = std::move(bytes);
    });
    return bytes_;
  }

 private:
  Once once_;
  std::vector<std::byte> bytes_;
};

}  // namespace alknet::tensor
