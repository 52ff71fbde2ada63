#include "apps/alknet/program_operations.h"

#include "alknet/call/discovery.h"
#include "alknet/call/dispatcher.h"
#include "alknet/call/owner.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/service.h"
#include "alknet/platform/gpu_buffer.h"
#include "alknet/platform/webgpu/navigator_gpu.h"
#include "alknet/runtime/bridge.h"
#include "alknet/tensor/source.h"
#include "apps/alknet/models.h"
#include "apps/alknet/open_tensors.h"

namespace alknet::app {
namespace {

compute::ComputeServiceOptions service_options(const std::string& device, const Globals& globals,
                                               std::shared_ptr<gpu::SharedDevices> gpus) {
  compute::ComputeServiceOptions options;
  options.device = device;
  options.robust = true;
  options.gpus = std::move(gpus);
  options.trusted = true;
  options.models.find = [&globals](std::string_view name) -> std::shared_ptr<tensor::Source> {
    const auto folder = resolve_model(std::string(name), globals);
    return std::make_shared<tensor::FileSource>(open_tensors((folder / "model.safetensors").string()));
  };
  options.models.files = [&globals](std::string_view name) {
    return compute::ModelFiles::of_folder(resolve_model(std::string(name), globals));
  };
  return options;
}

/// Of a device that scripts use as they like.
gpu::DeviceOptions device_options() {
  gpu::DeviceOptions options;
  options.robust = true;
  options.label = "alknet";
  options.features = platform::webgpu::feature_list();
  return options;
}

}  // namespace

struct ProgramOperations::State {
  State(Loop& loop, const std::string& device, const Globals& globals, std::shared_ptr<gpu::SharedDevices> gpus)
      : service(service_options(device, globals, std::move(gpus))),
        registry(std::make_shared<call::Registry>()),
        dispatcher(std::make_unique<call::Dispatcher>(loop, registry)),
        owner(std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "script", call::Identity::local_program())) {
    registry->curated().add(compute::compute_operations(service));
    registry->curated().add(platform::gpu_buffer_operations(service));
    registry->curated().add(call::discovery_operations({}));
  }

  compute::ComputeService service;
  std::shared_ptr<call::Registry> registry;
  std::unique_ptr<call::Dispatcher> dispatcher;  // null when all has ended
  std::shared_ptr<call::Owner> owner;
  std::unique_ptr<ProgramLinks> links;  // null without any
};

ProgramOperations::ProgramOperations(std::string device, const Globals& globals)
    : gpus_(std::make_shared<gpu::SharedDevices>(device_options())), device_(std::move(device)), globals_(globals) {}

ProgramOperations::~ProgramOperations() = default;

ProgramOperations::State& ProgramOperations::state(Loop& loop) {
  if (state_ == nullptr) {
    const auto began = std::chrono::steady_clock::now();
    state_ = std::make_unique<State>(loop, device_, globals_, gpus_);
    making_time_ = std::chrono::steady_clock::now() - began;
  }
  return *state_;
}

std::chrono::nanoseconds ProgramOperations::devices_time() const {
  return state_ == nullptr ? std::chrono::nanoseconds{} : state_->service.devices()->opening_time();
}

void ProgramOperations::end() {
  if (state_ == nullptr) return;
  state_->owner->end();
  state_->links.reset();
  state_->service.settle();
  state_->dispatcher.reset();
}

Task<void> ProgramOperations::open_links(Loop& loop, const ProgramLinkOptions& options) {
  State& made = state(loop);
  made.links = std::make_unique<ProgramLinks>(loop, *made.dispatcher, made.registry, options);
  made.owner->add_layer(made.links->overlay());
  auto linking = made.links->ready();
  co_await std::move(linking);
}

runtime::NativeModule ProgramOperations::host_module(Loop& loop) {
  runtime::NativeModule module = runtime::host_module({});
  module.evaluate = [this, &loop](runtime::Realm realm) {
    State& made = state(loop);
    runtime::BridgeOptions options;
    options.caller = runtime::owner_caller(*made.dispatcher, made.owner);
    options.owner = made.owner;
    options.add_operation = runtime::curated_adder(made.registry);
    options.authority = call::Identity::local_program();
    options.environment = call::ScopedEnvironment({"*"});
    return runtime::host_module(std::move(options)).evaluate(realm);
  };
  return module;
}

runtime::NativeModule ProgramOperations::gpu_module(Loop& loop) {
  return platform::gpu_module([this, &loop]() -> call::ResourceTable& { return state(loop).owner->resources(); });
}

}  // namespace alknet::app
