#include "alknet/platform/webgpu/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Value;

namespace {

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

GpuObject* gpu_object(const Value& value) { return runtime::native_cast<GpuObject>(value); }

HeldObject held_object(const Value& value) {
  if (GpuObject* direct = gpu_object(value)) return {direct, value};
  if (!value.is_object() || value.is_proxy()) return {};
  Value inner = value.get(kInner);
  GpuObject* object = inner.is_object() ? gpu_object(inner) : nullptr;
  return {object, std::move(inner)};
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

Value Converter::default_value(const Default& absent) const {
  switch (absent.kind) {
    case DefaultKind::kNumber: return realm_.number(absent.number);
    case DefaultKind::kText: return realm_.string(absent.text);
    default: return {};
  }
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
