#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace alknet::tensor {

/// A file that has no name until `commit`: the target of a Writer. Where the file system cannot make nameless files it
/// is `.<name>.alknet-tmp` beside the target, locked while in use, so that the leftover of a killed process can be told
/// from the work of a living one.
///
/// `write_at` and `read_at` may be called from several threads. All functions throw `io_error`; a file size limit of
/// the process is an error, not a signal.
class OutputFile {
 public:
  /// Removes a leftover of the same target first. Throws `target_busy` when another process is writing it.
  explicit OutputFile(std::string target);

  /// Removes the file unless committed.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  void read_at(std::uint64_t offset, std::span<std::byte> into) const;

  /// Sets the length; new bytes are zeros and take no space until they are written.
  void resize(std::uint64_t size);

  /// Syncs the bytes to disk, gives them the target's name in place of what had it, and syncs the folder.
  void commit();

 private:
  void remove_leftover() const;
  void link_temporary();

  std::string target_;
  std::string folder_;
  std::string temporary_;
  int descriptor_ = -1;
  bool has_name_ = false;  // `temporary_` is ours
};

/// Bytes that are written once from the start and then read, in a nameless file beside the target. One thread at a
/// time. Throws `io_error`.
class SpoolFile {
 public:
  /// `target` is the file that this one helps to write.
  explicit SpoolFile(const std::string& target);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  std::uint64_t size() const { return size_; }
  void append(std::span<const std::byte> bytes);

  /// Appends zeros up to a multiple of `alignment`.
  void align(std::uint64_t alignment);

  /// Copies everything to `output` at `offset`.
  void copy_to(OutputFile& output, std::uint64_t offset);

 private:
  void flush();

  std::string target_;
  std::string buffer_;  // not yet in the file
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace alknet::tensor
