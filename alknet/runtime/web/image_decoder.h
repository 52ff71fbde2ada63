#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace alknet::runtime::web {

/// Pixels in rows from the top, each red, green, blue, alpha in 8 bits, colours not multiplied by alpha.
struct Image {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::byte> rgba;
};

/// The most pixels that an image may have.
inline constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 26U;

/// Decodes a PNG, JPEG or WebP file, told by its first bytes. Throws `invalid_argument` for anything else and for
/// damaged files, `out_of_memory` for more than kMaxPixels. Any thread.
Image decode_image(std::span<const std::byte> file);

}  // namespace alknet::runtime::web
