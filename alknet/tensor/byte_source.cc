#include "alknet/tensor/byte_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/tensor/fault.h"

namespace alknet::tensor {

ByteSource ByteSource::open(const std::string& path, Access access) {
  ByteSource source;
  source.path_ = path;
  // Without O_NONBLOCK, opening a FIFO waits for a writer; regular files ignore it.
  source.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (source.descriptor_ < 0) throw io_error("cannot open", path, errno);
  struct stat status;
  if (fstat(source.descriptor_, &status) != 0) throw io_error("cannot examine", path, errno);
  if (!S_ISREG(status.st_mode)) throw io_error("not a regular file", path, S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  source.size_ = static_cast<std::uint64_t>(status.st_size);
  if (access == Access::kRead || source.size_ == 0) return source;

  void* memory = mmap(nullptr, source.size_, PROT_READ, MAP_SHARED, source.descriptor_, 0);
  if (memory == MAP_FAILED) throw io_error("cannot map", path, errno);
  source.bytes_ = {static_cast<const std::byte*>(memory), source.size_};
  source.mapped_ = true;
  ::close(std::exchange(source.descriptor_, -1));
  return source;
}

ByteSource ByteSource::memory(SharedBytes bytes, std::string path) {
  ByteSource source;
  source.path_ = std::move(path);
  source.size_ = bytes.size();
  source.bytes_ = bytes.span();
  source.owner_ = std::move(bytes);
  return source;
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : path_(std::move(other.path_)),
      size_(other.size_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_(std::exchange(other.bytes_, {})),
      owner_(std::move(other.owner_)),
      mapped_(std::exchange(other.mapped_, false)) {}

ByteSource::~ByteSource() {
  if (mapped_) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ByteSource::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (in_memory()) {
    std::ranges::copy(bytes_.subspan(offset, into.size()), into.begin());
    return;
  }
  while (!into.empty()) {
    const ssize_t got = pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error("cannot read", path_, errno);
    if (got == 0) throw io_error("the file became shorter while it was read", path_, EIO);
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void ByteSource::advise(std::uint64_t offset, std::uint64_t size, int advice) const {
  if (size == 0) return;
  if (!mapped_) {
    if (!in_memory() && advice == POSIX_MADV_WILLNEED) {
      posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
    }
    return;
  }
  // Advice is for whole pages; a hint that the kernel does not take changes nothing.
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t start = offset / page * page;
  madvise(const_cast<std::byte*>(bytes_.data()) + start, size + (offset - start), advice);
}

}  // namespace alknet::tensor
