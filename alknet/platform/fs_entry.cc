#include "alknet/platform/fs_entry.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/runtime/error.h"

namespace alknet::platform {
namespace {

namespace stdfs = std::filesystem;
using stdfs::file_type;

constexpr unsigned kNewFile = 0666, kNewFolder = 0777;

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(BaseError::kAborted, "[fs] given up: the script has ended");
}

/// Waits until a file can be read or written, or a stop is requested.
class FileWait {
 public:
  FileWait(int file, short events, const std::stop_token& stop)
      : file_(file),
        events_(events),
        stop_(stop),
        wake_(::eventfd(0, EFD_CLOEXEC)),
        on_stop_(stop, Wake{wake_.get()}) {}

  void operator()() const {
    std::array<pollfd, 2> both = {{{file_, events_, 0}, {wake_.get(), POLLIN, 0}}};
    retry([&] { return ::poll(both.data(), both.size(), -1); });
    throw_if_stopped(stop_);
  }

 private:
  struct Wake {
    int event;
    void operator()() const { static_cast<void>(::eventfd_write(event, 1)); }
  };

  int file_;
  short events_;
  std::stop_token stop_;
  Descriptor wake_;
  std::stop_callback<Wake> on_stop_;
};

Error became_a_link(const stdfs::path& path) {
  return {runtime::RuntimeError::kPermissionDenied,
          fmt::format("[fs] {} leads through a link that was not there a moment ago", path.native()),
          JsonObject{{"privilege", "allowFs"}, {"path", path.native()}}};
}

file_type type_of(mode_t mode) {
  if (S_ISREG(mode)) return file_type::regular;
  if (S_ISDIR(mode)) return file_type::directory;
  return S_ISLNK(mode) ? file_type::symlink : file_type::unknown;
}

void write_all(int file, std::span<const std::byte> bytes, const stdfs::path& path, const FileWait& wait) {
  while (!bytes.empty()) {
    const auto put = retry([&] { return ::write(file, bytes.data(), bytes.size()); });
    if (put < 0 && errno != EAGAIN) throw io_error("write", path.native(), errno);
    if (put < 0) {
      wait();
    } else {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// The entries of an open folder.
template <typename Take>
void each_entry(Descriptor folder, const stdfs::path& path, Take take) {
  const std::unique_ptr<DIR, CloseFolder> entries(::fdopendir(folder.get()));
  if (entries == nullptr) throw io_error("readdir", path.native(), errno);
  const int number = folder.release();
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr && errno != 0) throw io_error("readdir", path.native(), errno);
    if (entry == nullptr) return;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") take(number, *entry);
  }
}

void remove_tree(int folder, const std::string& name, const stdfs::path& path) {
  if (::unlinkat(folder, name.c_str(), 0) == 0) return;
  if (errno != EISDIR) throw io_error("rm", path.native(), errno);
  Descriptor inside(
      retry([&] { return ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  if (inside.get() < 0) throw io_error("rm", path.native(), errno);
  each_entry(std::move(inside), path, [&](int open, const dirent& entry) {
    const std::string child = entry.d_name;
    remove_tree(open, child, path / child);
  });
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) throw io_error("rm", path.native(), errno);
}

}  // namespace

FsEntry::FsEntry(Descriptor folder, std::string name, stdfs::path path, bool follow)
    : folder_(std::move(folder)), name_(std::move(name)), path_(std::move(path)), follow_(follow) {}

FsEntry FsEntry::at_real(const stdfs::path& real, bool make_folders) {
  constexpr int kFolder = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Descriptor folder(::open("/", kFolder));
  stdfs::path way = "/";
  for (const stdfs::path& part : real.parent_path().relative_path()) {
    way /= part;
    const auto enter = [&] { return retry([&] { return ::openat(folder.get(), part.c_str(), kFolder); }); };
    Descriptor next(enter());
    if (next.get() < 0 && errno == ENOENT && make_folders) {
      if (::mkdirat(folder.get(), part.c_str(), kNewFolder) != 0 && errno != EEXIST) {
        throw io_error("mkdir", way.native(), errno);
      }
      next = Descriptor(enter());
    }
    if (next.get() < 0) {
      const int reason = errno;
      struct stat status {};
      const int found = ::fstatat(folder.get(), part.c_str(), &status, AT_SYMLINK_NOFOLLOW);
      if (found == 0 && S_ISLNK(status.st_mode)) throw became_a_link(way);
      throw io_error("open", real.native(), reason);
    }
    folder = std::move(next);
  }
  return {std::move(folder), real.has_filename() ? real.filename().native() : ".", real, false};
}

FsEntry FsEntry::at_path(stdfs::path path, bool make_folders) {
  if (make_folders) alknet::make_folders(path.has_filename() ? path.parent_path() : path.parent_path().parent_path());
  std::string name = path.native();
  return {Descriptor(), std::move(name), std::move(path), true};
}

int FsEntry::folder() const { return folder_.get() < 0 ? AT_FDCWD : folder_.get(); }

void FsEntry::fail(std::string_view what, int error_number) const {
  if (error_number == ELOOP && !follow_) throw became_a_link(path_);
  throw io_error(what, path_.native(), error_number);
}

Descriptor FsEntry::open(int flags, unsigned mode) const {
  // A pipe that nobody has opened at its other end is not waited for.
  const int all = flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow_ ? 0 : O_NOFOLLOW);
  Descriptor file(retry([&] { return ::openat(folder(), name_.c_str(), all, mode); }));
  if (file.get() < 0) fail("open", errno);
  return file;
}

void FsEntry::with_source(std::string_view what, const std::stop_token& stop,
                          const std::function<void(const Source&)>& use) const {
  const Descriptor file = open(O_RDONLY);
  const FileWait wait(file.get(), POLLIN, stop);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("stat", errno);
  if (S_ISDIR(status.st_mode)) fail(what, EISDIR);
  // A pipe without a writer is at its end for `read`; poll waits for the first one.
  if (!S_ISREG(status.st_mode)) wait();
  use({file.get(), status.st_mode & kNewFolder, std::ref(wait)});
}

std::string FsEntry::read(std::uint64_t max_bytes, const std::stop_token& stop) const {
  std::string content;
  with_source("read", stop,
              [&](const Source& source) { content = read_descriptor(source.file, path_, max_bytes, source.wait); });
  return content;
}

void FsEntry::replace(unsigned mode, const std::stop_token& stop, const std::function<void(const Put&)>& fill) const {
  struct stat status {};
  const bool there = ::fstatat(folder(), name_.c_str(), &status, follow_ ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
  if (!there && errno != ENOENT) fail("open", errno);
  if (there && S_ISLNK(status.st_mode)) throw became_a_link(path_);
  if (there && S_ISDIR(status.st_mode)) fail("write", EISDIR);
  if (there && !S_ISREG(status.st_mode)) {
    const Descriptor file = open(O_WRONLY);
    const FileWait wait(file.get(), POLLOUT, stop);
    return fill([&](std::span<const std::byte> bytes) { write_all(file.get(), bytes, path_, wait); });
  }
  AtomicFile file(folder(), name_, path_, mode);
  fill([&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

void FsEntry::write(std::span<const std::byte> bytes, const std::stop_token& stop) const {
  replace(kNewFile, stop, [&](const Put& put) { put(bytes); });
}

void FsEntry::append(std::span<const std::byte> bytes, const std::stop_token& stop) const {
  const Descriptor file = open(O_WRONLY | O_APPEND | O_CREAT, kNewFile);
  write_all(file.get(), bytes, path_, FileWait(file.get(), POLLOUT, stop));
}

void FsEntry::copy_to(const FsEntry& target, const std::stop_token& stop) const {
  const auto copy = [&](const Source& source, const Put& put) {
    std::vector<std::byte> buffer(std::size_t{1} << 18U);
    for (;;) {
      throw_if_stopped(stop);  // a device may go on for ever
      const auto got = retry([&] { return ::read(source.file, buffer.data(), buffer.size()); });
      if (got == 0) return;
      if (got < 0 && errno != EAGAIN) fail("read", errno);
      if (got < 0) {
        source.wait();
      } else {
        put(std::span(buffer).first(static_cast<std::size_t>(got)));
      }
    }
  };
  with_source("copyFile", stop, [&](const Source& source) {
    target.replace(source.permissions, stop, [&](const Put& put) { copy(source, put); });
  });
}

std::vector<EntryFacts> FsEntry::list() const {
  std::vector<EntryFacts> all;
  each_entry(open(O_RDONLY | O_DIRECTORY), path_, [&](int folder, const dirent& entry) {
    EntryFacts facts;
    facts.name = entry.d_name;
    facts.type = type_of(DTTOIF(entry.d_type));
    struct stat status {};
    if (entry.d_type == DT_UNKNOWN && ::fstatat(folder, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      facts.type = type_of(status.st_mode);
    }
    all.push_back(std::move(facts));
  });
  std::ranges::sort(all, {}, &EntryFacts::name);
  return all;
}

EntryFacts FsEntry::facts(bool of_link) const {
  struct stat status {};
  const int flags = of_link || !follow_ ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(folder(), name_.c_str(), &status, flags) != 0) fail("stat", errno);
  if (S_ISLNK(status.st_mode) && !of_link) throw became_a_link(path_);
  EntryFacts facts;
  facts.name = path_.filename().native();
  facts.type = type_of(status.st_mode);
  if (S_ISREG(status.st_mode)) facts.size = static_cast<std::uint64_t>(status.st_size);
  facts.modified_ms =
      static_cast<double>(status.st_mtim.tv_sec) * 1000 + static_cast<double>(status.st_mtim.tv_nsec) / 1e6;
  return facts;
}

bool FsEntry::exists() const {
  struct stat status {};
  return ::fstatat(folder(), name_.c_str(), &status, follow_ ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
}

void FsEntry::make_folder(bool may_exist) const {
  if (::mkdirat(folder(), name_.c_str(), kNewFolder) == 0) return;
  const int reason = errno;
  if (reason != EEXIST || !may_exist || facts(false).type != file_type::directory) fail("mkdir", reason);
}

void FsEntry::remove(bool recursive, bool force) const {
  struct stat status {};
  if (::fstatat(folder(), name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT && force) return;
    fail("rm", errno);
  }
  if (S_ISDIR(status.st_mode) && !recursive) fail("rm", EISDIR);
  if (recursive) return remove_tree(folder(), name_, path_);
  if (::unlinkat(folder(), name_.c_str(), 0) != 0) fail("rm", errno);
}

void FsEntry::rename_to(const FsEntry& target) const {
  if (::renameat(folder(), name_.c_str(), target.folder(), target.name_.c_str()) != 0) {
    throw io_error("rename", fmt::format("{} to {}", path_.native(), target.path_.native()), errno);
  }
}

}  // namespace alknet::platform
