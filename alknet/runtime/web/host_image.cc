#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "alknet/runtime/web/host.h"
#include "alknet/runtime/web/image_bitmap.h"

namespace alknet::runtime::web {
namespace {

const Image& image_of(const Value& self) { return native_this<ImageBitmap>(self, "ImageBitmap").image(); }

constexpr std::array<AttributeSpec, 2> kAttributes = {{
    {"width", [](Realm realm, const Value& self, Arguments) { return realm.number(image_of(self).width); }},
    {"height", [](Realm realm, const Value& self, Arguments) { return realm.number(image_of(self).height); }},
}};

constexpr std::array<MethodSpec, 1> kMethods = {{{"close", 0, [](Realm, const Value& self, Arguments) {
                                                    native_this<ImageBitmap>(self, "ImageBitmap").close();
                                                    return Value();
                                                  }}}};

/// The class ImageBitmap of the isolate.
Value bitmap_class(Realm realm, const Value& self, Arguments) {
  WebHost& host = host_of(self);
  if (host.bitmap_class.is_undefined()) {
    ClassSpec spec;
    spec.name = "ImageBitmap";
    spec.attributes = kAttributes;
    spec.methods = kMethods;
    host.bitmap_class = define_class(realm, spec);
  }
  return host.bitmap_class;
}

/// A part of `image`, which may reach beyond it: there it is transparent black.
Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height) {
  Image part{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), {}};
  part.rgba.resize(static_cast<std::size_t>(width * height * 4));
  const std::int64_t first = std::max<std::int64_t>(left, 0);
  const std::int64_t last = std::min<std::int64_t>(left + width, image.width);
  for (std::int64_t row = std::max<std::int64_t>(top, 0); row < std::min<std::int64_t>(top + height, image.height);
       ++row) {
    if (first >= last) break;
    const std::byte* const from = image.rgba.data() + (row * image.width + first) * 4;
    std::memcpy(part.rgba.data() + ((row - top) * width + first - left) * 4, from,
                static_cast<std::size_t>(last - first) * 4);
  }
  return part;
}

void flip(Image& image) {
  const std::size_t row = std::size_t{image.width} * 4;
  for (std::size_t top = 0, bottom = image.height; top + 1 < bottom; ++top) {
    --bottom;
    const auto upper = image.rgba.begin() + static_cast<std::ptrdiff_t>(top * row);
    const auto lower = image.rgba.begin() + static_cast<std::ptrdiff_t>(bottom * row);
    std::swap_ranges(upper, upper + static_cast<std::ptrdiff_t>(row), lower);
  }
}

void premultiply(Image& image) {
  for (std::size_t i = 0; i < image.rgba.size(); i += 4) {
    const unsigned alpha = std::to_integer<unsigned>(image.rgba[i + 3]);
    for (std::size_t channel = i; channel < i + 3; ++channel) {
      image.rgba[channel] =
          static_cast<std::byte>((std::to_integer<unsigned>(image.rgba[channel]) * alpha + 127) / 255);
    }
  }
}

/// (bytes of a file or an ImageBitmap, [left, top, width, height] or undefined, flipY, premultiply): an ImageBitmap.
Value make_bitmap(Realm realm, const Value& self, Arguments arguments) {
  const auto* const source = native_cast<ImageBitmap>(arguments[0]);
  Image image = source != nullptr ? source->image() : decode_image(arguments[0].buffer());
  const Value area = arguments[1];
  if (!area.is_undefined()) {
    std::array<std::int64_t, 4> part{};
    for (std::uint32_t i = 0; i < 4; ++i) part[i] = area.get(i).to_integer("createImageBitmap: the area");
    constexpr std::int64_t kFar = INT32_MAX, kMost = kMaxPixels;
    const auto [left, top, width, height] = part;
    const bool small = width > 0 && height > 0 && width <= kMost && height <= kMost && width * height <= kMost;
    if (!small || std::max(std::abs(left), std::abs(top)) > 2 * kFar) {
      throw realm.range_error("[createImageBitmap] the area is larger than an image may be");
    }
    image = crop(image, left, top, width, height);
  }
  if (arguments[2].to_boolean()) flip(image);
  const bool multiplied = source != nullptr && source->premultiplied();
  const bool multiply = arguments[3].to_boolean() && !multiplied;
  if (multiply) premultiply(image);
  const Value constructor = bitmap_class(realm, self, Arguments(realm.isolate().state(), 0, nullptr));
  return make_object(constructor, std::make_unique<ImageBitmap>(std::move(image), multiply || multiplied));
}

constexpr std::array<MethodSpec, 2> kImageFunctions = {{
    {"bitmapClass", 0, bitmap_class},
    {"makeBitmap", 4, make_bitmap},
}};

}  // namespace

std::span<const MethodSpec> image_functions() { return kImageFunctions; }

}  // namespace alknet::runtime::web
