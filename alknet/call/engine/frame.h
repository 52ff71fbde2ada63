#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/base/shared_bytes.h"

namespace alknet::call {

/// The bytes in front of each frame on an ordered stream: its length, big-endian.
inline constexpr std::size_t kLengthPrefixBytes = 4;

/// The most data that one chunk frame carries.
inline constexpr std::size_t kMaxChunkBytes = std::size_t{256} << 10;

/// A frame that carries part of an attachment: 0x00, u8 flags, u32 id, data.
struct Chunk {
  enum Flag : std::uint8_t { kMore = 0, kLast = 1, kCancelled = 2 };

  Flag flag = kMore;
  std::uint32_t id = 0;
  std::span<const std::byte> data;
};

/// Whether a frame is a chunk; otherwise it must be an envelope.
inline bool is_chunk(std::span<const std::byte> frame) { return !frame.empty() && frame.front() == std::byte{0}; }

/// Takes a chunk frame apart; the data lies in the frame. Throws `protocol_error` for one that is too short or too long
/// and for flags that do not exist.
Chunk parse_chunk(std::span<const std::byte> frame);

/// What comes before the data of a chunk: the length prefix when `prefixed`, marker, flags and id.
std::vector<std::byte> chunk_header(const Chunk& chunk, bool prefixed);

/// Cuts the bytes of one stream into frames. Frames that lie whole in what is fed are not copied.
class FrameReader {
 public:
  explicit FrameReader(std::size_t max_frame) : max_frame_(max_frame) {}

  /// Takes the next bytes of the stream, of any number, and calls `each(frame)` for every frame that is whole, in
  /// order. A frame is valid during its call, which must not read on. When `each` returns false reading pauses and the
  /// rest is kept: `read({}, each)` goes on. Throws `protocol_error` for an empty frame and `resource_exhausted` for
  /// one longer than the limit, both before the frame itself has come; after a throw the stream is of no more use.
  void read(std::span<const std::byte> bytes, FunctionRef<bool(std::span<const std::byte>)> each);

  /// Takes the next bytes of a stream that is paused.
  void hold(std::span<const std::byte> bytes) { keep(bytes); }

  /// Bytes held, of frames that are not whole or were not asked for.
  std::size_t buffered() const { return buffer_.size() - taken_; }

 private:
  std::size_t frame_size(const std::byte* prefix) const;
  void keep(std::span<const std::byte> bytes);
  void release(std::size_t taken);

  std::size_t max_frame_;
  std::vector<std::byte> buffer_;
  std::size_t taken_ = 0;  // of the buffer's front
};

}  // namespace alknet::call
