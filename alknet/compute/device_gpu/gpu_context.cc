#include "alknet/compute/device_gpu/gpu_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/subgroups.h"
#include "alknet/compute/device_gpu/templates.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using ErrorWords = std::array<std::uint32_t, 4>;

bool is_software(const gpu::Device& device, KernelFamily family) {
  if (family != KernelFamily::kAuto) return family == KernelFamily::kSoftware;
  return device.adapter().type == gpu::AdapterType::kSoftware;
}

std::vector<gpu::BindingKind> binding_kinds(const KernelSpec& spec) {
  std::vector<gpu::BindingKind> kinds = {gpu::BindingKind::kUniform};
  for (const auto& input : spec.inputs) {
    if (input.in_place.empty()) kinds.push_back(gpu::BindingKind::kReadOnly);
  }
  kinds.insert(kinds.end(), spec.outputs.size() + (spec.checks_indices ? 1 : 0), gpu::BindingKind::kStorage);
  return kinds;
}

}  // namespace

GpuContext::GpuContext(std::shared_ptr<gpu::Device> device, GpuBackendOptions options)
    : device_(std::move(device)),
      options_(std::move(options)),
      software_(is_software(*device_, options_.family)),
      shader_f16_(options_.shader_f16 && device_->has_feature("shader-f16")),
      matmul_tuning_(compute::matmul_tuning(device_->adapter())),
      matrix_tile_(compute::matrix_tile(device_->adapter())),
      matrix_units_(options_.matrix_units && device_->has_feature("chromium-experimental-subgroup-matrix")),
      generator_({shader_f16_, wgsl_template}),
      error_words_(device_->create_buffer(sizeof(ErrorWords), gpu::BufferUsage::kStorage, "error words")) {}

OpgenOptions GpuContext::opgen_options() const {
  OpgenOptions options{.software = software_, .packed_f16 = !shader_f16_};
  if (!software_ && options_.subgroups) options.smallest_subgroup = smallest_subgroup();
  return options;
}

std::uint32_t GpuContext::smallest_subgroup() const {
  std::call_once(subgroups_probed_, [&] { smallest_subgroup_ = probe_subgroups(*device_); });
  return smallest_subgroup_;
}

std::optional<MatrixTile> GpuContext::matrix_tile(Dtype operand) const {
  if (!matrix_units_) return std::nullopt;
  if (operand == Dtype::kF16 && shader_f16_) return matrix_tile_;
  return operand == Dtype::kI8 ? byte_products().tile : std::nullopt;
}

const ByteProducts& GpuContext::byte_products() const {
  std::call_once(byte_products_probed_, [&] {
    const auto listed = matrix_units_ ? compute::matrix_tile(device_->adapter(), Dtype::kI8) : std::nullopt;
    byte_products_ = probe_byte_products(*device_, listed);
  });
  return byte_products_;
}

bool GpuContext::supports(Dtype dtype) const { return dtype != Dtype::kF64; }

void GpuContext::check_dtypes(const Computation& computation) const {
  const auto check = [&](Dtype dtype) {
    if (supports(dtype)) return;
    throw Error(ComputeError::kUnsupported,
                fmt::format("[{}] {} has no kernel for {}; compute it with .to('cpu') or cast to f32",
                            computation.name(), options_.id, graph::dtype_name(dtype)),
                {{"op", computation.name()}, {"dtype", graph::dtype_name(dtype)}, {"device", options_.id}});
  };
  for (const auto& dtype : computation.inputs) {
    if (dtype) check(*dtype);
  }
  for (const Dtype dtype : computation.outputs) check(dtype);
  for (const Dtype dtype : computation.program.inputs) check(dtype);
  for (const auto& step : computation.program.steps) check(step.dtype);
}

gpu::Pipeline GpuContext::pipeline(const KernelSpec& spec, const std::string& source) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = pipelines_.find(source); it != pipelines_.end()) return it->second;
  }
  gpu::KernelSource kernel;
  kernel.name = spec.name;
  kernel.code = source;
  kernel.bindings = binding_kinds(spec);
  gpu::Pipeline compiled = device_->compile_shader(kernel);
  const std::lock_guard lock(mutex_);
  return pipelines_.try_emplace(source, std::move(compiled)).first->second;
}

ParameterPlace GpuContext::place_parameters(std::span<const std::byte> block) {
  constexpr std::uint64_t kBufferBytes = 64 << 10;
  const std::uint64_t alignment = device_->limits().min_uniform_offset_alignment;
  ParameterPlace place{nullptr, 0, block.size()};
  {
    const std::lock_guard lock(mutex_);
    if (!parameters_ || parameters_used_ + block.size() > parameters_->size()) {
      parameters_ = std::make_shared<const gpu::Buffer>(device_->create_buffer(
          std::max<std::uint64_t>(kBufferBytes, block.size()), gpu::BufferUsage::kUniform, "parameters"));
      parameters_used_ = 0;
    }
    place.buffer = parameters_;
    place.offset = parameters_used_;
    parameters_used_ = (parameters_used_ + block.size() + alignment - 1) / alignment * alignment;
  }
  device_->write_buffer(*place.buffer, place.offset, block);
  return place;
}

std::uint32_t GpuContext::register_error_source(std::string name) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < error_sources_.size(); ++i) {
    if (error_sources_[i] == name) return static_cast<std::uint32_t>(i + 1);
  }
  error_sources_.push_back(std::move(name));
  return static_cast<std::uint32_t>(error_sources_.size());
}

void GpuContext::count_memory(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  memory_.live_bytes += static_cast<std::uint64_t>(bytes);
  if (bytes < 0) return;
  ++memory_.allocations;
  memory_.peak_bytes = std::max(memory_.peak_bytes, memory_.live_bytes);
}

BackendStatistics GpuContext::statistics() const {
  const std::lock_guard lock(mutex_);
  BackendStatistics result = memory_;
  result.kernels_compiled = pipelines_.size();
  result.launches = launches_;
  return result;
}

void GpuContext::note_work(std::string_view first, std::string_view last, std::size_t kernels) {
  const std::lock_guard lock(mutex_);
  first_kernel_ = first;
  last_kernel_ = last;
  kernels_ = kernels;
}

std::string GpuContext::last_work() const {
  const std::lock_guard lock(mutex_);
  if (kernels_ < 2) return first_kernel_;
  return fmt::format("{} kernels from {} to {}", kernels_, first_kernel_, last_kernel_);
}

ErrorCheck::ErrorCheck(GpuContext& context) : context_(context), expected_(context.errors_expected_.exchange(false)) {
  if (expected_) words_ = context.device().readback_async(context.error_words_, 0, sizeof(ErrorWords));
}

void ErrorCheck::finish() {
  if (!expected_) return;
  expected_ = false;
  ErrorWords words{};
  words_.wait(std::as_writable_bytes(std::span(words)));
  if (words[0] == 0) return;
  const ErrorWords none{};
  context_.device().write_buffer(context_.error_words_, 0, std::as_bytes(std::span(none)));
  std::string name;
  {
    const std::lock_guard lock(context_.mutex_);
    name = context_.error_sources_.at(words[1] - 1);
  }
  const auto index = static_cast<std::int32_t>(words[2]);
  throw Error(ComputeError::kIndexOutOfRange,
              fmt::format("[{}] index {} is outside 0 .. {}{}; check the indices before the call", name, index,
                          static_cast<std::int64_t>(words[3]) - 1,
                          words[0] > 1 ? fmt::format(" (and {} more)", words[0] - 1) : std::string()),
              {{"op", name}, {"index", index}, {"size", words[3]}, {"count", words[0]}});
}

}  // namespace alknet::compute
