#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alknet/base/function_ref.h"

namespace alknet::stream {

/// Compresses one stream as a zstd frame (RFC 8878), piece by piece. One thread at a time.
class Compressor {
 public:
  /// `level` 1 (fast) to 19.
  explicit Compressor(int level);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  /// The compressed bytes that `bytes` add; all that remain when it is the last piece.
  std::vector<std::byte> compress(std::span<const std::byte> bytes, bool last);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The other direction, with at most 8 MiB of memory for history, whatever the frame says. One thread at a time.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;

  /// Calls `take` with what `bytes` decompress to, in pieces of at most 128 KiB or so; when `take` throws, the rest is
  /// not decompressed. Throws `protocol_error` for what is no zstd, or follows the frame's end.
  void decompress(std::span<const std::byte> bytes, FunctionRef<void(std::span<const std::byte>)> take);

  /// Whether the frame has ended.
  bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::stream
