#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/tensor/output_file.h"

namespace alknet::tensor {

/// Writes a zip archive of stored members (APPNOTE 6.3, always with the zip64 extension, as numpy.savez does), all or
/// nothing and in constant memory. One thread. Throws `io_error`, `target_busy`.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& target);

  /// Begins a member; the one before must have got all its bytes.
  void begin(std::string_view name, std::uint64_t bytes);

  /// The member's next bytes.
  void write(std::span<const std::byte> bytes);

  /// Writes the directory, syncs and renames onto the target.
  void close();

 private:
  struct Member {
    std::string name;
    std::uint64_t bytes;
    std::uint64_t offset;
    std::uint32_t crc;
  };

  void finish_member();
  void put(std::span<const std::byte> bytes);

  OutputFile output_;
  std::uint64_t position_ = 0;
  std::vector<Member> members_;
};

}  // namespace alknet::tensor
