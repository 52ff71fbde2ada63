#include "alknet/tensor/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/tensor/fault.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kSpoolBuffer = std::size_t{64} << 10;
constexpr std::size_t kCopyBuffer = std::size_t{1} << 20;
constexpr mode_t kMode = 0666;  // less the umask

// Beyond the limit a write would not fail: it would kill the process with SIGXFSZ.
void check_size_limit(std::uint64_t end, const std::string& path) {
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && end > limit.rlim_cur) {
    throw io_error("cannot write: the process may not write files this large (ulimit -f)", path, EFBIG);
  }
}

void write_all(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, const std::string& path) {
  check_size_limit(offset + bytes.size(), path);
  while (!bytes.empty()) {
    const ssize_t put = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw io_error("cannot write", path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

void read_all(int descriptor, std::uint64_t offset, std::span<std::byte> into, const std::string& path) {
  while (!into.empty()) {
    const ssize_t got = pread(descriptor, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw io_error("cannot read back", path, got < 0 ? errno : EIO);
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Nameless files are missing on some file systems (and kernels): they say so in one of these ways.
bool lacks_nameless_files(int error_number) {
  return error_number == EOPNOTSUPP || error_number == EISDIR || error_number == ENOSYS || error_number == EINVAL;
}

[[noreturn]] void refuse_busy(const std::string& target) {
  throw file_error(TensorError::kTargetBusy, {target}, "another process is writing this file", "wait for it to end");
}

}  // namespace

OutputFile::OutputFile(std::string target) : target_(std::move(target)), folder_(folder_of(target_)) {
  const std::string name = name_of(target_);
  struct stat status;
  if (name.empty() || (stat(target_.c_str(), &status) == 0 && S_ISDIR(status.st_mode))) {
    throw io_error("cannot write a file in place of a folder", target_, EISDIR);
  }
  temporary_ = fmt::format("{}/.{}.alknet-tmp", folder_, name);
  remove_leftover();
  descriptor_ = open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
  if (descriptor_ < 0 && lacks_nameless_files(errno)) {
    descriptor_ = open(temporary_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, kMode);
    if (descriptor_ < 0 && errno == EEXIST) refuse_busy(target_);
    has_name_ = descriptor_ >= 0;
  }
  if (descriptor_ < 0) throw io_error("cannot create a file in the folder of", target_, errno);
  flock(descriptor_, LOCK_EX | LOCK_NB);
}

OutputFile::~OutputFile() {
  if (has_name_) unlink(temporary_.c_str());
  if (descriptor_ >= 0) close(descriptor_);
}

void OutputFile::remove_leftover() const {
  const int leftover = open(temporary_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (leftover < 0) return;
  const bool alive = flock(leftover, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!alive) unlink(temporary_.c_str());
  close(leftover);
  if (alive) refuse_busy(target_);
}

void OutputFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  write_all(descriptor_, offset, bytes, target_);
}

void OutputFile::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  read_all(descriptor_, offset, into, target_);
}

void OutputFile::resize(std::uint64_t size) {
  check_size_limit(size, target_);
  if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0) throw io_error("cannot resize", target_, errno);
}

void OutputFile::link_temporary() {
  const std::string self = fmt::format("/proc/self/fd/{}", descriptor_);
  if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    if (errno == EEXIST) refuse_busy(target_);
    throw io_error("cannot name the finished file beside", target_, errno);
  }
  has_name_ = true;
}

void OutputFile::commit() {
  if (fsync(descriptor_) != 0) throw io_error("cannot write to disk", target_, errno);
  if (!has_name_) link_temporary();
  if (rename(temporary_.c_str(), target_.c_str()) != 0) throw io_error("cannot put into place", target_, errno);
  has_name_ = false;
  const int folder = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);  // some file systems refuse; the file itself is complete either way
    close(folder);
  }
}

SpoolFile::SpoolFile(const std::string& target) : target_(target) {
  const std::string folder = folder_of(target);
  descriptor_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor_ < 0 && lacks_nameless_files(errno)) {
    std::string name = fmt::format("{}/.{}.alknet-spool-XXXXXX", folder, name_of(target));
    descriptor_ = mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ >= 0) unlink(name.c_str());
  }
  if (descriptor_ < 0) throw io_error("cannot create a file in the folder of", target_, errno);
  buffer_.reserve(kSpoolBuffer);
}

SpoolFile::~SpoolFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void SpoolFile::flush() {
  write_all(descriptor_, size_ - buffer_.size(), std::as_bytes(std::span(buffer_)), target_);
  buffer_.clear();
}

void SpoolFile::append(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kSpoolBuffer) flush();
  if (bytes.size() > kSpoolBuffer) {
    write_all(descriptor_, size_, bytes, target_);
  } else {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  size_ += bytes.size();
}

void SpoolFile::align(std::uint64_t alignment) {
  const std::vector<std::byte> zeros((alignment - size_ % alignment) % alignment);
  append(zeros);
}

void SpoolFile::copy_to(OutputFile& output, std::uint64_t offset) {
  flush();
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kCopyBuffer, size_));
  for (std::uint64_t done = 0; done < size_;) {
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size_ - done));
    read_all(descriptor_, done, part, target_);
    output.write_at(offset + done, part);
    done += part.size();
  }
}

}  // namespace alknet::tensor
