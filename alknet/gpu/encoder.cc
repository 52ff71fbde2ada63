#include "alknet/gpu/encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/json.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/encoder_state.h"
#include "alknet/gpu/padding.h"
#include "alknet/gpu/uniform_ring.h"

namespace alknet::gpu {

/// What encoders do with a ring.
struct UniformRingAccess {
  static void upload(UniformRing& ring, DeviceState& device) {
    if (ring.used_ > 0) {
      device.functions().queue_write_buffer(device.queue.get(), ring.buffer_.state()->buffer.get(), 0,
                                            ring.shadow_.data(), ring.used_);
    }
    leave(ring);
  }
  static void leave(UniformRing& ring) {
    ring.used_ = 0;
    ring.user_ = nullptr;
  }
};

UniformRing::UniformRing(const Device& device, std::uint64_t bytes)
    : alignment_(device.limits().min_uniform_offset_alignment) {
  const std::uint64_t size = padded(std::max(bytes, alignment_), alignment_);
  buffer_ = device.create_buffer(size, BufferUsage::kUniform, "uniform ring");
  shadow_.resize(size);
}

WGPUCommandEncoder Encoder::State::commands() {
  if (!encoder) {
    WGPUCommandEncoderDescriptor descriptor{};
    descriptor.label = view_of(label);
    encoder = {device->functions().device_create_command_encoder(device->device.get(), &descriptor),
               device->functions().command_encoder_release};
  }
  return encoder.get();
}

void Encoder::State::open_pass() {
  if (pass && !timing) return;
  close_pass();
  WGPUComputePassDescriptor descriptor{};
  WGPUPassTimestampWrites writes{};
  if (timing) {
    const std::lock_guard lock(device->mutex);
    writes = timing->next(device->functions(), device->device.get());
    descriptor.timestampWrites = &writes;
  }
  pass = {device->functions().command_encoder_begin_compute_pass(commands(), &descriptor),
          device->functions().compute_pass_encoder_release};
}

void Encoder::State::close_pass() {
  if (!pass) return;
  device->functions().compute_pass_encoder_end(pass.get());
  pass.reset();
  pipeline = nullptr;
  group = nullptr;
}

void Encoder::State::submit() {
  const Functions& functions = device->functions();
  close_pass();
  for (UniformRing* ring : rings) UniformRingAccess::upload(*ring, *device);
  rings.clear();
  if (!encoder) return;
  const Handle<WGPUCommandBuffer> buffer(functions.command_encoder_finish(encoder.get(), nullptr),
                                         functions.command_buffer_release);
  encoder.reset();
  // Commands that the provider found wrong are not submitted: some end the process then.
  auto report = device->sink->take();
  if (!report) {
    check_buffers();
    const WGPUCommandBuffer submitted = buffer.get();
    if (submitted != nullptr) functions.queue_submit(device->queue.get(), 1, &submitted);
    report = device->sink->take();
  }
  device->check_alive();
  if (!report) return;

  // The provider quotes the kernel's label; say it plainly, with what else was recorded.
  std::string kernel;
  std::string kernels;
  constexpr std::size_t kNamesShown = 8;
  for (std::size_t i = 0; i < dispatches.size(); ++i) {
    const std::string& name = dispatches[i].pipeline->name;
    if (kernel.empty() && report->message.find('"' + name + '"') != std::string::npos) kernel = name;
    if (i < kNamesShown) kernels += fmt::format("{}{}", i == 0 ? "" : ", ", dispatches[i].name());
  }
  if (kernel.empty() && dispatches.size() == 1) kernel = dispatches.front().pipeline->name;
  if (dispatches.size() > kNamesShown) kernels += fmt::format(" and {} more", dispatches.size() - kNamesShown);
  throw Error(device->instance->provider->dialect->classify(report->type, report->message),
              fmt::format("Submission \"{}\" ({}) failed{}{}: {}", label, kernels.empty() ? "copies only" : kernels,
                          kernel.empty() ? "" : " at kernel ", kernel, report->message),
              JsonObject{{"kernel", kernel}, {"label", label}, {"provider_message", report->message}});
}

void Encoder::State::check_buffers() const {
  for (const Dispatch& dispatch : dispatches) {
    for (const auto& buffer : dispatch.group->buffers) {
      if (!buffer->destroyed) continue;
      throw Error(GpuError::kDestroyed,
                  fmt::format("Submission \"{}\" failed at kernel {}: {} that it uses was destroyed", label,
                              dispatch.name(), buffer->describe()),
                  JsonObject{{"kernel", dispatch.pipeline->name}, {"label", label}, {"buffer", buffer->label}});
    }
  }
}

void Encoder::State::reset() {
  for (UniformRing* ring : rings) UniformRingAccess::leave(*ring);
  rings.clear();
  pass.reset();
  encoder.reset();
  pipeline = nullptr;
  group = nullptr;
  dispatches.clear();
  timing.reset();
  label.clear();
  device.reset();
}

namespace {

// Gives the recording's memory back to its device.
void recycle(std::unique_ptr<Encoder::State> state) {
  if (!state || !state->device) return;
  constexpr std::size_t kKept = 4;
  const std::shared_ptr<DeviceState> device = state->device;
  state->reset();
  const std::lock_guard lock(device->mutex);
  if (device->spare_encoders.size() < kKept) device->spare_encoders.push_back(std::move(state));
}

void check_workgroups(const DeviceState& device, std::string_view kernel, Workgroups workgroups) {
  const std::uint32_t maximum = device.limits.max_workgroups_per_dimension;
  const std::uint32_t largest = std::max({workgroups.x, workgroups.y, workgroups.z});
  if (largest <= maximum) return;
  throw Error(
      GpuError::kLimitExceeded,
      fmt::format("Kernel \"{}\" is dispatched with {} x {} x {} workgroups; the GPU device {} allows {} a "
                  "dimension. Spread them over more dimensions",
                  kernel, workgroups.x, workgroups.y, workgroups.z, device.adapter.id, maximum),
      JsonObject{
          {"kernel", kernel}, {"limit", "maxComputeWorkgroupsPerDimension"}, {"value", largest}, {"maximum", maximum}});
}

void check_group(const DeviceState& device, std::string_view kernel, const Pipeline::State& pipeline,
                 const BindGroup::State& group, std::span<const std::uint32_t> dynamic_offsets) {
  const auto refuse = [&](GpuError code, std::string_view what) {
    return Error(code, fmt::format("Kernel \"{}\": {}", kernel, what), JsonObject{{"kernel", kernel}});
  };
  if (pipeline.device != device.sink) throw refuse(GpuError::kValidationFailed, "it was compiled for another device");
  if (group.device != device.sink) throw refuse(GpuError::kValidationFailed, "its bind group is of another device");
  if (group.layout != pipeline.layout) {
    throw refuse(GpuError::kValidationFailed, "its bind group was made for a kernel with other bindings");
  }
  for (const auto& buffer : group.buffers) {
    if (buffer->destroyed) {
      throw refuse(GpuError::kDestroyed, fmt::format("{} that it uses was destroyed", buffer->describe()));
    }
  }
  if (dynamic_offsets.size() != group.dynamic.size()) {
    throw refuse(GpuError::kValidationFailed, fmt::format("it takes {} dynamic offsets, {} were given",
                                                          group.dynamic.size(), dynamic_offsets.size()));
  }
  for (std::size_t i = 0; i < dynamic_offsets.size(); ++i) {
    const std::uint32_t alignment = device.limits.min_uniform_offset_alignment;
    if (dynamic_offsets[i] % alignment != 0 || dynamic_offsets[i] > group.dynamic[i].last_offset) {
      throw refuse(
          GpuError::kValidationFailed,
          fmt::format("dynamic offset {} of {} is not a multiple of {} up to {}", dynamic_offsets[i],
                      group.buffers[group.dynamic[i].buffer]->describe(), alignment, group.dynamic[i].last_offset));
    }
  }
}

// Sets pipeline and bind group for a dispatch, unless they are set already.
void prepare_dispatch(Encoder::State& state, const Pipeline& pipeline, const BindGroup& group,
                      std::span<const std::uint32_t> dynamic_offsets, std::string_view label) {
  const Functions& functions = state.device->functions();
  state.open_pass();
  if (state.pipeline != pipeline.state().get()) {
    functions.compute_pass_encoder_set_pipeline(state.pass.get(), pipeline.state()->pipeline.get());
    state.pipeline = pipeline.state().get();
  }
  if (state.group != group.state().get() || !dynamic_offsets.empty()) {
    // A kernel without bindings has no group to set.
    if (!group.state()->buffers.empty()) {
      functions.compute_pass_encoder_set_bind_group(state.pass.get(), 0, group.state()->group.get(),
                                                    dynamic_offsets.size(), dynamic_offsets.data());
    }
    state.group = group.state().get();
  }
  state.dispatches.push_back({pipeline.state(), group.state(), label});
}

void check_copy_range(const Buffer::State& buffer, std::string_view verb, std::uint64_t offset, std::uint64_t bytes) {
  if (offset % 4 == 0 && bytes % 4 == 0 && offset <= buffer.allocated_size && bytes <= buffer.allocated_size - offset) {
    return;
  }
  throw Error(GpuError::kValidationFailed,
              fmt::format("{}: cannot {} {} bytes at offset {}: it has {} bytes, and both are multiples of 4",
                          buffer.describe(), verb, bytes, offset, buffer.allocated_size),
              JsonObject{{"buffer", buffer.label}, {"offset", offset}, {"bytes", bytes}});
}

Encoder::State& recording(const std::unique_ptr<Encoder::State>& state) {
  if (!state) throw Error(BaseError::kInvalidArgument, "An encoder is used after it was submitted or moved from");
  state->device->check_alive();
  return *state;
}

}  // namespace

Encoder::Encoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder::~Encoder() { recycle(std::move(state_)); }

Encoder& Encoder::operator=(Encoder&& other) noexcept {
  if (this != &other) {
    recycle(std::move(state_));
    state_ = std::move(other.state_);
  }
  return *this;
}

std::size_t Encoder::dispatch_count() const { return state_ ? state_->dispatches.size() : 0; }

void Encoder::dispatch(const Pipeline& pipeline, const BindGroup& bind_group, Workgroups workgroups,
                       std::span<const std::uint32_t> dynamic_offsets, std::string_view label) {
  State& state = recording(state_);
  if (!pipeline || !bind_group) throw Error(GpuError::kValidationFailed, "A dispatch needs a kernel and a bind group");
  const std::string_view kernel = label.empty() ? std::string_view(pipeline.name()) : label;
  check_workgroups(*state.device, kernel, workgroups);
  check_group(*state.device, kernel, *pipeline.state(), *bind_group.state(), dynamic_offsets);
  if (workgroups.x == 0 || workgroups.y == 0 || workgroups.z == 0) return;
  prepare_dispatch(state, pipeline, bind_group, dynamic_offsets, label);
  state.device->functions().compute_pass_encoder_dispatch_workgroups(state.pass.get(), workgroups.x, workgroups.y,
                                                                     workgroups.z);
}

void Encoder::dispatch_indirect(const Pipeline& pipeline, const BindGroup& bind_group, const Buffer& counts,
                                std::uint64_t offset, std::span<const std::uint32_t> dynamic_offsets,
                                std::string_view label) {
  State& state = recording(state_);
  if (!pipeline || !bind_group) throw Error(GpuError::kValidationFailed, "A dispatch needs a kernel and a bind group");
  const std::string_view kernel = label.empty() ? std::string_view(pipeline.name()) : label;
  const Buffer::State& buffer = usable_state(counts, *state.device);
  constexpr std::uint64_t kCountsBytes = 12;
  check_copy_range(buffer, "read workgroup counts of", offset, kCountsBytes);
  if (!has_usage(buffer.usage, BufferUsage::kIndirect)) {
    throw Error(GpuError::kValidationFailed,
                fmt::format("Kernel \"{}\": {} was not created with the usage BufferUsage::kIndirect", kernel,
                            buffer.describe()),
                JsonObject{{"kernel", kernel}});
  }
  check_group(*state.device, kernel, *pipeline.state(), *bind_group.state(), dynamic_offsets);
  prepare_dispatch(state, pipeline, bind_group, dynamic_offsets, label);
  state.device->functions().compute_pass_encoder_dispatch_workgroups_indirect(state.pass.get(), buffer.buffer.get(),
                                                                              offset);
}

void Encoder::copy(const Buffer& source, std::uint64_t source_offset, const Buffer& target, std::uint64_t target_offset,
                   std::uint64_t bytes) {
  State& state = recording(state_);
  const Buffer::State& from = usable_state(source, *state.device);
  const Buffer::State& to = usable_state(target, *state.device);
  check_copy_range(from, "copy", source_offset, bytes);
  check_copy_range(to, "copy to", target_offset, bytes);
  if (&from == &to) {
    throw Error(GpuError::kValidationFailed,
                fmt::format("{} cannot be copied to itself: use another buffer between", from.describe()));
  }
  if (bytes == 0) return;
  state.close_pass();
  state.device->functions().command_encoder_copy_buffer_to_buffer(state.commands(), from.buffer.get(), source_offset,
                                                                  to.buffer.get(), target_offset, bytes);
}

void Encoder::clear(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) {
  State& state = recording(state_);
  const Buffer::State& target = usable_state(buffer, *state.device);
  check_copy_range(target, "clear", offset, bytes);
  if (bytes == 0) return;
  state.close_pass();
  state.device->functions().command_encoder_clear_buffer(state.commands(), target.buffer.get(), offset, bytes);
}

std::uint32_t Encoder::push_uniform(UniformRing& ring, std::span<const std::byte> block) {
  State& state = recording(state_);
  usable_state(ring.buffer_, *state.device);
  if (block.size() > ring.shadow_.size()) {
    throw Error(GpuError::kLimitExceeded,
                fmt::format("A parameter block of {} bytes does not fit the uniform ring of {} bytes", block.size(),
                            ring.shadow_.size()),
                JsonObject{{"value", block.size()}, {"maximum", ring.shadow_.size()}});
  }
  if (ring.user_ != nullptr && ring.user_ != &state) {
    throw Error(GpuError::kValidationFailed,
                "A uniform ring is used by two encoders at once: submit the first, or give each its own ring");
  }
  if (ring.used_ + padded(block.size(), ring.alignment_) > ring.shadow_.size()) {
    const ProviderCall call(*state.device);
    state.submit();
  }
  if (ring.user_ == nullptr) {
    ring.user_ = &state;
    state.rings.push_back(&ring);
  }
  const std::uint64_t offset = ring.used_;
  std::ranges::copy(block, ring.shadow_.begin() + static_cast<std::ptrdiff_t>(offset));
  ring.used_ += padded(block.size(), ring.alignment_);
  return static_cast<std::uint32_t>(offset);
}

Encoder Device::encoder(const EncoderOptions& options) const {
  std::unique_ptr<Encoder::State> state;
  {
    const ProviderCall call(*state_);
    if (!state_->spare_encoders.empty()) {
      state = std::move(state_->spare_encoders.back());
      state_->spare_encoders.pop_back();
    }
  }
  if (!state) state = std::make_unique<Encoder::State>();
  state->device = state_;
  state->label = options.label;
  if (options.timing) {
    if (!has_feature("timestamp-query")) {
      throw Error(GpuError::kFeatureMissing,
                  fmt::format("The GPU device {} ({}) cannot time kernels: it lacks the feature timestamp-query",
                              state_->adapter.id, state_->adapter.name),
                  JsonObject{{"feature", "timestamp-query"}});
    }
    state->timing = std::make_unique<TimingRecorder>();
  }
  return Encoder(std::move(state));
}

Submission Device::submit(Encoder&& encoder) const {
  const Encoder consumed = std::move(encoder);
  Encoder::State& state = recording(consumed.state_);
  if (state.device != state_) {
    throw Error(GpuError::kValidationFailed, "An encoder is submitted to another device than the one it records for");
  }
  std::shared_ptr<Submission::State> timing;
  if (state.timing && state.timing->count() > 0) {
    timing = std::make_shared<Submission::State>();
    timing->device = state_;
    for (const auto& dispatch : state.dispatches) timing->times.push_back({std::string(dispatch.name()), {}});
  }
  const ProviderCall call(*state_);
  if (timing) {
    state.close_pass();
    timing->staging =
        state.timing->resolve(state_->functions(), state_->device.get(), state.commands(), state_->staging);
  }
  state.submit();
  return Submission(state_, std::move(timing));
}

Submission::Submission(std::shared_ptr<DeviceState> device, std::shared_ptr<State> timing)
    : device_(std::move(device)), timing_(std::move(timing)) {}

void Submission::wait() const {
  if (device_) device_->await_queue();
}

std::vector<KernelTime> Submission::timings() const {
  if (!timing_) return {};
  const std::lock_guard lock(timing_->mutex);
  if (!timing_->read) read_timestamps(*timing_);
  return timing_->times;
}

}  // namespace alknet::gpu
