#include "alknet/tensor/zip_writer.h"

#include <zlib.h>

#include <array>

#include "alknet/base/bytes.h"

namespace alknet::tensor {
namespace {

constexpr std::uint16_t kZip64Version = 45;
constexpr std::uint16_t kUtf8Names = 1 << 11;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;      // the true number is in the zip64 extension
constexpr std::uint16_t kFirstDay = 1 << 5 | 1;  // 1980-01-01: equal contents give equal archives
constexpr std::uint64_t kCrcOffset = 14;         // in the header of a member

/// Collects little-endian numbers.
class Fields {
 public:
  template <typename T>
  Fields& add(T value) {
    std::array<std::byte, sizeof value> bytes;
    store_le(bytes.data(), value);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Fields& add_text(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

std::uint16_t short_size(std::string_view name) { return static_cast<std::uint16_t>(name.size()); }

// What local header and directory entry have in common: version, flags, method, time, CRC, sizes, name length.
void add_common(Fields& fields, std::string_view name, std::uint32_t crc) {
  fields.add(kZip64Version).add(kUtf8Names).add<std::uint16_t>(0).add<std::uint16_t>(0).add(kFirstDay).add(crc);
  fields.add(kIn64).add(kIn64).add(short_size(name));
}

}  // namespace

ZipWriter::ZipWriter(const std::string& target) : output_(target) {}

void ZipWriter::put(std::span<const std::byte> bytes) {
  output_.write_at(position_, bytes);
  position_ += bytes.size();
}

void ZipWriter::begin(std::string_view name, std::uint64_t bytes) {
  finish_member();
  members_.push_back({std::string(name), bytes, position_, static_cast<std::uint32_t>(crc32_z(0, nullptr, 0))});
  Fields header;
  header.add<std::uint32_t>(0x04034B50);
  add_common(header, name, 0);
  header.add<std::uint16_t>(20).add_text(name);
  header.add<std::uint16_t>(1).add<std::uint16_t>(16).add(bytes).add(bytes);
  put(header.bytes());
}

void ZipWriter::write(std::span<const std::byte> bytes) {
  Member& member = members_.back();
  member.crc = static_cast<std::uint32_t>(
      crc32_z(member.crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  put(bytes);
}

void ZipWriter::finish_member() {
  if (members_.empty()) return;
  std::byte crc[4];
  store_le(crc, members_.back().crc);
  output_.write_at(members_.back().offset + kCrcOffset, crc);
}

void ZipWriter::close() {
  finish_member();
  const std::uint64_t directory = position_;
  for (const Member& member : members_) {
    Fields entry;
    entry.add<std::uint32_t>(0x02014B50).add(kZip64Version);
    add_common(entry, member.name, member.crc);
    entry.add<std::uint16_t>(28).add<std::uint16_t>(0).add<std::uint16_t>(0).add<std::uint16_t>(0);
    entry.add<std::uint32_t>(0).add(kIn64).add_text(member.name);
    entry.add<std::uint16_t>(1).add<std::uint16_t>(24).add(member.bytes).add(member.bytes).add(member.offset);
    put(entry.bytes());
  }
  const std::uint64_t end = position_;
  Fields tail;
  tail.add<std::uint32_t>(0x06064B50).add<std::uint64_t>(44).add(kZip64Version).add(kZip64Version);
  tail.add<std::uint32_t>(0).add<std::uint32_t>(0);
  tail.add<std::uint64_t>(members_.size()).add<std::uint64_t>(members_.size());
  tail.add(end - directory).add(directory);
  tail.add<std::uint32_t>(0x07064B50).add<std::uint32_t>(0).add(end).add<std::uint32_t>(1);
  tail.add<std::uint32_t>(0x06054B50).add<std::uint16_t>(0).add<std::uint16_t>(0);
  tail.add<std::uint16_t>(0xFFFF).add<std::uint16_t>(0xFFFF).add(kIn64).add(kIn64).add<std::uint16_t>(0);
  put(tail.bytes());
  output_.commit();
}

}  // namespace alknet::tensor
