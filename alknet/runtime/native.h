#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/runtime/value.h"

// Classes and modules of ours that script uses.

namespace alknet::runtime {

/// Shows the garbage collector the Values that a NativeObject holds.
class ValueVisitor {
 public:
  virtual void visit(const Value& value) = 0;

 protected:
  ~ValueVisitor() = default;
};

/// The C++ side of a script object. Destroyed on the isolate's thread when script can no longer reach the object, at
/// the latest with the isolate; the destructor must not run script.
class NativeObject {
 public:
  NativeObject() = default;
  NativeObject(const NativeObject&) = delete;
  NativeObject& operator=(const NativeObject&) = delete;
  virtual ~NativeObject() = default;

  /// Shows each Value that this object holds, always the same ones until one is assigned.
  virtual void visit(ValueVisitor& visitor) const { static_cast<void>(visitor); }
};

/// A method; `length` is the number of arguments that script sees.
struct MethodSpec {
  std::string_view name;
  int length;
  NativeFunction function;
};

/// An attribute: a getter and, unless null, a setter.
struct AttributeSpec {
  std::string_view name;
  NativeFunction get;
  NativeFunction set = nullptr;
};

/// A class as WebIDL's interfaces are: methods and attributes on the prototype, `Symbol.toStringTag`.
struct ClassSpec {
  std::string_view name;
  NativeFunction construct =
      nullptr;     ///< what `new` does: gives an object of `make_object`; null: "Illegal constructor"
  int length = 0;  ///< of the constructor
  std::span<const MethodSpec> methods;
  std::span<const AttributeSpec> attributes;
  std::span<const MethodSpec> static_methods;
};

/// Makes the class: the constructor, whose `prototype` derives from that of `parent` where one is given. It is no
/// global until somebody sets it.
Value define_class(Realm realm, const ClassSpec& spec, const Value& parent = {});

/// An object of the class that `constructor` makes, over `native`. In a `construct` function pass `self`, the
/// `new.target`, so that script's subclasses work.
Value make_object(const Value& constructor, std::unique_ptr<NativeObject> native);

/// The C++ side of `value`, or null when it is no object of make_object.
NativeObject* native_object(const Value& value) noexcept;

/// The C++ side of `value`, or null when it is not (derived from) a T.
template <typename T>
T* native_cast(const Value& value) noexcept {
  return dynamic_cast<T*>(native_object(value));
}

/// The same; throws TypeError "Illegal invocation: WHAT" when it is not a T.
template <typename T>
T& native_this(const Value& self, std::string_view what) {
  if (T* const object = native_cast<T>(self)) return *object;
  throw self.realm().type_error("Illegal invocation: this is no " + std::string(what));
}

/// A module written in C++, imported by its name ("alknet:host").
struct NativeModule {
  std::string name;
  std::vector<std::string> exports;

  /// The values of the exports, in their order; runs when the module is first imported.
  std::function<std::vector<Value>(Realm)> evaluate;
};

}  // namespace alknet::runtime
