#include "alknet/stream/storage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/hash.h"
#include "alknet/base/json.h"
#include "alknet/stream/prefault.h"

namespace alknet::stream {
namespace {

namespace fs = std::filesystem;

/// Anonymous memory, zeros until written.
class Pages {
 public:
  explicit Pages(std::uint64_t size) : size_(static_cast<std::size_t>(size)) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
      throw Error(BaseError::kOutOfMemory,
                  fmt::format("[stream] no memory for a model of {} bytes: {}", size, std::strerror(errno)));
    }
    data_ = static_cast<std::byte*>(mapped);
    ::madvise(data_, size_, MADV_HUGEPAGE);  // only faster
  }
  ~Pages() { ::munmap(data_, size_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::span<std::byte> span() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_;
};

class MemoryStorage final : public Storage {
 public:
  MemoryStorage(std::shared_ptr<Pages> pages, tensor::File file) : pages_(std::move(pages)), file_(std::move(file)) {}

  const tensor::File& file() const override { return file_; }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    std::ranges::copy(bytes, pages_->span().subspan(static_cast<std::size_t>(offset)).begin());
  }
  void expect(std::uint64_t offset, std::uint64_t bytes) override {
    prefault_.request(pages_->span().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes)));
  }

 private:
  std::shared_ptr<Pages> pages_;
  tensor::File file_;
  Prefault prefault_;  // ends before the pages do
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

void write_all(int descriptor, const std::string& path, std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw io_error("cannot write", path, errno);
    offset += static_cast<std::uint64_t>(done);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

std::string hidden_name(const std::string& target, std::string_view suffix) {
  const fs::path path(target);
  return (path.parent_path() / ("." + path.filename().string() + std::string(suffix))).string();
}

/// The part of a file that has come, with the note of what that is.
class FileStorage final : public Storage {
 public:
  FileStorage(const std::string& target, std::span<const std::byte> header, std::uint64_t file_bytes)
      : target_(target),
        part_(hidden_name(target, ".alknet-part")),
        note_(part_ + ".json"),
        header_hash_(xxh3_128_hex(header)),
        file_bytes_(file_bytes),
        descriptor_(open_part()) {
    if (!read_note()) begin_anew(header);
    file_.emplace(tensor::File::open(part_));
  }

  const tensor::File& file() const override { return *file_; }
  std::vector<StoredRange> stored() const override { return stored_; }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    write_all(descriptor_.get(), part_, offset, bytes);
  }

  void save_progress(std::span<const StoredRange> written) override {
    if (::fdatasync(descriptor_.get()) != 0) throw io_error("cannot write", part_, errno);
    JsonArray ranges;
    for (const StoredRange& range : written) ranges.push_back(JsonArray{range.index, range.begin, range.end});
    const JsonObject note{{"header", header_hash_}, {"bytes", file_bytes_}, {"ranges", std::move(ranges)}};
    write_file(note_, json_text(note));
  }

  void commit() override {
    if (::fsync(descriptor_.get()) != 0) throw io_error("cannot write", part_, errno);
    if (::rename(part_.c_str(), target_.c_str()) != 0) throw io_error("cannot rename", part_, errno);
    ::unlink(note_.c_str());
    const std::string folder = fs::absolute(target_).parent_path().string();
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.get() < 0 || ::fsync(opened.get()) != 0) throw io_error("cannot sync", folder, errno);
  }

 private:
  Descriptor open_part() const {
    Descriptor opened(::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (opened.get() < 0) throw io_error("cannot open", part_, errno);
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
      throw Error(tensor::TensorError::kTargetBusy,
                  fmt::format("[stream] another download is writing {}; wait for it or choose another name", target_),
                  JsonObject{{"path", target_}});
    }
    return opened;
  }

  /// False when there is no note for this very header.
  bool read_note() {
    constexpr std::uint64_t kMostNote = std::uint64_t{1} << 30;
    try {
      const Json note = parse_json(read_file(note_, kMostNote));
      const JsonObject& members = note.as_object();
      if (members.at("header") != Json(header_hash_) || members.at("bytes").to_number<std::uint64_t>() != file_bytes_ ||
          fs::file_size(part_) != file_bytes_) {
        return false;
      }
      for (const Json& range : members.at("ranges").as_array()) {
        const JsonArray& numbers = range.as_array();
        stored_.push_back({numbers.at(0).to_number<std::uint32_t>(), numbers.at(1).to_number<std::uint64_t>(),
                           numbers.at(2).to_number<std::uint64_t>()});
      }
      return true;
    } catch (const std::exception&) {  // none, or not ours: everything is fetched
      stored_.clear();
      return false;
    }
  }

  void begin_anew(std::span<const std::byte> header) {
    ::unlink(note_.c_str());
    const auto size = static_cast<off_t>(file_bytes_);
    if (::ftruncate(descriptor_.get(), 0) != 0 || ::ftruncate(descriptor_.get(), size) != 0) {
      throw io_error("cannot make a file of that size", part_, errno);
    }
    write_all(descriptor_.get(), part_, 0, header);
  }

  std::string target_;
  std::string part_;
  std::string note_;
  std::string header_hash_;
  std::uint64_t file_bytes_;
  Descriptor descriptor_;
  std::vector<StoredRange> stored_;
  std::optional<tensor::File> file_;
};

void check_room_for_header(std::span<const std::byte> header, std::uint64_t file_bytes) {
  if (header.size() <= file_bytes) return;
  throw Error(tensor::TensorError::kHeaderTruncated,
              fmt::format("[stream] a header of {} bytes came for a file of {}", header.size(), file_bytes));
}

}  // namespace

std::unique_ptr<Storage> memory_storage(std::vector<std::byte> header, std::uint64_t file_bytes, std::string path) {
  check_room_for_header(header, file_bytes);
  // The File reads the header from a copy of its own, so that it is checked before memory is taken for the rest.
  if (file_bytes == 0) static_cast<void>(tensor::File::from_bytes({}, path));  // throws header_too_small
  const auto pages = std::make_shared<Pages>(file_bytes);
  std::ranges::copy(header, pages->span().begin());
  tensor::File file = tensor::File::from_bytes(SharedBytes::wrap(pages->span(), pages), std::move(path));
  return std::make_unique<MemoryStorage>(pages, std::move(file));
}

std::unique_ptr<Storage> file_storage(const std::string& target, std::vector<std::byte> header,
                                      std::uint64_t file_bytes) {
  check_room_for_header(header, file_bytes);
  return std::make_unique<FileStorage>(target, header, file_bytes);
}

}  // namespace alknet::stream
