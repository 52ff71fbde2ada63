// GPUCanvasContext, and an OffscreenCanvas to have one of: there is no screen here, so the texture stays until its size
// or the configuration changes.
#include <fmt/format.h>

#include <array>

#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

namespace {

// The canvas: a size and a context.
constexpr std::string_view kCanvasClass = R"((makeContext, Base) => class OffscreenCanvas extends Base {
  #context = null;
  #width;
  #height;
  constructor(width, height) {
    super();
    this.width = width;
    this.height = height;
  }
  get width() { return this.#width; }
  set width(value) { this.#width = value >>> 0; }
  get height() { return this.#height; }
  set height(value) { this.#height = value >>> 0; }
  getContext(kind) { return `${kind}` === "webgpu" ? (this.#context ??= makeContext(this)) : null; }
  get [Symbol.toStringTag]() { return "OffscreenCanvas"; }
})";

Value configure(Call& call) {
  const auto& given = *call.pointer<OwnCanvasConfiguration>(1);
  const Realm realm = call.realm;
  const Value configuration = realm.object();
  configuration.set("device", *given.device);
  configuration.set("format", realm.string(call.arguments[0].get("format").to_string()));
  configuration.set("usage", realm.number(static_cast<double>(given.usage)));
  const Value formats = call.arguments[0].get("viewFormats");
  configuration.set("viewFormats", formats.is_undefined() ? realm.array() : formats);
  configuration.set("colorSpace", realm.string(gpu::text_of(given.colorSpace)));
  const Value tone = realm.object();
  tone.set("mode", realm.string(gpu::text_of(given.toneMapping.mode)));
  configuration.set("toneMapping", tone);
  configuration.set("alphaMode", realm.string(gpu::text_of(given.alphaMode)));
  call.object.set_attribute("configuration", configuration);
  call.object.set_attribute("texture", {});
  return {};
}

Value unconfigure(Call& call) {
  call.object.set_attribute("configuration", {});
  call.object.set_attribute("texture", {});
  return {};
}

Value get_configuration(Call& call) {
  const Value configuration = call.object.attribute("configuration");
  if (configuration.is_undefined()) return call.realm.null();
  const std::array arguments = {call.realm.object(), configuration};
  return call.realm.global().get("Object").invoke("assign", arguments);
}

Value get_current_texture(Call& call) {
  const Realm realm = call.realm;
  const Value configuration = call.object.attribute("configuration");
  if (configuration.is_undefined()) {
    throw dom_exception(realm, "InvalidStateError",
                        "GPUCanvasContext.getCurrentTexture: the context is not configured");
  }
  const Value canvas = call.object.attribute("canvas");
  Value texture = call.object.attribute("texture");
  const Value width = canvas.get("width");
  const Value height = canvas.get("height");
  if (texture.is_object() && texture.get("width").same_as(width) && texture.get("height").same_as(height))
    return texture;
  const Value descriptor = realm.object();
  const std::array size = {width, height};
  descriptor.set("size", realm.array(size));
  for (const char* same : {"format", "usage", "viewFormats"}) descriptor.set(same, configuration.get(same));
  descriptor.set("label", realm.string("canvas"));
  Value made = configuration.get("device").invoke("createTexture", std::span(&descriptor, 1));
  call.object.set_attribute("texture", made);
  return made;
}

constexpr SpecialMethod kCanvasMethods[] = {
    {"GPUCanvasContext.configure", configure},
    {"GPUCanvasContext.unconfigure", unconfigure},
    {"GPUCanvasContext.getConfiguration", get_configuration},
    {"GPUCanvasContext.getCurrentTexture", get_current_texture},
};

}  // namespace

std::span<const SpecialMethod> canvas_methods() { return kCanvasMethods; }

Value make_canvas_context(Binding& binding, const Value& canvas) {
  auto object = std::make_unique<GpuObject>(interface_named("GPUCanvasContext"), nullptr, nullptr);
  object->set_attribute("canvas", canvas);
  return binding.make(std::move(object));
}

Value make_canvas_class(Binding& binding) {
  const Realm realm = binding.realm();
  const auto held = binding.shared_from_this();
  const Value make = realm.closure("makeContext", 1, [held](Realm, const Value&, Arguments arguments) {
    return make_canvas_context(*held, arguments[0]);
  });
  Value base = realm.global().get("EventTarget");
  if (!base.is_function()) base = realm.global().get("Object");
  const std::array arguments = {make, base};
  return realm.evaluate(kCanvasClass, "alknet:canvas").call(arguments);
}

}  // namespace alknet::platform::webgpu
