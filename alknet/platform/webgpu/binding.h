#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/platform/webgpu/convert.h"
#include "alknet/platform/webgpu/navigator_gpu.h"
#include "alknet/platform/webgpu/object.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/native.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform::webgpu {

class Binding;

/// One call of a method, its arguments converted.
struct Call {
  Binding& binding;
  runtime::Realm realm;
  const runtime::Value& self;
  GpuObject& object;
  const runtime::Arguments& arguments;
  const MethodRow& row;
  std::vector<Slot> slots;  ///< The receiver's handle, then the arguments.
  Converter& converter;

  template <typename T>
  T* pointer(std::size_t slot) const {
    return static_cast<T*>(slots[slot].p);
  }
};

/// A method that does more, or other, than call its C function.
struct SpecialMethod {
  std::string_view name;  ///< "GPUBuffer.mapAsync"
  runtime::Value (*call)(Call&);
};

/// An attribute that is not simply kept.
struct SpecialAttribute {
  std::string_view name;  ///< "GPUBuffer.mapState"
  runtime::Value (*get)(Binding&, runtime::Realm, const runtime::Value& self, GpuObject&);
  void (*set)(Binding&, runtime::Realm, const runtime::Value& self, GpuObject&, const runtime::Value&);
};

/// The classes of WebGPU in one realm. They are made when first asked for.
class Binding : public std::enable_shared_from_this<Binding> {
 public:
  Binding(runtime::Realm realm, WebGpuOptions options);

  /// Defines `navigator.gpu` and the globals.
  void install();

  const WebGpuOptions& options() const { return options_; }

  /// The WebGPU library, loaded when first asked for. Throws what loading throws.
  const gpu::Instance& instance();

  /// The constructor of the interface in row `interface` of kInterfaces.
  runtime::Value constructor(std::size_t interface);

  /// A script object over `object`.
  runtime::Value make(std::unique_ptr<GpuObject> object);

  /// The same for an object that derives from a class of others, whose constructor gets `base_arguments`.
  runtime::Value make_derived(std::unique_ptr<GpuObject> object, std::span<const runtime::Value> base_arguments,
                              const runtime::Value& new_target);

  /// Calls the C function of `call.row` and gives the object that it makes, or undefined.
  runtime::Value call_directly(Call& call);

  /// Whether the call can be made: everything is valid and the device has not ended. Else reports why.
  bool usable(Call& call);

  void touch(std::string_view owner, std::string_view member) const;

  void define_getter(const runtime::Value& target, std::string_view name, const runtime::Value& get);

  runtime::Realm realm() const { return realm_; }

  /// A WeakRef of `object`, and what it still leads to: by the standard's own functions, whatever script made of them.
  runtime::Value weak_reference(const runtime::Value& object) const;
  runtime::Value target_of(const runtime::Value& weak) const;

 private:
  void define_global(const runtime::Value& target, const std::string& name,
                     std::function<runtime::Value(Binding&)> make);
  void define_methods(const runtime::Value& prototype, std::size_t interface);
  void define_attributes(const runtime::Value& prototype, std::size_t interface);
  runtime::Value call_method(std::size_t interface, Range overloads, const runtime::Value& self,
                             const runtime::Arguments& arguments);
  runtime::Value run_method(std::size_t interface, std::size_t method, const runtime::Value& self,
                            const runtime::Arguments& arguments);
  runtime::Value namespace_object(std::size_t row);
  runtime::Value inner_class();

  struct Forget {
    Binding* binding;
    void operator()() const;
  };

  runtime::Realm realm_;
  WebGpuOptions options_;
  std::optional<gpu::Instance> instance_;
  std::vector<runtime::Value> constructors_;  // roots, as the classes of a realm are, until the isolate ends
  runtime::Value inner_class_;                // of the C++ sides that other objects hold
  runtime::Value weak_ref_, deref_;           // WeakRef and its method
  std::stop_callback<Forget> at_end_;
};

/// The object that a method or attribute is used on; to be held as long as it is used. Throws TypeError "Illegal
/// invocation".
HeldObject receiver(const runtime::Value& self, std::size_t interface);

/// The binding that made a constructor. Throws TypeError for anything else.
Binding& bound_to(const runtime::Value& constructor);

/// The members of a read-only setlike.
void define_setlike(Binding& binding, const runtime::Value& prototype, std::size_t interface);

/// The class OffscreenCanvas, and the GPUCanvasContext of a canvas: any object with `width` and `height`.
runtime::Value make_canvas_class(Binding& binding);
runtime::Value make_canvas_context(Binding& binding, const runtime::Value& canvas);

/// Tables of the special members, one a file.
std::span<const SpecialMethod> adapter_methods();
std::span<const SpecialMethod> buffer_methods();
std::span<const SpecialMethod> canvas_methods();
std::span<const SpecialMethod> device_methods();
std::span<const SpecialMethod> encoder_methods();
std::span<const SpecialMethod> queue_methods();
std::span<const SpecialMethod> shader_methods();
std::span<const SpecialAttribute> special_attributes();

/// What `new` does for the interface in a row that has a constructor.
runtime::Value construct_error(Binding& binding, std::size_t interface, const runtime::Value& new_target,
                               const runtime::Arguments& arguments);

}  // namespace alknet::platform::webgpu
