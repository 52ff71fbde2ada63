#include "alknet/platform/gpu_buffer.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/context.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/compute/shared_buffer.h"
#include "alknet/gpu/native_device.h"
#include "alknet/platform/webgpu/navigator_gpu.h"

namespace alknet::platform {
namespace {

using call::OperationType;
using compute::ComputeOperation;
using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

/// The memory of a tensor, as long as script may see it.
class LentTensor final : public webgpu::BufferOwner {
 public:
  explicit LentTensor(compute::LentBuffer memory) : lent(std::move(memory)) {}
  const compute::LentBuffer lent;
};

/// A tensor's memory on its way to script.
class LentResource final : public call::Resource {
 public:
  explicit LentResource(compute::LentBuffer memory) : owner(std::make_shared<const LentTensor>(std::move(memory))) {}
  std::uint64_t bytes() const override { return 0; }  // the tensor's
  std::string_view kind() const override { return "lent buffer"; }
  const std::shared_ptr<const LentTensor> owner;
};

/// A GPUBuffer on its way to become a tensor.
class GpuBufferResource final : public call::Resource {
 public:
  explicit GpuBufferResource(webgpu::NativeBuffer what)
      : native(std::move(what)),
        lent(std::dynamic_pointer_cast<const LentTensor>(native.shared.owner)),
        adopted(gpu::adopt_buffer(native.device, static_cast<WGPUBuffer>(native.buffer), native.size)) {}
  std::uint64_t bytes() const override { return 0; }  // the tensor's, when there is one
  std::string_view kind() const override { return "GPUBuffer"; }

  const webgpu::NativeBuffer native;
  const std::shared_ptr<const LentTensor> lent;  ///< Null: script's own memory.
  gpu::Buffer adopted;                           ///< Keeps script's own memory.
};

constexpr ComputeOperation kLend = {
    "gpu/lend_buffer",
    OperationType::kMutation,
    "Show a tensor's memory",
    "The memory of a tensor on a GPU, to be seen as a GPUBuffer: a handle for the module alknet:gpu.",
    R"({"properties":{"tensor":"@tensor A contiguous tensor on a GPU, no view of another",
      "write":{"type":"boolean","default":true,"description":"Whether it will be written to: a gradient that needs the elements of before is refused then"}},
      "required":["tensor"]})",
    R"({"properties":{"buffer":"@handle"},"required":["buffer"]})",
    compute::kCommonErrors | compute::kOperationErrors};

Task<Message> lend(compute::ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = compute::members(input);
  const auto tensor = compute::tensor_of(context, object.at("tensor"));
  const Json* write = compute::member(object, "write");
  auto work = [tensor, writes = write == nullptr || write->as_bool()] {
    return std::make_shared<LentResource>(compute::lend_buffer(tensor->held(), writes));
  };
  const auto made = co_await run_on(service.compute(), std::move(work));
  co_return Message{JsonObject{{"buffer", context.resources().add(made)}}, {}};
}

constexpr ComputeOperation kAdopt = {
    "gpu/adopt_buffer",
    OperationType::kMutation,
    "See a GPUBuffer as a tensor",
    "A tensor over the memory of a GPUBuffer that the module alknet:gpu handed over.",
    R"({"properties":{"buffer":"@handle","dtype":"@dtype","shape":"@shape","ids":"@ids"},
      "required":["buffer","dtype","shape"]})",
    R"("@tensor The new tensor")",
    compute::kCommonErrors | compute::kOperationErrors};

Task<Message> adopt(compute::ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = compute::members(input);
  const auto ids = compute::ids_of(object);
  const compute::Dtype dtype = compute::dtype_member(object);
  const compute::Shape shape = compute::shape_member(object);
  const std::string_view handle = compute::text_member(object, "buffer");
  const auto given = context.resources().get<GpuBufferResource>(handle);
  context.resources().take(handle);
  compute::room_of(context).require(1, graph::storage_bytes(dtype, graph::element_count(shape)));
  auto work = [&service, given, dtype, shape, owner = service.owner(context)] {
    const compute::Context& own = owner->context();
    if (given->lent != nullptr) {
      const compute::Tensor same = compute::tensor_over(own, given->lent->lent, dtype, shape);
      return std::make_shared<compute::TensorResource>(service, same);
    }
    const auto backend = service.devices()->open(given->native.device.adapter().id);
    service.note_backend(backend);
    const bool writable = (given->native.usage & WGPUBufferUsage_CopyDst) != 0;
    const compute::Tensor made = compute::tensor_over(own, backend, std::move(given->adopted), writable, dtype, shape);
    return std::make_shared<compute::TensorResource>(service, made);
  };
  Message answer = co_await compute::answer_tensor(service, context, std::move(work), ids);
  co_return answer;
}

struct NeededUsage {
  std::uint64_t flag;
  std::string_view name;
};
constexpr NeededUsage kNeeded[] = {{WGPUBufferUsage_Storage, "STORAGE"}, {WGPUBufferUsage_CopySrc, "COPY_SRC"}};

void check_buffer(Realm realm, const webgpu::NativeBuffer& native) {
  const auto refuse = [&](const std::string& why) { throw realm.type_error("[fromGpuBuffer] " + why); };
  if (native.buffer == nullptr) refuse("this is no GPUBuffer that can be used");
  for (const NeededUsage& needed : kNeeded) {
    if ((native.usage & needed.flag) == 0) {
      refuse(fmt::format("the GPUBuffer was made without {}, which a tensor needs", needed.name));
    }
  }
  if ((native.usage & (WGPUBufferUsage_MapRead | WGPUBufferUsage_MapWrite)) != 0) {
    refuse("the GPUBuffer can be mapped, a tensor must not be: make it without MAP_READ and MAP_WRITE");
  }
  if (native.mapped) refuse("the GPUBuffer is mapped: unmap() it first");
  if (native.size % 4 != 0) refuse(fmt::format("the size of the GPUBuffer, {}, is no multiple of 4", native.size));
}

}  // namespace

std::vector<call::Registration> gpu_buffer_operations(compute::ComputeService& service) {
  return compute::registrations_of(service, {{kLend, lend}, {kAdopt, adopt}});
}

runtime::NativeModule gpu_module(std::function<call::ResourceTable&()> resources) {
  runtime::NativeModule module;
  module.name = "alknet:gpu";
  module.exports = {"view", "revoke", "handOver"};
  module.evaluate = [resources = std::move(resources)](Realm realm) {
    const Value view = realm.closure("view", 2, [resources](Realm, const Value&, Arguments arguments) {
      const std::string handle = arguments[1].to_string();
      const auto lent = resources().get<LentResource>(handle);
      resources().take(handle);
      const std::uint64_t size = (lent->owner->lent.bytes + 3) / 4 * 4;
      return webgpu::wrap_buffer(arguments[0], {lent->owner->lent.buffer, size, lent->owner});
    });
    const Value revoke = realm.function("revoke", 1, [](Realm, const Value&, Arguments arguments) {
      webgpu::revoke_buffer(arguments[0], "the tensor that it shows was disposed of");
      return Value();
    });
    const Value hand_over = realm.closure("handOver", 1, [resources](Realm in, const Value&, Arguments arguments) {
      const webgpu::NativeBuffer native = webgpu::unwrap_buffer(arguments[0]);
      check_buffer(in, native);
      webgpu::keep_memory(arguments[0]);
      return in.string(resources().add(std::make_shared<GpuBufferResource>(native)));
    });
    return std::vector<Value>{view, revoke, hand_over};
  };
  return module;
}

}  // namespace alknet::platform
