#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alknet/platform/webgpu/facade.h"
#include "alknet/platform/webgpu/tables.h"
#include "alknet/runtime/native.h"

namespace alknet::platform::webgpu {

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

  /// Makes `Facade::resources` know it; `end` is called when the device is destroyed.
  void register_resource();
  virtual void end(runtime::Realm realm) { static_cast<void>(realm); }

  void visit(runtime::ValueVisitor& visitor) const override;

 private:
  std::size_t row_;
  std::shared_ptr<Facade> facade_;
  void* handle_;
  std::string label_;
  std::vector<std::pair<std::string_view, runtime::Value>> attributes_;
};

}  // namespace alknet::platform::webgpu
