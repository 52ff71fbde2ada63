#include "alknet/tensor/import/foreign_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/tensor/fault.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kReaderBuffer = std::size_t{64} << 10;

}  // namespace

ForeignReader::ForeignReader(const ByteSource& source, std::string_view what, std::uint64_t offset)
    : source_(source), format_(what), position_(offset) {
  if (offset > source.size()) {
    position_ = source.size();
    fail(TensorError::kImportTruncated, fmt::format("the file ends before byte {}", offset), kDamagedRemedy);
  }
}

void ForeignReader::require(std::uint64_t bytes) const {
  if (bytes > remaining()) {
    fail(TensorError::kImportTruncated, fmt::format("{} bytes are needed, the file has {} more", bytes, remaining()),
         kDamagedRemedy);
  }
}

void ForeignReader::read(std::span<std::byte> into) {
  require(into.size());
  while (!into.empty()) {
    const std::uint64_t at = position_ - buffer_start_;
    if (position_ < buffer_start_ || at >= buffer_size_) {
      if (into.size() >= kReaderBuffer) {
        source_.read(position_, into);
        position_ += into.size();
        return;
      }
      buffer_.resize(kReaderBuffer);
      buffer_size_ = static_cast<std::size_t>(std::min<std::uint64_t>(kReaderBuffer, remaining()));
      buffer_start_ = position_;
      source_.read(position_, std::span(buffer_).first(buffer_size_));
      continue;
    }
    const auto piece = std::span(buffer_).first(buffer_size_).subspan(static_cast<std::size_t>(at));
    const std::size_t count = std::min(piece.size(), into.size());
    std::ranges::copy(piece.first(count), into.begin());
    into = into.subspan(count);
    position_ += count;
  }
}

void ForeignReader::skip(std::uint64_t bytes) {
  require(bytes);
  position_ += bytes;
}

std::string ForeignReader::text(std::uint64_t bytes, std::uint64_t limit) {
  if (bytes > limit) fail(fmt::format("a text of {} bytes, the limit is {}", bytes, limit));
  require(bytes);
  std::string text(static_cast<std::size_t>(bytes), '\0');
  read(std::as_writable_bytes(std::span(text)));
  return text;
}

void ForeignReader::fail(TensorError code, std::string_view what, std::string_view remedy) const {
  throw file_error(code, {source_.path(), std::nullopt, position_}, fmt::format("{}: {}", format_, what), remedy);
}

void ForeignReader::fail(std::string_view what) const { fail(TensorError::kImportInvalid, what, kDamagedRemedy); }

}  // namespace alknet::tensor
