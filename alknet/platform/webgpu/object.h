#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alknet/platform/webgpu/facade.h"
#include "alknet/platform/webgpu/tables.h"
#include "alknet/runtime/native.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform::webgpu {

/// What script had of objects that end. To let it go or settle it may run script, or free other objects, so that is
/// done when none of ours is in the middle of something.
struct Leftovers {
  std::vector<runtime::Value> values;
  std::vector<runtime::Deferred> mappings;  ///< of mapAsync

  /// Rejects what is pending.
  void settle(runtime::Realm realm);
};

/// The C++ side of an object of WebGPU. A C object is released with it.
class GpuObject : public runtime::NativeObject {
 public:
  /// `handle` is taken over; null: an object without one, or an invalid one. `row` is of kInterfaces.
  GpuObject(std::size_t row, std::shared_ptr<Facade> facade, void* handle)
      : row_(row), facade_(std::move(facade)), handle_(handle) {}
  ~GpuObject() override;

  std::size_t row() const { return row_; }
  const InterfaceRow& interface() const { return kInterfaces[row_]; }

  /// Whether it is of the interface `row` or of one that derives from it.
  bool is(std::size_t row) const;

  /// Null for what belongs to no device, such as adapters.
  Facade* facade() const { return facade_.get(); }
  const std::shared_ptr<Facade>& shared_facade() const { return facade_; }
  void* handle() const { return handle_; }

  /// The name that it was made with.
  void set_label(std::string label) { label_ = std::move(label); }

  /// Names it anew, for script and in the provider's messages.
  void rename(std::string label);
  const std::string& label() const { return label_; }

  /// The value of an attribute that does not change, by its name; undefined when none was set.
  runtime::Value attribute(std::string_view name) const;
  void set_attribute(std::string_view name, runtime::Value value);

  /// Makes `Facade::resources` know it; `end` is called when the device is destroyed. It runs no script.
  void register_resource();
  virtual void end(runtime::Realm realm, Leftovers& left) {
    static_cast<void>(realm);
    static_cast<void>(left);
  }

  /// Of an encoder: what it has in common with the passes inside it. Null for everything else.
  struct Recording {
    bool spoiled = false;  ///< A call could not be made, so what was recorded means something else.
  };
  const std::shared_ptr<Recording>& recording() const { return recording_; }
  void set_recording(std::shared_ptr<Recording> recording) { recording_ = std::move(recording); }

  /// Why calls must not use it; empty: they may.
  virtual std::string_view unusable() const { return {}; }

  void visit(runtime::ValueVisitor& visitor) const override;

 private:
  std::size_t row_;
  std::shared_ptr<Facade> facade_;
  void* handle_;
  std::string label_;
  std::vector<std::pair<std::string_view, runtime::Value>> attributes_;
  std::shared_ptr<Recording> recording_;
};

}  // namespace alknet::platform::webgpu
