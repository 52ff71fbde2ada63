#pragma once

#include <cstddef>
#include <forward_list>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/platform/webgpu/coverage.h"
#include "alknet/platform/webgpu/object.h"
#include "alknet/platform/webgpu/tables.h"
#include "alknet/runtime/value.h"

namespace alknet::platform::webgpu {

/// Where in a call a value stands, for messages: "GPUDevice.createBindGroup: descriptor.entries[2].binding".
struct Path {
  const Path* up = nullptr;
  std::string_view name = {};
  std::int64_t index = -1;  ///< of an element; `name` is empty then; kMethod: `name` is a method's

  static constexpr std::int64_t kMethod = -2;

  std::string text() const;
};

/// Converts what script passes to a call into the arguments of its C function, as the tables say, with Web IDL's rules.
/// Everything that it makes lives until its end. Throws TypeError with the member's path.
class Converter {
 public:
  /// `facade`: of the object whose method is called; null where there is none. `coverage` may be null.
  Converter(runtime::Realm realm, Facade* facade, Coverage* coverage)
      : realm_(realm), facade_(facade), coverage_(coverage) {}
  ~Converter();
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  /// Appends the slots of an argument: two for a sequence (count, pointer), else one. An absent optional argument
  /// without default gives `absent_size`, the number that webgpu.h takes for "the rest".
  void argument(const runtime::Value& value, const ArgumentRow& row, const Path& path, std::vector<Slot>& slots);

  /// Converts a dictionary into its C structure; null for one that has none.
  void* dictionary(const runtime::Value& value, const DictionaryRow& row, const Path& path);

  /// Whether an object that is not valid, or of another device, was among the values: the call must not be made.
  bool has_invalid() const { return invalid_; }
  const std::string& invalid_reason() const { return invalid_reason_; }

  /// The label of the last descriptor converted.
  std::string label;

 private:
  Slot scalar(const runtime::Value& value, const TypeRow& type, const Path& path);
  void fill(const runtime::Value& value, const DictionaryRow& row, std::byte* at, const Path& path);
  void field(const runtime::Value& value, const FieldRow& row, std::byte* structure, const Path& path);
  void store(const runtime::Value& value, const TypeRow& type, Store how, std::byte* at, const Path& path);
  std::pair<std::size_t, void*> list(const runtime::Value& value, const TypeRow& type, const Path& path);
  std::pair<std::size_t, void*> record(const runtime::Value& value, const TypeRow& type, const Path& path);
  void sequence_or_dictionary(const runtime::Value& value, const DictionaryRow& row, std::byte* at, const Path& path);
  void binding_resource(const runtime::Value& value, WGPUBindGroupEntry& entry, const Path& path);
  void* handle(const runtime::Value& value, std::size_t interface, bool nullable, const Path& path);
  void* texture_or_view(const runtime::Value& value, const TypeRow& type, const Path& path);
  std::uint64_t integer(const runtime::Value& value, double least, double most, bool enforce, const Path& path);
  double real(const runtime::Value& value, const Path& path);
  const EnumValue& enumerator(const runtime::Value& value, const EnumRow& row, const Path& path);
  std::uint32_t number_of(const EnumRow& row, const EnumValue& value) const;
  Slot text(std::string utf8);
  const runtime::Value* keep(const runtime::Value& value);
  runtime::Value default_value(const Default& absent) const;
  std::vector<runtime::Value> elements(const runtime::Value& value, const Path& path);
  void* allocate(std::size_t bytes);
  void touch(std::string_view owner, std::string_view member) const;
  void mark_invalid(std::string reason);
  [[noreturn]] void refuse(const Path& path, std::string_view what) const;

  runtime::Realm realm_;
  Facade* facade_;
  Coverage* coverage_;
  bool invalid_ = false;
  std::string invalid_reason_;
  alignas(std::max_align_t) std::byte first_block_[2048];
  std::pmr::monotonic_buffer_resource memory_{first_block_, sizeof first_block_};
  std::forward_list<std::string> texts_;
  std::forward_list<WGPUStringView> views_;
  std::forward_list<runtime::Value> values_;
  std::vector<void*> made_views_;
};

/// The row of kInterfaces, or of kDictionaries, with this name, which must exist.
std::size_t interface_named(std::string_view name);
std::size_t dictionary_named(std::string_view name);

/// The text of an enum's value that webgpu.h numbers `number`.
std::string_view enum_text(std::string_view enum_name, std::uint32_t number);

/// The C++ side of an object of ours that derives from no class of others; null for anything else. It lives as long as
/// `value`.
GpuObject* gpu_object(const runtime::Value& value);

/// The C++ side of any object of ours, and what keeps it: script may take it from its object (see kInner).
struct HeldObject {
  GpuObject* object = nullptr;
  runtime::Value holder = {};
};
HeldObject held_object(const runtime::Value& value);

/// The name of the hidden member by which objects that derive from classes of others (EventTarget, Event, DOMException)
/// hold their C++ side.
inline constexpr std::string_view kInner = "__webgpu";

}  // namespace alknet::platform::webgpu
