#include "alknet/tensor/import/flatbuffer.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kVtableHeader = 4;  // its own size and the table's

}  // namespace

FlatTable FlatTable::root(std::span<const std::byte> buffer) {
  if (buffer.size() < 8) throw FlatBufferFault{"too short", 0};
  const auto offset = load_le<std::uint32_t>(buffer.data());
  if (offset == 0 || offset > buffer.size()) throw FlatBufferFault{"the root is outside", 0};
  return FlatTable(buffer, offset);
}

FlatTable::FlatTable(std::span<const std::byte> buffer, std::size_t position) : buffer_(buffer), position_(position) {
  check(position, 4, 4);
  const auto back = static_cast<std::int64_t>(load_le<std::int32_t>(buffer.data() + position));
  const std::int64_t vtable = static_cast<std::int64_t>(position) - back;
  if (vtable < 0 || static_cast<std::uint64_t>(vtable) >= buffer.size()) {
    throw FlatBufferFault{"a vtable is outside", position};
  }
  vtable_ = static_cast<std::size_t>(vtable);
  check(vtable_, kVtableHeader, 2);
  vtable_bytes_ = load_le<std::uint16_t>(buffer.data() + vtable_);
  if (vtable_bytes_ < kVtableHeader || vtable_bytes_ % 2 != 0) throw FlatBufferFault{"a bad vtable", vtable_};
  check(vtable_, vtable_bytes_, 2);
}

void FlatTable::check(std::size_t at, std::size_t bytes, std::size_t align) const {
  if (at > buffer_.size() || bytes > buffer_.size() - at) throw FlatBufferFault{"an offset leaves the buffer", at};
  if (at % align != 0) throw FlatBufferFault{"an offset is not aligned", at};
}

std::size_t FlatTable::place(unsigned field) const {
  const std::size_t slot = kVtableHeader + 2 * std::size_t{field};
  if (slot + 2 > vtable_bytes_) return 0;
  const auto offset = load_le<std::uint16_t>(buffer_.data() + vtable_ + slot);
  return offset == 0 ? 0 : position_ + offset;
}

std::size_t FlatTable::follow(std::size_t at) const {
  check(at, 4, 4);
  const auto offset = load_le<std::uint32_t>(buffer_.data() + at);
  if (offset == 0 || offset > buffer_.size() - at) throw FlatBufferFault{"an offset leaves the buffer", at};
  return at + offset;
}

std::optional<FlatTable> FlatTable::table(unsigned field) const {
  const std::size_t at = place(field);
  if (at == 0) return std::nullopt;
  return FlatTable(buffer_, follow(at));
}

std::string_view FlatTable::text(unsigned field) const {
  if (!has(field)) return {};
  const FlatVector bytes = vector(field, 1, 1);
  if (bytes.start_ + bytes.count_ >= buffer_.size() || buffer_[bytes.start_ + bytes.count_] != std::byte{0}) {
    throw FlatBufferFault{"a string does not end in NUL", bytes.start_};
  }
  return {reinterpret_cast<const char*>(buffer_.data()) + bytes.start_, bytes.count_};
}

FlatVector FlatTable::vector(unsigned field, std::size_t item_bytes, std::size_t item_align) const {
  FlatVector vector;
  const std::size_t at = place(field);
  if (at == 0) return vector;
  const std::size_t start = follow(at);
  check(start, 4, 4);
  vector.buffer_ = buffer_;
  vector.start_ = start + 4;
  vector.count_ = load_le<std::uint32_t>(buffer_.data() + start);
  vector.item_bytes_ = item_bytes;
  if (vector.count_ > (buffer_.size() - vector.start_) / item_bytes) {
    throw FlatBufferFault{"a vector leaves the buffer", start};
  }
  if (vector.count_ > 0) check(vector.start_, item_bytes, item_align);
  return vector;
}

FlatTable FlatVector::table(std::size_t i) const {
  const std::size_t at = start_ + i * item_bytes_;
  const auto offset = load_le<std::uint32_t>(buffer_.data() + at);
  if (offset == 0 || offset > buffer_.size() - at) throw FlatBufferFault{"an offset leaves the buffer", at};
  return FlatTable(buffer_, at + offset);
}

}  // namespace alknet::tensor
