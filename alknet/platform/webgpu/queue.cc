// GPUQueue: data on its way to the device, and the end of work.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/own_structs.h"
#include "alknet/platform/webgpu/script_bytes.h"
#include "alknet/runtime/web/image_bitmap.h"

namespace alknet::platform::webgpu {

using runtime::Deferred;
using runtime::Realm;
using runtime::Value;

namespace {

Value on_submitted_work_done(Call& call) {
  Facade& facade = *call.object.facade();
  if (facade.ended()) return resolved_promise(call.realm, {});
  const Deferred deferred(call.realm);
  facade.waiter().post([native = facade.native(), deferred] {
    native.wait_queue();
    deferred.resolve_later([](Realm) { return Value(); });
  });
  return deferred.promise();
}

Value write_buffer(Call& call) {
  const std::span<std::byte> bytes =
      script_bytes(call, *call.pointer<Value>(3), call.slots[4].u, call.slots[5].u, "writeBuffer");
  if (bytes.size() % 4 != 0) {
    throw dom_exception(call.realm, "OperationError",
                        fmt::format("GPUQueue.writeBuffer: {} bytes are no multiple of 4", bytes.size()));
  }
  if (!call.binding.usable(call)) return {};
  const gpu::Functions& functions = call.object.facade()->native().functions();
  call.object.facade()->run([&] {
    functions.queue_write_buffer(call.pointer<WGPUQueueImpl>(0), call.pointer<WGPUBufferImpl>(1), call.slots[2].u,
                                 bytes.data(), bytes.size());
  });
  return {};
}

void write_pixels(Call& call, const WGPUTexelCopyTextureInfo& target, std::span<const std::byte> bytes,
                  const WGPUTexelCopyBufferLayout& layout, const WGPUExtent3D& size) {
  if (!call.binding.usable(call)) return;
  Facade& facade = *call.object.facade();
  const auto write = facade.typed_function<decltype(&wgpuQueueWriteTexture)>("wgpuQueueWriteTexture");
  facade.run([&] { write(call.pointer<WGPUQueueImpl>(0), &target, bytes.data(), bytes.size(), &layout, &size); });
}

Value write_texture(Call& call) {
  write_pixels(call, *call.pointer<WGPUTexelCopyTextureInfo>(1), call.pointer<Value>(2)->buffer(),
               *call.pointer<WGPUTexelCopyBufferLayout>(3), *call.pointer<WGPUExtent3D>(4));
  return {};
}

// How the pixels of an image lie in a texture: the place of red, green, blue and alpha in each four bytes.
struct PixelForm {
  std::string_view format;
  std::array<std::uint8_t, 4> order;
};
constexpr PixelForm kPixelForms[] = {
    {"rgba8unorm", {0, 1, 2, 3}},
    {"rgba8unorm-srgb", {0, 1, 2, 3}},
    {"bgra8unorm", {2, 1, 0, 3}},
    {"bgra8unorm-srgb", {2, 1, 0, 3}},
};

// An image whose pixels can be had: RGBA of 8 bits, row by row.
struct SourceImage {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  std::span<const std::byte> pixels;  ///< Valid until script runs.
  bool premultiplied = false;
};

[[noreturn]] void refuse_copy(const Call& call, std::string_view name, const std::string& why) {
  throw dom_exception(call.realm, name, "GPUQueue.copyExternalImageToTexture: " + why);
}

// An ImageBitmap, or an ImageData: anything else with `width`, `height` and `data`.
SourceImage source_image(const Call& call, const Value& image) {
  if (const auto* bitmap = runtime::native_cast<runtime::web::ImageBitmap>(image)) {
    const runtime::web::Image& decoded = bitmap->image();
    if (decoded.width == 0) refuse_copy(call, "InvalidStateError", "the ImageBitmap is closed");
    return {decoded.width, decoded.height, decoded.rgba, bitmap->premultiplied()};
  }
  const Value data = image.get("data");
  if (!data.is_array_buffer_view()) {
    throw call.realm.type_error(
        "GPUQueue.copyExternalImageToTexture: source.source is no image whose pixels can be had (ImageBitmap, "
        "ImageData)");
  }
  const auto extent = [&](std::string_view name) {
    const std::int64_t pixels = image.get(name).to_integer(name);
    if (pixels < 0) throw call.realm.range_error(fmt::format("{} must not be negative", name));
    return static_cast<std::uint64_t>(pixels);
  };
  SourceImage result;
  result.width = extent("width");
  result.height = extent("height");
  result.pixels = data.buffer();
  if (result.width != 0 && result.height > result.pixels.size() / 4 / result.width) {
    refuse_copy(call, "OperationError", "the image has fewer pixels than its size says");
  }
  return result;
}

// A colour, multiplied by alpha or not, as the target has it.
std::byte converted(std::byte color, std::byte opacity, bool is_multiplied, bool to_multiply) {
  const auto value = std::to_integer<unsigned>(color);
  const auto alpha = std::to_integer<unsigned>(opacity);
  if (is_multiplied == to_multiply || alpha == 255) return color;
  if (to_multiply) return static_cast<std::byte>((value * alpha + 127) / 255);
  return static_cast<std::byte>(alpha == 0 ? 0 : std::min(255U, (value * 255 + alpha / 2) / alpha));
}

Value copy_external_image(Call& call) {
  const auto& source = *call.pointer<OwnCopyExternalImageSourceInfo>(1);
  const auto& target = *call.pointer<OwnCopyExternalImageDestInfo>(2);
  const auto& size = *call.pointer<WGPUExtent3D>(3);
  const Value texture_value = call.arguments[1].get("texture");
  const GpuObject* texture = gpu_object(texture_value);
  if (texture == nullptr) throw call.realm.type_error("GPUQueue.copyExternalImageToTexture: the texture went away");
  const std::string format = texture->attribute("format").to_string();
  const SourceImage image = source_image(call, *source.source);  // from here on no script runs
  const std::uint64_t left = source.origin.x;
  const std::uint64_t top = source.origin.y;
  if (left + size.width > image.width || top + size.height > image.height || size.depthOrArrayLayers > 1) {
    refuse_copy(call, "OperationError",
                fmt::format("{} by {} pixels from {}, {} are not within the image of {} by {}", size.width, size.height,
                            left, top, image.width, image.height));
  }
  const auto* form = std::ranges::find(kPixelForms, format, &PixelForm::format);
  if (form == std::end(kPixelForms)) {
    call.object.facade()->report(
        {WGPUErrorFilter_Validation,
         fmt::format("copyExternalImageToTexture: a texture of {} cannot be a target here", format)});
    return {};
  }
  const bool multiply = target.premultipliedAlpha != WGPU_FALSE;
  std::vector<std::byte> rows(std::size_t{size.width} * size.height * 4);
  for (std::uint64_t y = 0; y < size.height; ++y) {
    const std::uint64_t from_row = top + (source.flipY != WGPU_FALSE ? size.height - 1 - y : y);
    for (std::uint64_t x = 0; x < size.width; ++x) {
      const std::byte* from = &image.pixels[(from_row * image.width + left + x) * 4];
      std::byte* to = &rows[(y * size.width + x) * 4];
      for (std::size_t i = 0; i < 3; ++i)
        to[form->order[i]] = converted(from[i], from[3], image.premultiplied, multiply);
      to[3] = from[3];
    }
  }
  WGPUTexelCopyBufferLayout layout = WGPU_TEXEL_COPY_BUFFER_LAYOUT_INIT;
  layout.bytesPerRow = size.width * 4;
  layout.rowsPerImage = size.height;
  write_pixels(call, target.base, rows, layout, size);
  return {};
}

constexpr SpecialMethod kQueueMethods[] = {
    {"GPUQueue.onSubmittedWorkDone", on_submitted_work_done},
    {"GPUQueue.writeBuffer", write_buffer},
    {"GPUQueue.writeTexture", write_texture},
    {"GPUQueue.copyExternalImageToTexture", copy_external_image},
};

}  // namespace

std::span<const SpecialMethod> queue_methods() { return kQueueMethods; }

std::span<std::byte> script_bytes(const Call& call, const Value& data, std::uint64_t offset, std::uint64_t size,
                                  std::string_view method) {
  const std::uint64_t element = data.element_bytes();
  const std::span<std::byte> all = data.buffer();
  const std::uint64_t there = all.size() / element;
  const std::uint64_t count = size != WGPU_WHOLE_SIZE ? size : there > offset ? there - offset : 0;
  if (offset > there || count > there - offset) {
    throw dom_exception(call.realm, "OperationError",
                        fmt::format("{}.{}: {} elements from {} are not within the {} there are",
                                    call.object.interface().name, method, count, offset, there));
  }
  return all.subspan(offset * element, count * element);
}

}  // namespace alknet::platform::webgpu
