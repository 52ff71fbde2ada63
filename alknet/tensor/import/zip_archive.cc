#include "alknet/tensor/import/zip_archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <utility>

#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

constexpr std::uint64_t kMaxDeflateRatio = 1'032;  // https://zlib.net/zlib_tech.html
constexpr std::uint64_t kSmallestZip = 22;         // the end of a directory; libzip takes an empty file for an archive
constexpr std::uint64_t kDeflateSlack = 64;        // for the smallest streams

constexpr int kOpenFlags = ZIP_RDONLY | ZIP_CHECKCONS;  // members must agree with the directory

struct ZipCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

[[noreturn]] void fail_zip(TensorError code, std::string_view path, std::string_view what,
                           std::string_view remedy = kDamagedRemedy) {
  throw file_error(code, {path}, fmt::format("zip archive: {}", what), remedy);
}

class MemberStream : public ByteStream {
 public:
  MemberStream(zip_t* archive, std::size_t index, const ZipArchive::Member& member, const std::string& path)
      : file_(zip_fopen_index(archive, index, 0)),
        name_(fmt::format("{}, member {}", path, quoted(member.name))),
        size_(member.bytes) {
    if (!file_) {
      fail_zip(TensorError::kImportUnsupported, name_, zip_strerror(archive),
               "members must be stored or deflated, and not encrypted");
    }
  }

  void read(std::span<std::byte> into) override {
    if (into.size() > size_ - position_) fail_zip(TensorError::kImportTruncated, name_, "the member ends early");
    while (!into.empty()) {
      const auto got = unpack(into);
      if (got == 0) fail_zip(TensorError::kImportTruncated, name_, "the member ends early");
      into = into.subspan(got);
      position_ += got;
    }
    std::byte behind;
    if (position_ == size_ && unpack({&behind, 1}) != 0) {
      fail_zip(TensorError::kImportInvalid, name_, "the member is longer than the archive says");
    }
  }
  std::uint64_t size() const override { return size_; }
  std::string name() const override { return name_; }

 private:
  std::size_t unpack(std::span<std::byte> into) {
    const auto got = zip_fread(file_.get(), into.data(), into.size());
    if (got < 0) fail_zip(TensorError::kImportInvalid, name_, zip_file_strerror(file_.get()));
    return static_cast<std::size_t>(got);
  }

  std::unique_ptr<zip_file_t, ZipCloser> file_;
  std::string name_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;
};

zip_t* open_zip(const ByteSource& source) {
  if (source.size() < kSmallestZip) fail_zip(TensorError::kImportTruncated, source.path(), "the file is too short");
  if (!source.in_memory()) {
    int code = 0;
    zip_t* archive = zip_open(source.path().c_str(), kOpenFlags, &code);
    if (archive != nullptr) return archive;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    fail_zip(TensorError::kImportInvalid, source.path(), reason);
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* bytes = zip_source_buffer_create(source.bytes().data(), source.size(), 0, &error);
  zip_t* archive = bytes == nullptr ? nullptr : zip_open_from_source(bytes, kOpenFlags, &error);
  if (archive == nullptr && bytes != nullptr) zip_source_free(bytes);
  const std::string reason = archive == nullptr ? zip_error_strerror(&error) : "";
  zip_error_fini(&error);
  if (archive == nullptr) fail_zip(TensorError::kImportInvalid, source.path(), reason);
  return archive;
}

}  // namespace

struct ZipArchive::Handle {
  explicit Handle(zip_t* opened) : zip(opened) {}
  ~Handle() { zip_discard(zip); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  zip_t* zip;
};

ZipArchive::ZipArchive(const ByteSource& source)
    : path_(source.path()), handle_(std::make_unique<Handle>(open_zip(source))) {
  zip_t* zip = handle_->zip;
  const zip_int64_t count = zip_get_num_entries(zip, 0);
  if (count > static_cast<zip_int64_t>(kMaxEntries)) {
    fail_zip(TensorError::kTooManyEntries, path_, fmt::format("more than {} members", kMaxEntries),
             "split the archive");
  }
  std::uint64_t packed = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    zip_stat_t stat;
    if (zip_stat_index(zip, static_cast<zip_uint64_t>(i), 0, &stat) != 0 || (stat.valid & kNeeded) != kNeeded) {
      fail_zip(TensorError::kImportInvalid, path_, fmt::format("member {} has no name or size", i));
    }
    packed += stat.comp_size;
    // Bytes that several members share, and members that no packing explains, are how zip bombs are made.
    if (stat.comp_size > source.size() || packed > source.size()) {
      fail_zip(TensorError::kImportInvalid, path_, "the members are larger than the archive");
    }
    if (stat.size > stat.comp_size * kMaxDeflateRatio + kDeflateSlack) {
      fail_zip(TensorError::kImportInvalid, path_,
               fmt::format("member {} unpacks {} bytes to {}, which deflate cannot", quoted(stat.name), stat.comp_size,
                           stat.size));
    }
    members_.push_back({stat.name, stat.size});
  }
}

ZipArchive::~ZipArchive() = default;

std::unique_ptr<ByteStream> ZipArchive::open(std::size_t member) const {
  return std::make_unique<MemberStream>(handle_->zip, member, members_.at(member), path_);
}

}  // namespace alknet::tensor
