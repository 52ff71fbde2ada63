#include "alknet/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <utility>

#include "alknet/base/descriptor.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto folder = path.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

std::filesystem::path user_folder(const char* variable, const char* below_home) {
  if (const char* value = std::getenv(variable); value && std::filesystem::path(value).is_absolute()) {
    return std::filesystem::path(value) / "alknet";
  }
  if (const char* home = std::getenv("HOME"); home && std::filesystem::path(home).is_absolute()) {
    return std::filesystem::path(home) / below_home / "alknet";
  }
  throw Error(BaseError::kNotFound,
              fmt::format("neither {} nor HOME names an absolute folder: set one of them", variable));
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const Descriptor file(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (file.get() < 0) throw io_error("open", path.native(), errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw io_error("stat", path.native(), errno);
  if (S_ISDIR(status.st_mode)) throw io_error("read", path.native(), EISDIR);
  return read_descriptor(file.get(), path, max_bytes);
}

std::string read_descriptor(int descriptor, const std::filesystem::path& path, std::uint64_t max_bytes,
                            const std::function<void()>& wait) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw io_error("stat", path.native(), errno);
  const auto refuse = [&] {
    return Error(BaseError::kInvalidArgument,
                 fmt::format("{} has more than the {} bytes that are read at most", path.native(), max_bytes),
                 JsonObject{{"path", path.native()}, {"max_bytes", max_bytes}});
  };
  // Pipes and /proc files say 0 and give more, so the size is only a hint.
  const auto hint = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (hint > max_bytes) throw refuse();
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(used == 0 ? hint + 1 : used + std::max<std::size_t>(used / 2, 65536));
    const auto got = retry([&] { return ::read(descriptor, text.data() + used, text.size() - used); });
    if (got < 0 && errno == EAGAIN && wait) {
      wait();
      continue;
    }
    if (got < 0) throw io_error("read", path.native(), errno);
    used += static_cast<std::size_t>(got);
    if (used > max_bytes) throw refuse();
    if (got == 0) break;
  }
  text.resize(used);
  return text;
}

AtomicFile::AtomicFile(std::filesystem::path path, unsigned mode)
    : folder_(AT_FDCWD), name_(path), path_(std::move(path)) {
  create(mode);
}

AtomicFile::AtomicFile(int folder, std::filesystem::path name, std::filesystem::path path, unsigned mode)
    : folder_(folder), name_(std::move(name)), path_(std::move(path)) {
  create(mode);
}

void AtomicFile::create(unsigned mode) {
  if (name_.filename().empty()) throw io_error("create", path_.native(), EISDIR);
  std::random_device random;
  std::filesystem::path name;
  do {
    name = folder_of(name_) / fmt::format(".{}.{:08x}", name_.filename().native(), random());
    descriptor_ = retry([&] { return ::openat(folder_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode); });
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) throw io_error("create", path_.native(), errno);
  temporary_ = std::move(name);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlinkat(folder_, temporary_.c_str(), 0);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_at(size_, bytes);
  size_ += bytes.size();
}

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto put =
        retry([&] { return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (put < 0) throw io_error("write", path_.native(), errno);
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) throw io_error("flush", path_.native(), errno);
  publish();
  // The new name itself is durable only when the folder is; file systems that cannot flush a folder need not.
  const Descriptor folder(::openat(folder_, folder_of(name_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno != EINVAL && errno != EROFS) {
    throw io_error("flush folder", folder_of(path_).native(), errno);
  }
}

void AtomicFile::publish() {
  if (::close(std::exchange(descriptor_, -1)) != 0) throw io_error("close", path_.native(), errno);
  if (::renameat(folder_, temporary_.c_str(), folder_, name_.c_str()) != 0)
    throw io_error("rename", path_.native(), errno);
  temporary_.clear();
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

void make_folders(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw io_error("create folder", path.native(), error.value());
}

std::filesystem::path cache_folder() { return user_folder("XDG_CACHE_HOME", ".cache"); }
std::filesystem::path config_folder() { return user_folder("XDG_CONFIG_HOME", ".config"); }

}  // namespace alknet
