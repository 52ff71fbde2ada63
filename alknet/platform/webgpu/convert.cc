#include "alknet/platform/webgpu/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Value;

namespace {

constexpr double kMaxSafe = 9007199254740991;

template <typename Row>
std::size_t row_named(std::span<const Row> table, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(table, name, &Row::name) - table.begin());
}

// Bytes from one element of a list to the next.
std::size_t stride_of(const TypeRow& type) {
  switch (type.kind) {
    case Kind::kEnum:
    case Kind::kUnsignedLong: return sizeof(std::uint32_t);
    case Kind::kDictionary: return kDictionaries[type.target].size;
    default: return sizeof(void*);
  }
}

Store element_store(const TypeRow& type) {
  switch (type.kind) {
    case Kind::kEnum:
    case Kind::kUnsignedLong: return Store::kU32;
    case Kind::kDictionary: return kDictionaries[type.target].size == 0 ? Store::kNone : Store::kStruct;
    case Kind::kInterface: return Store::kHandle;
    default: return Store::kF64;
  }
}

template <typename T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

}  // namespace

std::string Path::text() const {
  const std::string before = up != nullptr ? up->text() : std::string();
  if (index >= 0) return fmt::format("{}[{}]", before, index);
  if (index == kMethod) return fmt::format("{}.{}: ", before, name);
  if (before.empty()) return std::string(name);
  return fmt::format("{}{}{}", before, before.ends_with(' ') ? "" : ".", name);
}

std::size_t interface_named(std::string_view name) { return row_named(kInterfaces, name); }
std::size_t dictionary_named(std::string_view name) { return row_named(kDictionaries, name); }

std::string_view enum_text(std::string_view enum_name, std::uint32_t number) {
  const EnumRow& row = kEnums[row_named(kEnums, enum_name)];
  const auto values = rows(kEnumValues, row.values);
  const auto found = std::ranges::find(values, number, &EnumValue::number);
  return found == values.end() ? std::string_view() : found->text;
}

GpuObject* gpu_object(const Value& value) {
  if (auto* direct = runtime::native_cast<GpuObject>(value)) return direct;
  if (!value.is_object() || value.is_proxy()) return nullptr;
  const Value inner = value.get(kInner);
  return inner.is_object() ? runtime::native_cast<GpuObject>(inner) : nullptr;
}

Converter::~Converter() {
  for (void* view : made_views_) facade_->typed_function<void (*)(void*)>("wgpuTextureViewRelease")(view);
}

void Converter::refuse(const Path& path, std::string_view what) const {
  throw realm_.type_error(fmt::format("{} {}", path.text(), what));
}

void Converter::mark_invalid(std::string reason) {
  if (!invalid_) invalid_reason_ = std::move(reason);
  invalid_ = true;
}

void Converter::touch(std::string_view owner, std::string_view member) const {
  if (coverage_ != nullptr) coverage_->touched.insert(fmt::format("{}.{}", owner, member));
}

void* Converter::allocate(std::size_t bytes) {
  void* at = memory_.allocate(std::max<std::size_t>(bytes, 1), alignof(std::max_align_t));
  std::memset(at, 0, bytes);
  return at;
}

Slot Converter::text(std::string utf8) {
  const std::string& kept = texts_.emplace_front(std::move(utf8));
  Slot slot;
  slot.p = &views_.emplace_front(gpu::view_of(kept));
  return slot;
}

const Value* Converter::keep(const Value& value) { return &values_.emplace_front(value); }

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
  const GpuObject* object = gpu_object(value);
  if (object == nullptr || !object->is(interface)) refuse(path, fmt::format("is no {}", kInterfaces[interface].name));
  if (facade_ != nullptr && object->facade() != nullptr && object->facade() != facade_) {
    mark_invalid(fmt::format("{} belongs to another device", path.text()));
  } else if (object->handle() == nullptr && object->interface().release != nullptr) {
    mark_invalid(fmt::format("{} is not valid", path.text()));
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

Value Converter::default_value(const Default& absent) const {
  switch (absent.kind) {
    case DefaultKind::kNumber: return realm_.number(absent.number);
    case DefaultKind::kText: return realm_.string(absent.text);
    default: return {};
  }
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

std::vector<Value> Converter::elements(const Value& value, const Path& path) {
  std::vector<Value> result;
  if (!value.is_object()) refuse(path, "is not iterable");
  Value array = value;
  if (!value.is_array()) {
    const Value global = realm_.global();
    if (value.get(global.get("Symbol").get("iterator")).is_nullish()) refuse(path, "is not iterable");
    array = global.get("Array").invoke("from", std::span(&value, 1));
  }
  const auto count = static_cast<std::uint32_t>(array.length());
  for (std::uint32_t i = 0; i < count; ++i) result.push_back(array.get(i));
  return result;
}

std::pair<std::size_t, void*> Converter::list(const Value& value, const TypeRow& type, const Path& path) {
  const std::vector<Value> items = elements(value, path);
  const std::size_t stride = stride_of(type);
  auto* begin = static_cast<std::byte*>(allocate(items.size() * stride));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Path item{&path, {}, static_cast<std::int64_t>(i)};
    std::byte* at = begin + i * stride;
    if (type.nullable && items[i].is_nullish()) {
      if (type.kind == Kind::kDictionary && kDictionaries[type.target].initial != nullptr) {
        std::memcpy(at, kDictionaries[type.target].initial, stride);
      }
      continue;
    }
    store(items[i], type, element_store(type), at, item);
  }
  return {items.size(), begin};
}

std::pair<std::size_t, void*> Converter::record(const Value& value, const TypeRow& type, const Path& path) {
  if (!value.is_object()) refuse(path, "is no object");
  static_assert(sizeof(WGPUConstantEntry) == sizeof(OwnLimitEntry));
  const std::vector<std::string> names = value.keys();
  auto* entries = static_cast<WGPUConstantEntry*>(allocate(names.size() * sizeof(WGPUConstantEntry)));
  std::size_t count = 0;
  for (const std::string& name : names) {
    const Value given = value.get(name);
    if (type.nullable && given.is_undefined()) continue;
    const Slot slot = scalar(given, type, {&path, name});
    WGPUConstantEntry& entry = entries[count++];
    entry.key = *static_cast<const WGPUStringView*>(text(name).p);
    std::memcpy(&entry.value, &slot, sizeof entry.value);
  }
  return {count, entries};
}

void Converter::sequence_or_dictionary(const Value& value, const DictionaryRow& row, std::byte* at, const Path& path) {
  const auto fields = rows(kFields, row.fields);
  const bool is_sequence =
      value.is_array() || (value.is_object() && !value.get(realm_.global().get("Symbol").get("iterator")).is_nullish());
  if (!is_sequence) return fill(value, row, at, path);
  const std::vector<Value> items = elements(value, path);
  const auto least = static_cast<std::size_t>(std::ranges::count(fields, true, &FieldRow::required));
  if (items.size() < least || items.size() > fields.size()) {
    refuse(path, fmt::format("has {} elements instead of {} to {}", items.size(), least, fields.size()));
  }
  if (row.initial != nullptr) std::memcpy(at, row.initial, row.size);
  // The order of a sequence is that of the C structure: r g b a, x y z, width height depth.
  std::vector<const FieldRow*> in_order;
  for (const FieldRow& one : fields) in_order.push_back(&one);
  std::ranges::sort(in_order, {}, &FieldRow::offset);
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const FieldRow& one = *in_order[i];
    const Path item{&path, {}, static_cast<std::int64_t>(i)};
    store(i < items.size() ? items[i] : default_value(one.absent), kTypes[one.type], one.store, at + one.offset, item);
  }
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
      if (object->row() == choice.interface) return choice.put(entry, handle(value, choice.interface, false, path));
    }
  }
  // A GPUBufferBinding.
  if (object != nullptr || !value.is_object()) refuse(path, "is nothing that can be bound");
  static const DictionaryRow& kBinding = kDictionaries[dictionary_named("GPUBufferBinding")];
  for (const FieldRow& row : rows(kFields, kBinding.fields)) {
    const Value given = value.get(row.name);
    const Path place{&path, row.name};
    if (given.is_undefined()) {
      if (row.required) refuse(place, "is required");
      continue;
    }
    touch(kBinding.name, row.name);
    const Slot slot = scalar(given, kTypes[row.type], place);
    if (row.name == "buffer") entry.buffer = static_cast<WGPUBuffer>(slot.p);
    if (row.name == "offset") entry.offset = slot.u;
    if (row.name == "size") entry.size = slot.u;
  }
}

void Converter::store(const Value& value, const TypeRow& type, Store how, std::byte* at, const Path& path) {
  if (how == Store::kStruct) {
    const DictionaryRow& row = kDictionaries[type.target];
    if (type.kind == Kind::kSequenceOrDictionary) return sequence_or_dictionary(value, row, at, path);
    return fill(value, row, at, path);
  }
  if (how == Store::kPlace) return binding_resource(value, *reinterpret_cast<WGPUBindGroupEntry*>(at), path);
  if (how == Store::kString && type.kind == Kind::kEnum) {
    return put(at, gpu::view_of(enumerator(value, kEnums[type.target], path).text));
  }
  const Slot slot = scalar(value, type, path);
  switch (how) {
    case Store::kU16: return put(at, static_cast<std::uint16_t>(slot.u));
    case Store::kU32:
    case Store::kI32: return put(at, static_cast<std::uint32_t>(slot.u));
    case Store::kU64: return put(at, slot.u);
    case Store::kF32: return put(at, static_cast<float>(slot.d));
    case Store::kF64: return put(at, slot.d);
    case Store::kHandle:
    case Store::kPointer: return put(at, slot.p);
    case Store::kString: return put(at, *static_cast<const WGPUStringView*>(slot.p));
    case Store::kValue: return put(at, keep(value));
    default: return;
  }
}

void Converter::field(const Value& value, const FieldRow& row, std::byte* structure, const Path& path) {
  const TypeRow& type = kTypes[row.type];
  if (type.kind == Kind::kSequence || type.kind == Kind::kRecord) {
    if (value.is_undefined()) return;
    const TypeRow& inner = kTypes[type.target];
    const auto [count, items] = type.kind == Kind::kSequence ? list(value, inner, path) : record(value, inner, path);
    if (row.store != Store::kArray) return;
    put(structure + row.count_offset, count);
    put(structure + row.offset, items);
    return;
  }
  store(value, type, row.store, row.store == Store::kPlace ? structure : structure + row.offset, path);
}

void Converter::fill(const Value& value, const DictionaryRow& row, std::byte* at, const Path& path) {
  if (!value.is_nullish() && !value.is_object()) refuse(path, fmt::format("is no object (a {})", row.name));
  if (row.initial != nullptr) {
    std::memcpy(at, row.initial, row.size);
  } else if (row.size > 0) {
    std::memset(at, 0, row.size);
  }
  for (const FieldRow& one : rows(kFields, row.fields)) {
    Value given = value.is_nullish() ? Value() : value.get(one.name);
    const Path place{&path, one.name};
    if (given.is_undefined()) {
      if (one.required) refuse(place, fmt::format("is required (in a {})", row.name));
      if (one.absent.kind == DefaultKind::kNone) continue;
      given = default_value(one.absent);
    } else {
      touch(row.name, one.name);
    }
    field(given, one, at, place);
  }
}

void* Converter::dictionary(const Value& value, const DictionaryRow& row, const Path& path) {
  auto* at = static_cast<std::byte*>(allocate(row.size));
  fill(value, row, at, path);
  if (row.label != kNoLabel) {
    WGPUStringView view{};
    std::memcpy(&view, at + row.label, sizeof view);
    label = gpu::text_of(view);
  }
  return row.size == 0 ? nullptr : at;
}

void Converter::argument(const Value& value, const ArgumentRow& row, const Path& path, std::vector<Slot>& slots) {
  const TypeRow& type = kTypes[row.type];
  Value given = value;
  if (row.optional && value.is_undefined()) {
    if (row.absent.kind == DefaultKind::kNone) {
      slots.emplace_back().u = WGPU_WHOLE_SIZE;
      return;
    }
    given = default_value(row.absent);
  }
  if (type.kind != Kind::kSequence) {
    slots.push_back(scalar(given, type, path));
    return;
  }
  std::pair<std::size_t, void*> items{0, nullptr};
  if (!given.is_undefined() || row.absent.kind != DefaultKind::kEmpty) items = list(given, kTypes[type.target], path);
  slots.emplace_back().u = items.first;
  slots.emplace_back().p = items.second;
}

}  // namespace alknet::platform::webgpu
