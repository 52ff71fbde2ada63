#include "alknet/runtime/web/image_decoder.h"

#include <fmt/format.h>
#include <png.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "alknet/base/error.h"

namespace alknet::runtime::web {
namespace {

[[noreturn]] void refuse(std::string_view format, std::string_view why) {
  throw Error(BaseError::kInvalidArgument, fmt::format("[image] this {} file cannot be read: {}", format, why));
}

Image blank(std::uint64_t width, std::uint64_t height) {
  if (width * height > kMaxPixels) {
    throw Error(BaseError::kOutOfMemory,
                fmt::format("[image] {} x {} pixels are more than the limit of {}", width, height, kMaxPixels));
  }
  Image image{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), {}};
  image.rgba.resize(width * height * 4);
  return image;
}

Image decode_png(std::span<const std::byte> file) {
  png_image reader{};
  reader.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> free(&reader, png_image_free);
  if (png_image_begin_read_from_memory(&reader, file.data(), file.size()) == 0) refuse("PNG", reader.message);
  reader.format = PNG_FORMAT_RGBA;
  Image image = blank(reader.width, reader.height);
  if (png_image_finish_read(&reader, nullptr, image.rgba.data(), 0, nullptr) == 0) refuse("PNG", reader.message);
  return image;
}

Image decode_jpeg(std::span<const std::byte> file) {
  const std::unique_ptr<void, int (*)(tjhandle)> reader(tjInitDecompress(), tjDestroy);
  const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  int width = 0;
  int height = 0;
  int sampling = 0;
  int colors = 0;
  if (tjDecompressHeader3(reader.get(), bytes, file.size(), &width, &height, &sampling, &colors) != 0) {
    refuse("JPEG", tjGetErrorStr2(reader.get()));
  }
  Image image = blank(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height));
  if (tjDecompress2(reader.get(), bytes, file.size(), reinterpret_cast<unsigned char*>(image.rgba.data()), width, 0,
                    height, TJPF_RGBA, TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
    refuse("JPEG", tjGetErrorStr2(reader.get()));
  }
  return image;
}

Image decode_webp(std::span<const std::byte> file) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.data());
  int width = 0;
  int height = 0;
  if (WebPGetInfo(bytes, file.size(), &width, &height) == 0) refuse("WebP", "its head is damaged");
  Image image = blank(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height));
  if (WebPDecodeRGBAInto(bytes, file.size(), reinterpret_cast<std::uint8_t*>(image.rgba.data()), image.rgba.size(),
                         4 * width) == nullptr) {
    refuse("WebP", "its data is damaged or cut off");
  }
  return image;
}

struct Format {
  std::string_view magic;
  std::size_t at;
  Image (*decode)(std::span<const std::byte>);
};

constexpr std::array<Format, 3> kFormats = {{
    {"\x89PNG\r\n\x1a\n", 0, decode_png},
    {"\xff\xd8\xff", 0, decode_jpeg},
    {"WEBPVP8", 8, decode_webp},
}};

}  // namespace

Image decode_image(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto format = std::find_if(kFormats.begin(), kFormats.end(), [text](const Format& one) {
    return text.size() > one.at && text.substr(one.at).starts_with(one.magic);
  });
  if (format == kFormats.end()) {
    throw Error(BaseError::kInvalidArgument, "[image] the bytes are no PNG, JPEG or WebP file");
  }
  return format->decode(file);
}

}  // namespace alknet::runtime::web
