#include "alknet/compute/kernels/kernel_registry.h"

#include <fmt/format.h>

#include "alknet/base/error.h"
#include "alknet/base/near_names.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/tensor_state.h"
#include "alknet/compute/error.h"
#include "alknet/compute/kernels/kernel_problems.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

[[noreturn]] void refuse(const SourceKernel& kernel, std::error_code code, std::string_view message) {
  throw Error(code, fmt::format("[{}] {}", kernel.name, message), JsonObject{{"kernel", kernel.name}});
}

/// The elements as kernels bind them: contiguous, from a place that the device can bind.
Tensor bindable(const Tensor& tensor, const Backend& backend) {
  const Tensor whole = contiguous(tensor);
  const auto offset = static_cast<std::size_t>(whole.layout().offset) * graph::dtype_bytes(whole.dtype());
  return offset % backend.alignment() == 0 ? whole : whole.clone();
}

}  // namespace

KernelRegistry::KernelRegistry(Context context, Options options) : context_(std::move(context)), options_(options) {}

std::shared_ptr<Backend> KernelRegistry::shader_device(const std::shared_ptr<Backend>& backend) const {
  if (backend->runs_shaders()) return backend;
  const auto& devices = ContextAccess::state(context_)->devices;
  if (!devices) {
    throw Error(ComputeError::kUnknownDevice,
                fmt::format("{} runs no shader source, and the context knows no other device: make it with Devices",
                            backend->id()));
  }
  return devices->open("gpu");
}

void KernelRegistry::add(SourceKernel kernel) {
  check_source_kernel(kernel);
  if (kernels_.contains(kernel.name)) {
    KernelProblems problems(kernel.name);
    problems.add("/name", "the name is taken: remove that kernel first, or choose another");
    problems.throw_if_any();
  }
  Entry entry{std::move(kernel), {}};
  compiled(entry, shader_device(context_.backend()));
  std::string name = entry.kernel.name;
  kernels_.emplace(std::move(name), std::move(entry));
}

bool KernelRegistry::remove(std::string_view name) {
  const auto it = kernels_.find(name);
  if (it == kernels_.end()) return false;
  kernels_.erase(it);
  return true;
}

std::vector<std::string> KernelRegistry::names() const {
  std::vector<std::string> result;
  for (const auto& [name, entry] : kernels_) result.push_back(name);
  return result;
}

const KernelRegistry::Entry& KernelRegistry::find(std::string_view name) const {
  if (const auto it = kernels_.find(name); it != kernels_.end()) return it->second;
  std::vector<std::string_view> known;
  for (const auto& [other, entry] : kernels_) known.push_back(other);
  throw Error(ComputeError::kUnknownKernel, fmt::format("there is no kernel \"{}\"{}", name, did_you_mean(name, known)),
              JsonObject{{"kernel", name}});
}

const SourceKernel& KernelRegistry::at(std::string_view name) const { return find(name).kernel; }

std::shared_ptr<const Kernel> KernelRegistry::compiled(const Entry& entry,
                                                       const std::shared_ptr<Backend>& backend) const {
  for (const auto& [device, kernel] : entry.compiled) {
    if (device.lock() == backend) return kernel;
  }
  std::erase_if(entry.compiled, [](const auto& known) { return known.first.expired(); });
  auto kernel = backend->source_kernel(entry.kernel, options_.trusted);
  return entry.compiled.emplace_back(backend, std::move(kernel)).second;
}

std::shared_ptr<Backend> KernelRegistry::device_of(const Entry& entry, std::span<const Tensor> inputs) const {
  const SourceKernel& kernel = entry.kernel;
  if (inputs.size() != kernel.inputs.size()) {
    refuse(kernel, ComputeError::kMissingInput,
           fmt::format("takes {} inputs, {} were given", kernel.inputs.size(), inputs.size()));
  }
  std::shared_ptr<Backend> device;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = kernel.inputs[i].name;
    if (!inputs[i]) refuse(kernel, ComputeError::kMissingInput, fmt::format("input \"{}\" is no tensor", name));
    if (!(inputs[i].context() == context_)) {
      refuse(kernel, ComputeError::kContextMismatch,
             fmt::format("input \"{}\" belongs to another context than the registry", name));
    }
    if (inputs[i].dtype() != kernel.inputs[i].dtype) {
      refuse(kernel, graph::GraphError::kDtypeMismatch,
             fmt::format("input \"{}\" is {}, the kernel takes {}", name, graph::dtype_name(inputs[i].dtype()),
                         graph::dtype_name(kernel.inputs[i].dtype)));
    }
    if (inputs[i].requires_grad() && context_.grad_enabled()) {
      refuse(kernel, graph::GraphError::kNotDifferentiable,
             fmt::format("input \"{}\" requires a gradient, which a kernel has none of: give its detach(), or register "
                         "the operation as an expression",
                         name));
    }
    const auto& where = inputs[i].buffer()->backend();
    if (device && where != device) {
      refuse(kernel, ComputeError::kContextMismatch,
             fmt::format("one input is on {}, \"{}\" on {}: move one with to()", device->id(), name, where->id()));
    }
    device = where;
  }
  return device ? device : context_.backend();
}

std::vector<Tensor> KernelRegistry::dispatch(std::string_view name, std::span<const Tensor> inputs,
                                             const Call& call) const {
  const Entry& entry = find(name);
  const SourceKernel& kernel = entry.kernel;
  const std::shared_ptr<Backend> home = device_of(entry, inputs);
  const std::shared_ptr<Backend> device = shader_device(home);
  if (device != home && !device->software()) {
    refuse(kernel, ComputeError::kContextMismatch,
           fmt::format("shader source does not run on {}, and this machine has a GPU: move the tensors with .to('{}')",
                       home->id(), device->id()));
  }
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  const SourceCall resolved = resolve_call(kernel, shapes, call.parameters, call.workgroups);
  const auto compiled_kernel = compiled(entry, device);

  const NoGrad guard(context_);
  const auto& state = ContextAccess::state(context_);
  Binding binding;
  binding.attrs = resolved.attributes();
  std::vector<Tensor> tensors;
  for (const Tensor& input : inputs) {
    tensors.push_back(bindable(input.to(device), *device));
    binding.inputs.emplace_back(
        Operand{static_cast<std::uint32_t>(tensors.size() - 1), input.dtype(), tensors.back().layout()});
  }
  for (std::size_t k = 0; k < kernel.outputs.size(); ++k) {
    const auto& output = kernel.outputs[k];
    const Shape& shape = resolved.outputs[k];
    const auto bytes = static_cast<std::size_t>(graph::element_count(shape)) * graph::dtype_bytes(output.dtype);
    auto layout = state->layouts.intern({shape, graph::contiguous_strides(shape), 0});
    tensors.push_back(TensorAccess::make(
        {state->buffers->allocate(device, bytes, kernel.name), std::move(layout), output.dtype}, state));
    binding.outputs.push_back({static_cast<std::uint32_t>(tensors.size() - 1), output.dtype, tensors.back().layout()});
  }
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(compiled_kernel->bind(binding));
  std::vector<std::shared_ptr<Memory>> memories;
  std::vector<Memory*> slots;
  for (const Tensor& tensor : tensors) {
    memories.push_back(tensor.buffer()->memory());
    slots.push_back(memories.back().get());
  }
  run_measured(state->times.get(), *device, kernel.name, launches, slots);

  std::vector<Tensor> outputs(tensors.begin() + static_cast<std::ptrdiff_t>(inputs.size()), tensors.end());
  for (Tensor& output : outputs) output = output.to(home);
  return outputs;
}

}  // namespace alknet::compute
