#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include <cmath>
#include <cstdlib>

#include "alknet/base/testing.h"
#include "alknet/runtime/web/image_bitmap.h"
#include "alknet/runtime/web/testing.h"

namespace alknet::runtime::web {
namespace {

using Bytes = std::vector<std::byte>;

/// 3 x 2 pixels, each different, the last one half transparent.
const std::vector<std::uint8_t>& pixels() {
  static const std::vector<std::uint8_t> values = {255, 0, 0, 255, 0, 255, 0,  255, 0,   0,   255, 255,
                                                   1,   2, 3, 255, 9, 8,   70, 255, 200, 100, 50,  128};
  return values;
}

Bytes bytes_of(const void* data, std::size_t size) {
  const auto* const first = static_cast<const std::byte*>(data);
  return {first, first + size};
}

Bytes png() {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 3;
  image.height = 2;
  image.format = PNG_FORMAT_RGBA;
  Bytes out(4096);
  png_alloc_size_t size = out.size();
  png_image_write_to_memory(&image, out.data(), &size, 0, pixels().data(), 0, nullptr);
  out.resize(size);
  return out;
}

Bytes webp() {
  std::uint8_t* data = nullptr;
  const std::size_t size = WebPEncodeLosslessRGBA(pixels().data(), 3, 2, 12, &data);
  Bytes out = bytes_of(data, size);
  WebPFree(data);
  return out;
}

/// 16 x 16 pixels of one colour, which JPEG keeps nearly.
Bytes jpeg() {
  std::vector<std::uint8_t> rgb;
  for (int i = 0; i < 256; ++i) rgb.insert(rgb.end(), {200, 100, 50});
  const tjhandle writer = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  tjCompress2(writer, rgb.data(), 16, 0, 16, TJPF_RGB, &data, &size, TJSAMP_444, 100, TJFLAG_ACCURATEDCT);
  Bytes out = bytes_of(data, size);
  tjFree(data);
  tjDestroy(writer);
  return out;
}

std::vector<int> values_of(const Image& image) {
  std::vector<int> values;
  for (const std::byte byte : image.rgba) values.push_back(std::to_integer<int>(byte));
  return values;
}

TEST(ImageDecoder, ReadsWhatOthersWrote) {
  for (const Bytes& file : {png(), webp()}) {
    const Image image = decode_image(file);
    EXPECT_EQ(image.width, 3U);
    EXPECT_EQ(image.height, 2U);
    EXPECT_THAT(values_of(image), testing::ElementsAreArray(pixels()));
  }
  const Image photo = decode_image(jpeg());
  EXPECT_EQ(photo.width * photo.height, 256U);
  const std::vector<int> values = values_of(photo);
  for (std::size_t i = 0; i < values.size(); i += 4) {
    EXPECT_NEAR(values[i], 200, 2);
    EXPECT_NEAR(values[i + 1], 100, 2);
    EXPECT_NEAR(values[i + 2], 50, 2);
    EXPECT_EQ(values[i + 3], 255);
  }
}

TEST(ImageDecoder, RefusesCutAndDamagedFiles) {
  for (const Bytes& file : {png(), webp(), jpeg()}) {
    for (std::size_t size = 0; size < file.size(); ++size) {
      const std::span<const std::byte> part = std::span(file).first(size);
      try {
        decode_image(part);
        EXPECT_GT(size, file.size() - 20) << "only what stands behind the pixels may be missing";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), BaseError::kInvalidArgument);
      }
    }
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
      Bytes broken = file;
      broken[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      try {
        decode_image(broken);
      } catch (const Error& error) {
        EXPECT_THAT(error.message(), testing::HasSubstr("[image]"));
      }
    }
  }
}

TEST(ImageDecoder, RefusesMorePixelsThanItsLimit) {
  Bytes bomb = png();
  // The head of a PNG: width and height, big-endian, from byte 16; its check sum does not matter to this test.
  for (const std::size_t at : {16U, 20U}) bomb[at + 1] = std::byte{1};
  EXPECT_THROW(decode_image(bomb), Error);
  EXPECT_EQ(error_of([] { decode_image({}); }).code(), BaseError::kInvalidArgument);
}

class CreateImageBitmap : public testing::Test {
 protected:
  CreateImageBitmap() {
    const Realm realm = web_.isolate().realm();
    realm.global().set("png", realm.array_buffer(png()));
    realm.global().set("jpeg", realm.array_buffer(jpeg()));
  }

  /// The pixels of the bitmap that the script makes.
  std::vector<int> bitmap(const std::string& arguments) {
    const Value promise = web_.isolate().eval("createImageBitmap(new Blob([png])" + arguments + ")");
    web_.run();
    const auto* const found = native_cast<ImageBitmap>(promise_result(promise));
    return found == nullptr ? std::vector<int>{} : values_of(found->image());
  }

  WebIsolate web_;
};

TEST_F(CreateImageBitmap, DecodesABlob) {
  EXPECT_THAT(bitmap(""), testing::ElementsAreArray(pixels()));
  EXPECT_EQ(web_.settle("createImageBitmap(new Blob([jpeg])).then((b) => [b.width, b.height, b instanceof ImageBitmap, "
                        "String(b)].join())"),
            "16,16,true,[object ImageBitmap]");
}

TEST_F(CreateImageBitmap, CutsFlipsAndMultiplies) {
  EXPECT_THAT(bitmap(", 1, 1, 1, 1"), testing::ElementsAre(9, 8, 70, 255));
  EXPECT_THAT(bitmap(", 2, 2, -1, -1"), testing::ElementsAre(9, 8, 70, 255));
  EXPECT_THAT(bitmap(", -1, 0, 2, 1"), testing::ElementsAre(0, 0, 0, 0, 255, 0, 0, 255));
  EXPECT_THAT(bitmap(", 5, 5, 1, 1"), testing::ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(bitmap(", 0, 0, 1, 2, {imageOrientation: 'flipY'}"), testing::ElementsAre(1, 2, 3, 255, 255, 0, 0, 255));
  EXPECT_THAT(bitmap(", 2, 1, 1, 1, {premultiplyAlpha: 'premultiply'}"),
              testing::ElementsAre(std::lround(200 * 128 / 255.0), std::lround(100 * 128 / 255.0),
                                   std::lround(50 * 128 / 255.0), 128));
}

TEST_F(CreateImageBitmap, CopiesABitmapAndClosesIt) {
  EXPECT_EQ(
      web_.settle("(async () => { const a = await createImageBitmap(new Blob([png])); const b = await "
                  "createImageBitmap(a, 0, 0, 2, 2); a.close(); const again = await createImageBitmap(a).catch((e) "
                  "=> e.name); return [a.width, b.width, b.height, again].join() })()"),
      "0,2,2,InvalidStateError");
}

TEST_F(CreateImageBitmap, DoesNotSeeWhatAScriptMakesOfMath) {
  EXPECT_EQ(
      web_.settle("Math.abs = () => 2 ** 32; createImageBitmap(new Blob([png]), 1, 1, -1, 1).then((b) => b.width)"),
      "1");
}

TEST_F(CreateImageBitmap, RejectsWhatIsNoImage) {
  for (const auto& [arguments, name] :
       std::vector<std::pair<std::string, std::string>>{{"new Blob(['text'])", "InvalidStateError"},
                                                        {"new Blob([png.slice(0, 50)])", "InvalidStateError"},
                                                        {"'text'", "TypeError"},
                                                        {"", "TypeError"},
                                                        {"new Blob([png]), 0, 0, 0, 1", "RangeError"},
                                                        {"new Blob([png]), 0, 0", "TypeError"},
                                                        {"new Blob([png]), 0, 0, 100000, 100000", "RangeError"},
                                                        {"new Blob([png]), {imageOrientation: 'up'}", "TypeError"},
                                                        {"new Blob([png]), {resizeWidth: 5}", "NotSupportedError"}}) {
    EXPECT_EQ(web_.settle("createImageBitmap(" + arguments + ").catch((e) => e.name)"), name) << arguments;
  }
  EXPECT_EQ(web_.text_of("try { new ImageBitmap() } catch (e) { e.name }"), "TypeError");
}

}  // namespace
}  // namespace alknet::runtime::web
