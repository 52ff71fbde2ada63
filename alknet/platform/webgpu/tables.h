#pragma once

#include <webgpu.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

// What alknet-webidlgen makes of webgpu.idl: rows that the converter and the classes interpret.

namespace alknet::platform::webgpu {

/// How a value of script is converted. `target` of the row says more where noted.
enum class Kind : std::uint8_t {
  kUndefined,
  kBoolean,
  kUnsignedShort,  ///< [Clamp]
  kUnsignedLong,   ///< [EnforceRange], or plain: wraps around
  kUnsignedLongLong,
  kLong,
  kFloat,
  kDouble,
  kString,
  kEnum,                  ///< target: row of kEnums
  kInterface,             ///< target: row of kInterfaces
  kDictionary,            ///< target: row of kDictionaries
  kSequence,              ///< target: type of an element
  kRecord,                ///< target: type of a value; keys are strings
  kSequenceOrDictionary,  ///< target: row of kDictionaries, whose members in order the sequence gives
  kLayoutOrAuto,          ///< a GPUPipelineLayout, or "auto": null
  kTextureOrView,         ///< a GPUTextureView, or a GPUTexture: its default view
  kBindingResource,       ///< what a GPUBindGroupEntry may bind
  kObject,                ///< any object; kept as it is
  kBufferSource,          ///< an ArrayBuffer or a view of one; kept as it is
  kPromise,               ///< of whatever: only as a result
};

struct TypeRow {
  Kind kind;
  bool nullable;
  bool enforce_range;
  std::uint16_t target;
};

/// The number of an enum's value that webgpu.h has none for.
inline constexpr std::uint32_t kNoNumber = 0xFFFFFFFF;

struct EnumValue {
  std::string_view text;
  std::uint32_t number;
};

/// A range of rows in another table.
struct Range {
  std::uint16_t first;
  std::uint16_t count;
};

struct EnumRow {
  std::string_view name;
  Range values;  ///< of kEnumValues
};

enum class DefaultKind : std::uint8_t { kNone, kNumber, kText, kEmpty };

/// What an absent value is. `kEmpty`: a dictionary or sequence without members.
struct Default {
  DefaultKind kind;
  double number;
  std::string_view text;
};

/// How a member lies in its C structure.
enum class Store : std::uint8_t {
  kNone,  ///< Not at all: the member is known and checked, and has no counterpart there.
  kU16,
  kU32,
  kU64,
  kI32,
  kF32,
  kF64,
  kString,   ///< WGPUStringView; of an enum, its text
  kHandle,   ///< an object
  kStruct,   ///< in place
  kPointer,  ///< to a structure
  kArray,    ///< a pointer, and a count of size_t at `count_offset`
  kValue,    ///< the script value itself: a `const runtime::Value*`
  kPlace,    ///< several members, by a converter of its own, which gets the structure's address
};

struct FieldRow {
  std::string_view name;
  std::uint16_t type;
  bool required;
  Store store;
  std::uint16_t offset;
  std::uint16_t count_offset;
  Default absent;
};

struct DictionaryRow {
  std::string_view name;
  Range fields;         ///< of kFields: inherited ones first, then by name, the order in which script sees them read
  std::uint32_t size;   ///< of the C structure
  const void* initial;  ///< the structure with every member absent; null: zeros
  std::uint16_t label;  ///< offset of the label; kNoLabel: none
};
inline constexpr std::uint16_t kNoLabel = 0xFFFF;

/// An argument, a result or a structure's member on its way to C. Integers are `u`, floating point is `d`.
struct Slot {
  union {
    std::uint64_t u;
    double d;
    void* p;
  };
  Slot() : u(0) {}

  template <typename T>
  T as() const {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(d);
    } else if constexpr (std::is_pointer_v<T>) {
      return static_cast<T>(p);
    } else if constexpr (std::is_same_v<T, WGPUStringView>) {
      return *static_cast<const WGPUStringView*>(p);
    } else {
      return static_cast<T>(u);
    }
  }
};

/// Calls a C function with `arguments` and returns the object that it gives, or null.
using Invoker = void* (*)(void* function, const Slot* arguments);

template <typename F>
struct Invoke;
template <typename R, typename... A>
struct Invoke<R (*)(A...)> {
  static void* call(void* function, const Slot* arguments) {
    return apply(reinterpret_cast<R (*)(A...)>(function), arguments, std::index_sequence_for<A...>());
  }
  template <std::size_t... I>
  static void* apply(R (*function)(A...), const Slot* arguments, std::index_sequence<I...>) {
    if constexpr (std::is_pointer_v<R>) {
      return function(arguments[I].template as<A>()...);
    } else {
      static_cast<void>(function(arguments[I].template as<A>()...));
      return nullptr;
    }
  }
};

struct ArgumentRow {
  std::string_view name;
  std::uint16_t type;
  bool optional;
  Default absent;
};

struct MethodRow {
  std::string_view name;
  Range arguments;     ///< of kArguments
  std::uint8_t least;  ///< arguments that must be given
  bool promise;
  std::uint16_t result;  ///< type
  const char* symbol;    ///< of the C function; null: by hand only
  Invoker invoke;
};

struct AttributeRow {
  std::string_view name;
  bool readonly;
  std::uint16_t type;
};

struct InterfaceRow {
  std::string_view name;
  std::string_view parent;  ///< empty: none
  Range attributes;         ///< of kAttributes
  Range methods;            ///< of kMethods; overloads follow each other
  bool constructible;
  bool setlike;
  const char* release;    ///< the C function that gives an object back; null where there are no C objects
  const char* set_label;  ///< null: none
};

struct ConstantRow {
  std::string_view name;
  std::uint32_t value;
};

struct NamespaceRow {
  std::string_view name;
  Range constants;  ///< of kConstants
};

extern const std::span<const TypeRow> kTypes;
extern const std::span<const EnumRow> kEnums;
extern const std::span<const EnumValue> kEnumValues;
extern const std::span<const DictionaryRow> kDictionaries;
extern const std::span<const FieldRow> kFields;
extern const std::span<const InterfaceRow> kInterfaces;
extern const std::span<const AttributeRow> kAttributes;
extern const std::span<const MethodRow> kMethods;
extern const std::span<const ArgumentRow> kArguments;
extern const std::span<const NamespaceRow> kNamespaces;
extern const std::span<const ConstantRow> kConstants;

template <typename T>
std::span<const T> rows(std::span<const T> table, Range range) {
  return table.subspan(range.first, range.count);
}

/// The row of a table with this name, or its size.
template <typename Row>
std::size_t row_named(std::span<const Row> table, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(table, name, &Row::name) - table.begin());
}

}  // namespace alknet::platform::webgpu
