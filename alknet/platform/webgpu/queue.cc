// GPUQueue: data on its way to the device, and the end of work.
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/own_structs.h"
#include "alknet/platform/webgpu/script_bytes.h"

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

// An ImageData, an ImageBitmap or anything else with `width`, `height` and `data`: straight RGBA of 8 bits, row by row.
Value copy_external_image(Call& call) {
  const auto& source = *call.pointer<OwnCopyExternalImageSourceInfo>(1);
  const auto& target = *call.pointer<OwnCopyExternalImageDestInfo>(2);
  const auto& size = *call.pointer<WGPUExtent3D>(3);
  const Value& image = *source.source;
  const Value data = image.get("data");
  const auto refuse = [&](std::string_view name, const std::string& why) {
    throw dom_exception(call.realm, name, "GPUQueue.copyExternalImageToTexture: " + why);
  };
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
  const std::uint64_t width = extent("width"), height = extent("height");
  const std::uint64_t left = source.origin.x;
  const std::uint64_t top = source.origin.y;
  if (left + size.width > width || top + size.height > height || size.depthOrArrayLayers > 1) {
    refuse("OperationError", fmt::format("{} by {} pixels from {}, {} are not within the image of {} by {}", size.width,
                                         size.height, left, top, width, height));
  }
  const GpuObject* texture = gpu_object(call.arguments[1].get("texture"));
  if (texture == nullptr) throw call.realm.type_error("GPUQueue.copyExternalImageToTexture: the texture went away");
  const std::string format = texture->attribute("format").to_string();
  const auto* form = std::ranges::find(kPixelForms, format, &PixelForm::format);
  if (form == std::end(kPixelForms)) {
    call.object.facade()->report(
        {WGPUErrorFilter_Validation,
         fmt::format("copyExternalImageToTexture: a texture of {} cannot be a target here", format)});
    return {};
  }
  const std::span<const std::byte> pixels = data.buffer();
  if (width != 0 && height > pixels.size() / 4 / width)
    refuse("OperationError", "the image has fewer pixels than its size says");
  std::vector<std::byte> rows(std::size_t{size.width} * size.height * 4);
  for (std::uint64_t y = 0; y < size.height; ++y) {
    const std::uint64_t from_row = source.flipY != WGPU_FALSE ? height - 1 - top - y : top + y;
    for (std::uint64_t x = 0; x < size.width; ++x) {
      const std::byte* from = &pixels[(from_row * width + left + x) * 4];
      std::byte* to = &rows[(y * size.width + x) * 4];
      const unsigned alpha = target.premultipliedAlpha != WGPU_FALSE ? std::to_integer<unsigned>(from[3]) : 255;
      for (std::size_t i = 0; i < 3; ++i) {
        to[form->order[i]] = static_cast<std::byte>((std::to_integer<unsigned>(from[i]) * alpha + 127) / 255);
      }
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
