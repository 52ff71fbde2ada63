// Single values: numbers, enums, objects, and the unions that WebGPU has.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "alknet/platform/webgpu/buffer_object.h"
#include "alknet/platform/webgpu/convert.h"

namespace alknet::platform::webgpu {

using runtime::Value;

namespace {

constexpr double kMaxSafe = 9007199254740991;

// The size of a binding that says none: the provider's buffer may be larger than what script may see.
std::uint64_t size_of_rest(const GpuObject* object, std::uint64_t offset) {
  const auto* buffer = dynamic_cast<const BufferObject*>(object);
  const bool smaller = buffer != nullptr && buffer->memory != nullptr && buffer->size > offset;
  return smaller ? buffer->size - offset : WGPU_WHOLE_SIZE;
}

}  // namespace

double Converter::real(const Value& value, const Path& path) {
  const double number = value.to_number();
  if (!std::isfinite(number)) refuse(path, "is not a finite number");
  return number;
}

std::uint64_t Converter::integer(const Value& value, double least, double most, bool enforce, const Path& path) {
  const double number = value.to_number();
  if (enforce) {
    if (!std::isfinite(number)) refuse(path, "is not a finite number");
    const double whole = std::trunc(number);
    if (whole < least || whole > most)
      refuse(path, fmt::format("is {}, outside the range {} to {}", number, least, most));
    return whole < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) : static_cast<std::uint64_t>(whole);
  }
  if (!std::isfinite(number)) return 0;
  const double wrapped = std::fmod(std::trunc(number), most + 1);
  return static_cast<std::uint64_t>(wrapped < 0 ? wrapped + most + 1 : wrapped);
}

const EnumValue& Converter::enumerator(const Value& value, const EnumRow& row, const Path& path) {
  const std::string given = value.to_string();
  for (const EnumValue& candidate : rows(kEnumValues, row.values)) {
    if (candidate.text != given) continue;
    touch(row.name, candidate.text);
    return candidate;
  }
  refuse(path, fmt::format("is '{}', which is no {}", given, row.name));
}

std::uint32_t Converter::number_of(const EnumRow& row, const EnumValue& value) const {
  static const EnumRow* const kFormats = &kEnums[row_named(kEnums, "GPUTextureFormat")];
  return &row == kFormats && facade_ != nullptr ? facade_->native().texture_format(value.number) : value.number;
}

void* Converter::handle(const Value& value, std::size_t interface, bool nullable, const Path& path) {
  if (nullable && value.is_nullish()) return nullptr;
  const HeldObject held = held_object(value);
  const GpuObject* object = held.object;
  keep(held.holder);  // a getter or an iterator may have made it for us alone
  if (object == nullptr || !object->is(interface)) refuse(path, fmt::format("is no {}", kInterfaces[interface].name));
  if (facade_ != nullptr && object->facade() != nullptr && object->facade() != facade_) {
    mark_invalid(fmt::format("{} belongs to another device", path.text()));
  } else if (object->handle() == nullptr && object->interface().release != nullptr) {
    mark_invalid(fmt::format("{} is not valid", path.text()));
  } else if (const std::string_view why = object->unusable(); !why.empty()) {
    mark_invalid(fmt::format("{} cannot be used: {}", path.text(), why));
  }
  return object->handle();
}

void* Converter::texture_or_view(const Value& value, const TypeRow& type, const Path& path) {
  const GpuObject* object = gpu_object(value);
  static const std::size_t kTexture = interface_named("GPUTexture");
  if (object == nullptr || object->row() != kTexture) return handle(value, type.target, false, path);
  void* texture = handle(value, kTexture, false, path);
  if (texture == nullptr || invalid_) return nullptr;
  void* view = nullptr;
  const auto create = facade_->typed_function<decltype(&wgpuTextureCreateView)>("wgpuTextureCreateView");
  facade_->run([&] { view = create(static_cast<WGPUTexture>(texture), nullptr); });
  if (view != nullptr) made_views_.push_back(view);
  return view;
}

Slot Converter::scalar(const Value& value, const TypeRow& type, const Path& path) {
  Slot slot;
  switch (type.kind) {
    case Kind::kUndefined:
    case Kind::kPromise: break;
    case Kind::kBoolean: slot.u = value.to_boolean() ? 1 : 0; break;
    case Kind::kUnsignedShort: {
      const double number = value.to_number();
      slot.u = static_cast<std::uint64_t>(std::isnan(number) ? 0 : std::nearbyint(std::clamp(number, 0.0, 65535.0)));
      break;
    }
    case Kind::kUnsignedLong: slot.u = integer(value, 0, 4294967295, type.enforce_range, path); break;
    case Kind::kUnsignedLongLong: slot.u = integer(value, 0, kMaxSafe, true, path); break;
    case Kind::kLong: slot.u = integer(value, -2147483648.0, 2147483647, true, path); break;
    case Kind::kFloat:
      slot.d = real(value, path);
      if (std::abs(slot.d) > static_cast<double>(std::numeric_limits<float>::max()))
        refuse(path, "is too large for a float");
      break;
    case Kind::kDouble: slot.d = real(value, path); break;
    case Kind::kString: slot = text(value.to_string()); break;
    case Kind::kEnum: {
      const EnumRow& row = kEnums[type.target];
      slot.u = number_of(row, enumerator(value, row, path));
      break;
    }
    case Kind::kInterface: slot.p = handle(value, type.target, type.nullable, path); break;
    case Kind::kDictionary: slot.p = dictionary(value, kDictionaries[type.target], path); break;
    case Kind::kSequenceOrDictionary: {
      const DictionaryRow& row = kDictionaries[type.target];
      slot.p = allocate(row.size);
      sequence_or_dictionary(value, row, static_cast<std::byte*>(slot.p), path);
      break;
    }
    case Kind::kLayoutOrAuto:
      if (!(value.is_string() && value.to_string() == "auto")) slot.p = handle(value, type.target, false, path);
      if (value.is_string()) touch("GPUAutoLayoutMode", "auto");
      break;
    case Kind::kTextureOrView: slot.p = texture_or_view(value, type, path); break;
    case Kind::kBufferSource:
      if (!value.is_array_buffer() && !value.is_array_buffer_view()) refuse(path, "is no ArrayBuffer or view of one");
      slot.p = const_cast<Value*>(keep(value));
      break;
    case Kind::kObject:
      if (!value.is_object()) refuse(path, "is no object");
      slot.p = const_cast<Value*>(keep(value));
      break;
    case Kind::kSequence:
    case Kind::kRecord:
    case Kind::kBindingResource: break;  // never alone
  }
  return slot;
}

void Converter::binding_resource(const Value& value, WGPUBindGroupEntry& entry, const Path& path) {
  struct Choice {
    std::size_t interface;
    void (*put)(WGPUBindGroupEntry&, void*);
  };
  static const Choice kChoices[] = {
      {interface_named("GPUSampler"),
       [](WGPUBindGroupEntry& to, void* p) { to.sampler = static_cast<WGPUSampler>(p); }},
      {interface_named("GPUTextureView"),
       [](WGPUBindGroupEntry& to, void* p) { to.textureView = static_cast<WGPUTextureView>(p); }},
      {interface_named("GPUBuffer"), [](WGPUBindGroupEntry& to, void* p) { to.buffer = static_cast<WGPUBuffer>(p); }},
  };
  static const std::size_t kTexture = interface_named("GPUTexture");
  entry.size = WGPU_WHOLE_SIZE;
  const GpuObject* object = gpu_object(value);
  if (object != nullptr && object->row() == kTexture) {
    const TypeRow view{Kind::kTextureOrView, false, false, static_cast<std::uint16_t>(kChoices[1].interface)};
    entry.textureView = static_cast<WGPUTextureView>(texture_or_view(value, view, path));
    return;
  }
  if (object != nullptr) {
    for (const Choice& choice : kChoices) {
      if (object->row() != choice.interface) continue;
      choice.put(entry, handle(value, choice.interface, false, path));
      entry.size = size_of_rest(object, 0);
      return;
    }
  }
  // A GPUBufferBinding.
  if (object != nullptr || !value.is_object()) refuse(path, "is nothing that can be bound");
  static const DictionaryRow& kBinding = kDictionaries[dictionary_named("GPUBufferBinding")];
  const GpuObject* buffer = nullptr;  // kept by `handle`
  for (const FieldRow& row : rows(kFields, kBinding.fields)) {
    const Value given = value.get(row.name);
    const Path place{&path, row.name};
    if (given.is_undefined()) {
      if (row.required) refuse(place, "is required");
      continue;
    }
    touch(kBinding.name, row.name);
    const Slot slot = scalar(given, kTypes[row.type], place);
    if (row.name == "buffer") {
      entry.buffer = static_cast<WGPUBuffer>(slot.p);
      buffer = gpu_object(given);
    }
    if (row.name == "offset") entry.offset = slot.u;
    if (row.name == "size") entry.size = slot.u;
  }
  if (entry.size == WGPU_WHOLE_SIZE) entry.size = size_of_rest(buffer, entry.offset);
}

}  // namespace alknet::platform::webgpu
