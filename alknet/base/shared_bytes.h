#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace alknet {

/// An immutable, reference-counted span of bytes: heap memory, part of a mapped file, or memory of a script engine.
///
/// Copies share the bytes; the last one releases the owner. Distinct objects may be used by distinct threads, also
/// when they share bytes.
class SharedBytes {
 public:
  SharedBytes() = default;

  /// Takes over `bytes` without copying.
  static SharedBytes take(std::vector<std::byte> bytes);

  /// Copies `bytes` to the heap.
  static SharedBytes copy(std::span<const std::byte> bytes);
  static SharedBytes copy(std::string_view text);

  /// Refers to `bytes`, which must stay valid and unchanged as long as `owner` lives.
  static SharedBytes wrap(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

  const std::byte* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::span<const std::byte> span() const { return bytes_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  /// Bytes [offset, offset + size), sharing the owner. Throws `invalid_argument` when they are not inside.
  SharedBytes slice(std::size_t offset, std::size_t size) const;

 private:
  SharedBytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace alknet
