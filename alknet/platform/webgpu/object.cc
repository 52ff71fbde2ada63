#include "alknet/platform/webgpu/object.h"

#include <algorithm>
#include <utility>

#include "alknet/platform/webgpu/errors.h"

namespace alknet::platform::webgpu {

GpuObject::~GpuObject() {
  if (facade_ == nullptr) return;
  facade_->resources().erase(this);
  if (handle_ == nullptr || interface().release == nullptr) return;
  if (const auto release = facade_->typed_function<void (*)(void*)>(interface().release)) release(handle_);
}

bool GpuObject::is(std::size_t row) const {
  for (std::size_t mine = row_;;) {
    if (mine == row) return true;
    const auto parent = std::ranges::find(kInterfaces, kInterfaces[mine].parent, &InterfaceRow::name);
    if (parent == kInterfaces.end()) return false;
    mine = static_cast<std::size_t>(parent - kInterfaces.begin());
  }
}

void GpuObject::rename(std::string label) {
  set_label(std::move(label));
  // Devices and queues are shared with others; wgpu-native ends the process.
  const bool shared = interface().name == "GPUDevice" || interface().name == "GPUQueue";
  if (handle_ == nullptr || shared || interface().set_label == nullptr || !facade_->native().answers_later()) return;
  const auto set = facade_->typed_function<void (*)(void*, WGPUStringView)>(interface().set_label);
  if (set != nullptr) set(handle_, gpu::view_of(label_));
}

runtime::Value GpuObject::attribute(std::string_view name) const {
  const auto found = std::ranges::find(attributes_, name, &std::pair<std::string_view, runtime::Value>::first);
  return found == attributes_.end() ? runtime::Value() : found->second;
}

void GpuObject::set_attribute(std::string_view name, runtime::Value value) {
  const auto found = std::ranges::find(attributes_, name, &std::pair<std::string_view, runtime::Value>::first);
  if (found != attributes_.end()) {
    found->second = std::move(value);
  } else {
    attributes_.emplace_back(name, std::move(value));
  }
}

void Leftovers::settle(runtime::Realm realm) {
  for (const runtime::Deferred& mapping : std::exchange(mappings, {})) {
    try {
      mapping.reject(
          dom_exception(realm, "AbortError", "GPUBuffer.mapAsync: the buffer was unmapped before it was mapped"));
    } catch (const runtime::ScriptError& instead) {  // script's own DOMException
      mapping.reject(instead);
    }
  }
  values.clear();
}

void GpuObject::register_resource() { facade_->resources().insert(this); }

void GpuObject::visit(runtime::ValueVisitor& visitor) const {
  for (const auto& [name, value] : attributes_) visitor.visit(value);
}

}  // namespace alknet::platform::webgpu
