#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/import/byte_stream.h"

namespace alknet::tensor {

/// A zip archive of somebody else: stored and deflated members, zip64. Opening reads the table of members.
///
/// Members are distinct bytes of the archive and none is larger than deflate can pack into its bytes, so unpacking
/// takes at most 1,032 times the archive's size. One thread.
class ZipArchive {
 public:
  struct Member {
    std::string name;
    std::uint64_t bytes;  ///< Unpacked.
  };

  /// `source` must outlive the archive. Throws `import_invalid`, `import_unsupported`, `too_many_entries`.
  explicit ZipArchive(const ByteSource& source);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  const std::vector<Member>& members() const { return members_; }

  /// Unpacks a member from its start. Reading its last byte checks its CRC-32. Throws `import_invalid`,
  /// `import_truncated`, `import_unsupported`.
  std::unique_ptr<ByteStream> open(std::size_t member) const;

 private:
  struct Handle;

  std::string path_;
  std::unique_ptr<Handle> handle_;
  std::vector<Member> members_;
};

}  // namespace alknet::tensor
