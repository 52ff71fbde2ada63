#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "alknet/base/descriptor.h"

namespace alknet::platform {

/// What the system tells of a file, a folder or a link.
struct EntryFacts {
  std::string name;
  std::filesystem::file_type type = std::filesystem::file_type::none;
  std::uint64_t size = 0;  ///< of a regular file
  double modified_ms = 0;  ///< since 1970
};

/// A file or a folder, there or not, by the open folder that it is in and its name there: what it is cannot be changed
/// between the check of its path and its use by putting a link in the way.
///
/// Functions block, but a wait for a pipe, a terminal or a device, and a copy, end with `aborted` on a stop. They throw
/// `io_error`, and `permission_denied` when a link stands where none was when the path was resolved. Any thread.
class FsEntry {
 public:
  /// What is at a real path (absolute; no links, no "." or ".."): the folders on the way are opened one by one, and
  /// what is a link now is refused. With `make_folders` those that are missing are made.
  static FsEntry at_real(const std::filesystem::path& real, bool make_folders = false);

  /// What the system finds at a path, links followed.
  static FsEntry at_path(std::filesystem::path path, bool make_folders = false);

  /// The content. Throws `invalid_argument` when it has more than `max_bytes`.
  std::string read(std::uint64_t max_bytes, const std::stop_token& stop) const;

  /// Replaces a regular file, or makes it, whole or not at all; into anything else but a folder it writes.
  void write(std::span<const std::byte> bytes, const std::stop_token& stop) const;
  void append(std::span<const std::byte> bytes, const std::stop_token& stop) const;
  void copy_to(const FsEntry& target, const std::stop_token& stop) const;

  /// What is in the folder, by name, without "." and "..": names and types.
  std::vector<EntryFacts> list() const;

  /// Of what is there; `of_link`: of a link itself.
  EntryFacts facts(bool of_link) const;
  bool exists() const;

  /// Makes the folder; `may_exist`: it may be there.
  void make_folder(bool may_exist) const;

  /// Removes a file, a link itself, or with `recursive` a folder with all that is in it; `force`: it may be missing.
  void remove(bool recursive, bool force) const;

  void rename_to(const FsEntry& target) const;

 private:
  using Put = std::function<void(std::span<const std::byte>)>;

  /// What is open to be read.
  struct Source {
    int file;
    unsigned permissions;
    std::function<void()> wait;  // until there is more
  };

  FsEntry(Descriptor folder, std::string name, std::filesystem::path path, bool follow);

  int folder() const;
  Descriptor open(int flags, unsigned mode = 0) const;

  /// Opens this to be read, unless it is a folder, and calls `use` as soon as it can be; `what` is for messages.
  void with_source(std::string_view what, const std::stop_token& stop,
                   const std::function<void(const Source&)>& use) const;

  /// Calls `fill` with what puts bytes into the file that takes the place of this.
  void replace(unsigned mode, const std::stop_token& stop, const std::function<void(const Put&)>& fill) const;
  [[noreturn]] void fail(std::string_view what, int error_number) const;

  Descriptor folder_;  // none: the name is a path
  std::string name_;
  std::filesystem::path path_;  // for messages
  bool follow_;                 // links at the end
};

}  // namespace alknet::platform
