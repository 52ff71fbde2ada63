// GPUBuffer: memory, and how script maps it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/buffer_object.h"
#include "alknet/platform/webgpu/errors.h"

namespace alknet::platform::webgpu {

using runtime::Deferred;
using runtime::Realm;
using runtime::Value;
using State = BufferObject::Mapping::State;

namespace {

// A wgpuBufferMapAsync under way.
struct MapCall : gpu::Completion {
  WGPUMapAsyncStatus status{};
  std::string message;
};

BufferObject& buffer_of(const Call& call) { return static_cast<BufferObject&>(call.object); }

Value create_buffer(Call& call) {
  const auto& descriptor = *call.pointer<WGPUBufferDescriptor>(1);
  const bool mapped = descriptor.mappedAtCreation != WGPU_FALSE;
  if (mapped && descriptor.size % 4 != 0) {
    throw call.realm.range_error(
        "GPUDevice.createBuffer: the size of a buffer that is mapped at creation must be a multiple of 4");
  }
  void* handle = nullptr;
  if (call.binding.usable(call)) {
    Facade& facade = *call.object.facade();
    facade.run(
        [&] { handle = facade.native().functions().device_create_buffer(facade.native().handle(), &descriptor); });
  }
  auto object = std::make_unique<BufferObject>(interface_named("GPUBuffer"), call.object.shared_facade(), handle);
  BufferObject& buffer = *object;
  buffer.size = descriptor.size;
  buffer.usage = descriptor.usage;
  buffer.set_label(call.converter.label);
  buffer.register_resource();
  if (mapped) {
    if (handle != nullptr && descriptor.size > 0 &&
        buffer.facade()->native().functions().buffer_get_mapped_range(static_cast<WGPUBuffer>(handle), 0,
                                                                      descriptor.size) == nullptr) {
      throw call.realm.range_error(fmt::format(
          "GPUDevice.createBuffer: {} bytes cannot be mapped: there is no memory for them", descriptor.size));
    }
    *buffer.mapping() = {State::kMapped, 0, true, 0, descriptor.size};
  }
  return call.binding.make(std::move(object));
}

Value map_async(Call& call) {
  BufferObject& buffer = buffer_of(call);
  const std::shared_ptr<BufferObject::Mapping>& mapping = buffer.mapping();
  const auto refuse = [&](const std::string& why) {
    return rejected_promise(call.realm, dom_exception(call.realm, "OperationError", "GPUBuffer.mapAsync: " + why));
  };
  if (mapping->state == State::kPending) return refuse("the buffer is being mapped already");
  if (mapping->state == State::kMapped) {
    const std::string why = "the buffer is mapped already";
    buffer.facade()->report({WGPUErrorFilter_Validation, "GPUBuffer.mapAsync: " + why});
    return refuse(why);
  }
  const std::uint64_t offset = call.slots[2].u;
  const std::uint64_t size = call.slots[3].u != WGPU_WHOLE_SIZE ? call.slots[3].u
                             : buffer.size > offset             ? buffer.size - offset
                                                                : 0;
  if (!call.binding.usable(call)) return refuse("the buffer or its device cannot be used any more");
  const Deferred deferred(call.realm);
  mapping->state = State::kPending;
  mapping->write = call.slots[1].u == WGPUMapMode_Write;
  mapping->begin = offset;
  mapping->end = offset + size;
  buffer.pending() = deferred;
  auto request = std::make_shared<MapCall>();
  WGPUBufferMapCallbackInfo info{};
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.userdata1 = request.get();
  info.callback = [](WGPUMapAsyncStatus status, WGPUStringView message, void* user, void*) {
    auto* to = static_cast<MapCall*>(user);
    to->status = status;
    to->message = gpu::text_of(message);
    to->done = true;
  };
  Facade& facade = *buffer.facade();
  facade.run([&] {
    request->future = facade.native().functions().buffer_map_async(static_cast<WGPUBuffer>(buffer.handle()),
                                                                   call.slots[1].u, offset, size, info);
  });
  facade.waiter().post([request, native = facade.native(), deferred, mapping, turn = mapping->turn] {
    native.wait(*request);
    deferred.resolve_later([request, mapping, turn](Realm realm) {
      if (mapping->turn != turn) return Value();  // unmapped since: settled then
      if (request->status == WGPUMapAsyncStatus_Success) {
        mapping->state = State::kMapped;
        return Value();
      }
      mapping->state = State::kUnmapped;
      throw dom_exception(realm, request->status == WGPUMapAsyncStatus_Aborted ? "AbortError" : "OperationError",
                          "GPUBuffer.mapAsync: " + request->message);
    });
  });
  return deferred.promise();
}

Value get_mapped_range(Call& call) {
  BufferObject& buffer = buffer_of(call);
  const BufferObject::Mapping& mapping = *buffer.mapping();
  const std::uint64_t begin = call.slots[1].u;
  const std::uint64_t size = call.slots[2].u != WGPU_WHOLE_SIZE ? call.slots[2].u
                             : buffer.size > begin              ? buffer.size - begin
                                                                : 0;
  const auto refuse = [&](const std::string& why) {
    throw dom_exception(call.realm, "OperationError", "GPUBuffer.getMappedRange: " + why);
  };
  if (mapping.state != State::kMapped) refuse("the buffer is not mapped");
  if (begin % 8 != 0 || size % 4 != 0) {
    refuse(fmt::format("offset {} must be a multiple of 8 and size {} one of 4", begin, size));
  }
  if (begin < mapping.begin || size > mapping.end - mapping.begin || begin > mapping.end - size) {
    refuse(fmt::format("{} bytes from {} are not within the mapped {} to {}", size, begin, mapping.begin, mapping.end));
  }
  if (buffer.overlaps(begin, begin + size)) refuse("another ArrayBuffer shows some of these bytes");
  const gpu::Functions& functions = buffer.facade()->native().functions();
  auto* handle = static_cast<WGPUBuffer>(buffer.handle());
  void* memory = nullptr;
  if (handle != nullptr && size > 0) {
    memory = mapping.write ? functions.buffer_get_mapped_range(handle, begin, size)
                           : const_cast<void*>(functions.buffer_get_const_mapped_range(handle, begin, size));
    if (memory == nullptr) refuse("the memory is gone");
  }
  if (memory == nullptr) {  // of an invalid buffer script sees memory all the same
    const std::vector<std::byte> none(size);
    return buffer.show(call.realm, begin, none);
  }
  return buffer.show(call.realm, begin, {static_cast<const std::byte*>(memory), size});
}

Value unmap_buffer(Call& call) {
  buffer_of(call).unmap(call.realm);
  return {};
}

Value destroy_buffer(Call& call) {
  buffer_of(call).destroy(call.realm);
  return {};
}

constexpr SpecialMethod kBufferMethods[] = {
    {"GPUDevice.createBuffer", create_buffer},      {"GPUBuffer.mapAsync", map_async},
    {"GPUBuffer.getMappedRange", get_mapped_range}, {"GPUBuffer.unmap", unmap_buffer},
    {"GPUBuffer.destroy", destroy_buffer},
};

}  // namespace

std::span<const SpecialMethod> buffer_methods() { return kBufferMethods; }

BufferObject::~BufferObject() { ++mapping_->turn; }

bool BufferObject::overlaps(std::uint64_t begin, std::uint64_t end) const {
  return std::ranges::any_of(shown_, [&](const Shown& one) { return begin < one.end && one.begin < end; });
}

Value BufferObject::show(Realm realm, std::uint64_t begin, std::span<const std::byte> bytes) {
  Value made = realm.array_buffer(bytes);
  shown_.push_back({begin, begin + bytes.size(), made});
  return made;
}

// What script wrote into what it was shown.
void BufferObject::write_back(const Shown& one) {
  std::span<const std::byte> written;
  try {
    written = one.array_buffer.buffer();
  } catch (const runtime::ScriptError&) {
    facade()->report({WGPUErrorFilter_Validation, "GPUBuffer.unmap: script moved what getMappedRange gave elsewhere"});
    return;
  }
  if (handle() == nullptr || written.empty()) return;
  void* to = facade()->native().functions().buffer_get_mapped_range(static_cast<WGPUBuffer>(handle()), one.begin,
                                                                    written.size());
  if (to != nullptr) std::memcpy(to, written.data(), written.size());
}

void BufferObject::unmap_native() {
  ++mapping_->turn;
  const State before = std::exchange(mapping_->state, State::kUnmapped);
  if (before == State::kUnmapped || handle() == nullptr) return;
  facade()->run([this] { facade()->native().functions().buffer_unmap(static_cast<WGPUBuffer>(handle())); });
}

void BufferObject::unmap(Realm realm) {
  Leftovers left;
  const bool write = mapping_->state == State::kMapped && mapping_->write;
  if (write) {
    const std::vector<Shown> shown = shown_;  // the report of an error may run script
    for (const Shown& one : shown) write_back(one);
  }
  end_mapping(realm, left);
  left.settle(realm);
}

void BufferObject::end_mapping(Realm realm, Leftovers& left) {
  for (Shown& one : shown_) {
    realm.detach(one.array_buffer);
    left.values.push_back(std::move(one.array_buffer));
  }
  shown_.clear();
  if (pending_ && mapping_->state == State::kPending) left.mappings.push_back(*pending_);
  pending_.reset();
  unmap_native();
}

void BufferObject::end(Realm realm, Leftovers& left) {
  end_mapping(realm, left);
  if (memory != nullptr || handle() == nullptr || lent) return;
  facade()->run([this] { facade()->native().functions().buffer_destroy(static_cast<WGPUBuffer>(handle())); });
}

void BufferObject::destroy(Realm realm) {
  Leftovers left;
  end(realm, left);
  if (memory != nullptr || lent) revoked_ = "the GPUBuffer was destroyed";
  memory = nullptr;
  owner = nullptr;
  left.settle(realm);
}

void BufferObject::revoke(std::string why) {
  if (memory == nullptr) return;
  memory->end_loan();
  memory = nullptr;
  owner = nullptr;
  revoked_ = std::move(why);
}

void BufferObject::visit(runtime::ValueVisitor& visitor) const {
  GpuObject::visit(visitor);
  for (const Shown& one : shown_) visitor.visit(one.array_buffer);
}

// --- Buffers of others -----------------------------------------------------------------------------------------------

Value wrap_buffer(const Value& device, SharedBuffer shared) {
  const HeldObject held = held_object(device);
  static const std::size_t kDevice = interface_named("GPUDevice");
  const bool fits = held.object != nullptr && held.object->row() == kDevice &&
                    held.object->facade()->native().device().state() == gpu::device_of(*shared.buffer);
  if (!fits) {
    throw Error(BaseError::kInvalidArgument,
                "The GPUBuffer of a tensor needs a GPUDevice of navigator.gpu that is the tensor's device");
  }
  const std::shared_ptr<Facade>& facade = held.object->shared_facade();
  WGPUBuffer handle = gpu::native_buffer(*shared.buffer);
  facade->typed_function<decltype(&wgpuBufferAddRef)>("wgpuBufferAddRef")(handle);
  auto object = std::make_unique<BufferObject>(interface_named("GPUBuffer"), facade, handle);
  object->size = shared.size != 0 ? shared.size : shared.buffer->allocated_size();
  object->usage = gpu::native_usage(*shared.buffer);
  object->set_label(shared.buffer->label());
  object->memory = std::move(shared.buffer);
  object->owner = std::move(shared.owner);
  return facade->binding.lock()->make(std::move(object));
}

void revoke_buffer(const Value& value, std::string why) {
  if (auto* object = dynamic_cast<BufferObject*>(gpu_object(value))) object->revoke(std::move(why));
}

NativeBuffer unwrap_buffer(const Value& value) {
  const auto* object = dynamic_cast<const BufferObject*>(gpu_object(value));
  if (object == nullptr || object->handle() == nullptr || object->facade()->ended() || !object->unusable().empty()) {
    return {};
  }
  return {object->handle(),
          object->size,
          object->usage,
          object->mapping()->state != State::kUnmapped,
          object->facade()->native().device(),
          {object->memory, object->size, object->owner}};
}

void keep_memory(const Value& value) {
  if (auto* object = dynamic_cast<BufferObject*>(gpu_object(value))) object->lent = true;
}

}  // namespace alknet::platform::webgpu
