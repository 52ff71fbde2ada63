#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "alknet/base/bytes.h"

namespace alknet::tensor {

/// Why bytes are no FlatBuffer, and at which of them.
struct FlatBufferFault {
  const char* what;
  std::size_t offset;
};

class FlatVector;

/// A table of an untrusted FlatBuffer (https://flatbuffers.dev/internals), read without generated code: fields are
/// named by their number in the schema. Every access is checked as the verifier of the FlatBuffers library does, when
/// it happens, and throws FlatBufferFault. A table borrows the buffer; copying is cheap.
class FlatTable {
 public:
  /// The root of a buffer.
  static FlatTable root(std::span<const std::byte> buffer);

  bool has(unsigned field) const { return place(field) != 0; }

  /// A number, or `otherwise` when the field is absent.
  template <typename T>
  T number(unsigned field, T otherwise = {}) const {
    const std::size_t at = place(field);
    if (at == 0) return otherwise;
    check(at, sizeof(T), sizeof(T));
    return load_le<T>(buffer_.data() + at);
  }

  /// A table, a string or a vector; nothing, or an empty one, when the field is absent.
  std::optional<FlatTable> table(unsigned field) const;
  std::string_view text(unsigned field) const;
  FlatVector vector(unsigned field, std::size_t item_bytes, std::size_t item_align) const;

 private:
  friend class FlatVector;
  FlatTable(std::span<const std::byte> buffer, std::size_t position);

  void check(std::size_t at, std::size_t bytes, std::size_t align) const;
  std::size_t place(unsigned field) const;
  std::size_t follow(std::size_t at) const;

  std::span<const std::byte> buffer_;
  std::size_t position_;
  std::size_t vtable_ = 0;
  std::size_t vtable_bytes_ = 0;
};

/// A vector of structs, or of tables (items of 4 bytes that point to them).
class FlatVector {
 public:
  std::size_t size() const { return count_; }

  /// A number at `offset` in item `i`, which must be below `size`; `offset` inside the item.
  template <typename T>
  T number(std::size_t i, std::size_t offset) const {
    return load_le<T>(buffer_.data() + start_ + i * item_bytes_ + offset);
  }
  FlatTable table(std::size_t i) const;

 private:
  friend class FlatTable;
  std::span<const std::byte> buffer_ = {};
  std::size_t start_ = 0;
  std::size_t count_ = 0;
  std::size_t item_bytes_ = 0;
};

}  // namespace alknet::tensor
