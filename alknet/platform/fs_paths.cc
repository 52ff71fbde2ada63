#include "alknet/platform/fs_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/runtime/error.h"

namespace alknet::platform {
namespace {

namespace stdfs = std::filesystem;

/// Absolute, without ".", ".." and links; parts behind the last that exists are kept as they are.
stdfs::path real_path(const stdfs::path& path) {
  std::error_code failed;
  stdfs::path real = stdfs::weakly_canonical(stdfs::absolute(path), failed);
  if (failed) throw io_error("open", path.string(), failed.value());
  if (!real.has_filename() && real.has_parent_path()) real = real.parent_path();
  return real;
}

/// A link at the end that leads nowhere still leads somewhere: what is made through it would be there.
stdfs::path through_dangling_links(stdfs::path path) {
  constexpr int kMostLinks = 40;
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code failed;
    if (!stdfs::is_symlink(stdfs::symlink_status(path, failed))) return path;
    stdfs::path target = stdfs::read_symlink(path, failed);
    if (failed) throw io_error("read link", path.string(), failed.value());
    path = real_path(target.is_absolute() ? target : path.parent_path() / target);
  }
  throw io_error("open", path.string(), ELOOP);
}

bool is_at_or_below(const stdfs::path& path, const stdfs::path& root) {
  const auto [end, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end == root.end() || (end != root.end() && end->empty());
}

void refuse_zeros(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    throw Error(BaseError::kInvalidArgument, "[fs] a path is not empty and holds no zero byte");
  }
}

}  // namespace

FsPrivileges FsPrivileges::everything() {
  FsPrivileges all;
  all.everything_ = true;
  return all;
}

FsPrivileges::FsPrivileges(const std::vector<FsRule>& rules) {
  for (const FsRule& rule : rules) rules_.push_back({real_path(rule.path), rule.write});
}

void FsPrivileges::require(const stdfs::path& real, std::string_view asked, bool write) const {
  if (everything_) return;
  const bool allowed = std::any_of(rules_.begin(), rules_.end(), [&](const FsRule& rule) {
    return (rule.write || !write) && is_at_or_below(real, rule.path);
  });
  if (allowed) return;
  throw Error(runtime::RuntimeError::kPermissionDenied,
              fmt::format("[fs] this script may not {} {}", write ? "write" : "read", asked),
              JsonObject{{"privilege", "allowFs"}, {"path", asked}, {"access", write ? "write" : "read"}});
}

FsEntry FsPrivileges::open(std::string_view path, bool write, Last last, bool make_folders) const {
  if (!everything_) {
    return FsEntry::at_real(last == Last::kFollow ? resolve(path, write) : resolve_entry(path, write), make_folders);
  }
  refuse_zeros(path);
  stdfs::path plain(path);
  if (write && last == Last::kFollow) {
    // A file is replaced where it really is; a device or a pipe is written to by the path that leads there.
    std::error_code failed;
    const auto type = stdfs::status(plain, failed).type();
    const bool special = stdfs::exists(stdfs::file_status(type)) && type != stdfs::file_type::regular &&
                         type != stdfs::file_type::directory;
    if (!special) plain = resolve(path, write);
  }
  return FsEntry::at_path(std::move(plain), make_folders);
}

stdfs::path FsPrivileges::resolve(std::string_view path, bool write) const {
  refuse_zeros(path);
  stdfs::path real = through_dangling_links(real_path(stdfs::path(path)));
  require(real, path, write);
  return real;
}

stdfs::path FsPrivileges::resolve_entry(std::string_view path, bool write) const {
  refuse_zeros(path);
  stdfs::path plain = stdfs::absolute(stdfs::path(path));
  while (!plain.has_filename() && plain.has_relative_path()) plain = plain.parent_path();
  // ".." behind a link leads to the folder above what the link stands for.
  const bool is_folder = plain.filename() == "." || plain.filename() == ".." || !plain.has_relative_path();
  stdfs::path real = is_folder ? real_path(plain) : real_path(plain.parent_path()) / plain.filename();
  require(real, path, write);
  return real;
}

}  // namespace alknet::platform
