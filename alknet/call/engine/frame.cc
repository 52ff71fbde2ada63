#include "alknet/call/engine/frame.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/bytes.h"
#include "alknet/call/error.h"

namespace alknet::call {

namespace {

constexpr std::size_t kChunkHeader = 6;

// A buffer that grew beyond this is given back when it is empty: idle connections are many.
constexpr std::size_t kKeptCapacity = std::size_t{16} << 10;

}  // namespace

Chunk parse_chunk(std::span<const std::byte> frame) {
  if (frame.size() < kChunkHeader || frame.size() > kChunkHeader + kMaxChunkBytes) {
    throw Error(CallError::kProtocolError, fmt::format("[frame] a chunk of {} bytes; it has {} to {}", frame.size(),
                                                       kChunkHeader, kChunkHeader + kMaxChunkBytes));
  }
  const auto flags = std::to_integer<std::uint8_t>(frame[1]);
  if (flags > Chunk::kCancelled) {
    throw Error(CallError::kProtocolError, fmt::format("[frame] unknown chunk flags {:#04x}", flags));
  }
  return {static_cast<Chunk::Flag>(flags), load_be<std::uint32_t>(frame.data() + 2), frame.subspan(kChunkHeader)};
}

std::vector<std::byte> chunk_header(const Chunk& chunk, bool prefixed) {
  std::vector<std::byte> header((prefixed ? kLengthPrefixBytes : 0) + kChunkHeader);
  std::byte* at = header.data();
  if (prefixed) {
    store_be(at, static_cast<std::uint32_t>(kChunkHeader + chunk.data.size()));
    at += kLengthPrefixBytes;
  }
  at[0] = std::byte{0};
  at[1] = static_cast<std::byte>(chunk.flag);
  store_be(at + 2, chunk.id);
  return header;
}

void FrameReader::read(std::span<const std::byte> bytes, FunctionRef<bool(std::span<const std::byte>)> each) {
  while (buffered() > 0) {
    const std::size_t needed =
        buffered() < kLengthPrefixBytes ? kLengthPrefixBytes : kLengthPrefixBytes + frame_size(buffer_.data() + taken_);
    if (buffered() < needed) {
      const std::size_t more = std::min(needed - buffered(), bytes.size());
      keep(bytes.first(more));
      bytes = bytes.subspan(more);
      if (buffered() < needed) return;
      continue;
    }
    const bool go_on = each(std::span(buffer_).subspan(taken_ + kLengthPrefixBytes, needed - kLengthPrefixBytes));
    release(needed);
    if (!go_on) return keep(bytes);
  }
  while (bytes.size() >= kLengthPrefixBytes) {
    const std::size_t size = frame_size(bytes.data());
    if (bytes.size() - kLengthPrefixBytes < size) break;
    const auto frame = bytes.subspan(kLengthPrefixBytes, size);
    bytes = bytes.subspan(kLengthPrefixBytes + size);
    if (!each(frame)) break;
  }
  keep(bytes);
}

std::size_t FrameReader::frame_size(const std::byte* prefix) const {
  const std::size_t size = load_be<std::uint32_t>(prefix);
  if (size == 0) throw Error(CallError::kProtocolError, "[frame] an empty frame");
  if (size > max_frame_) {
    throw Error(CallError::kResourceExhausted,
                fmt::format("[frame] a frame of {} bytes; the limit is {}", size, max_frame_),
                JsonObject{{"limit", "frame"}, {"maximum", max_frame_}});
  }
  return size;
}

void FrameReader::keep(std::span<const std::byte> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

void FrameReader::release(std::size_t taken) {
  taken_ += taken;
  if (buffered() > 0) {
    // Paused readers take frames one by one out of much: the front is moved away only when it is most of the buffer.
    if (taken_ < buffer_.size() / 2) return;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(taken_));
  } else {
    buffer_.clear();
    if (buffer_.capacity() > kKeptCapacity) buffer_ = {};
  }
  taken_ = 0;
}

}  // namespace alknet::call
