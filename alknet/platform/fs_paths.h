#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "alknet/platform/fs_entry.h"

namespace alknet::platform {

/// What a script may do below one folder (or with one file).
struct FsRule {
  std::filesystem::path path;
  bool write = false;  ///< also change what is there; reading is always part of it
};

/// Which files a script may use. A value; immutable.
class FsPrivileges {
 public:
  /// Nothing.
  FsPrivileges() = default;

  /// Everything that the user may.
  static FsPrivileges everything();

  /// What is at or below these paths, which are made absolute from the working folder. A rule whose path does not exist
  /// allows it to be made.
  explicit FsPrivileges(const std::vector<FsRule>& rules);

  /// What is to be done with a link at the end of a path.
  enum class Last { kFollow, kKeep };

  /// What is at `path`, opened for use: links on the way are followed, and none that is put there later counts. Throws
  /// as `resolve`, and `io_error` when a folder on the way cannot be opened; with `make_folders` missing ones are made.
  FsEntry open(std::string_view path, bool write, Last last = Last::kFollow, bool make_folders = false) const;

  /// The real path behind `path`, all links on the way followed, also when its last part does not exist.
  /// Throws Error `permission_denied` unless a rule allows it there: a link that leads outside does not help.
  std::filesystem::path resolve(std::string_view path, bool write) const;

  /// The same for what is to be done with a link itself (remove, rename): its folder is followed, it is not.
  std::filesystem::path resolve_entry(std::string_view path, bool write) const;

 private:
  void require(const std::filesystem::path& real, std::string_view asked, bool write) const;

  bool everything_ = false;
  std::vector<FsRule> rules_;
};

}  // namespace alknet::platform
