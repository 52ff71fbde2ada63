#pragma once

#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/gpu/instance.h"

namespace alknet::compute::testing {

/// The machine's first adapter, or why there is none.
struct TestDevice {
  std::shared_ptr<gpu::Device> device;
  std::string reason;
};

/// A device for tests, made anew on each call; a null device comes with the reason to print when skipping.
inline TestDevice open_device() {
  try {
    const gpu::Instance instance;
    if (instance.adapters().empty()) return {nullptr, instance.reason()};
    gpu::DeviceOptions options;
    options.robust = false;
    return {std::make_shared<gpu::Device>(instance.acquire(instance.adapters().front().id, options)), {}};
  } catch (const Error& error) {
    return {nullptr, error.message()};
  }
}

inline Strided contiguous(Shape shape) {
  Shape strides = graph::contiguous_strides(shape);
  return {std::move(shape), std::move(strides), 0};
}

/// Runs one computation: uploads operands, binds, runs, reads the outputs back. Operand k lies in slot k.
class Runner {
 public:
  explicit Runner(Backend& backend) : backend_(backend) {}

  template <typename T>
  Runner& input(Dtype dtype, const Strided& layout, const std::vector<T>& values) {
    auto memory = backend_.allocate(values.size() * sizeof(T));
    backend_.write(*memory, 0, std::as_bytes(std::span(values)));
    binding_.inputs.push_back(Operand{static_cast<std::uint32_t>(memories_.size()), dtype, layout});
    memories_.push_back(std::move(memory));
    return *this;
  }

  Runner& absent() {
    binding_.inputs.push_back(std::nullopt);
    return *this;
  }

  /// Output 0 of `computation`, whose op (if any) has `attrs` bound.
  template <typename T>
  std::vector<T> run(const Computation& computation, const Shape& shape, JsonObject attrs = {}) {
    binding_.attrs = std::move(attrs);
    binding_.outputs.clear();
    const auto count = static_cast<std::size_t>(graph::element_count(shape));
    for (const Dtype dtype : computation.outputs) {
      binding_.outputs.push_back({static_cast<std::uint32_t>(memories_.size()), dtype, contiguous(shape)});
      memories_.push_back(backend_.allocate(count * graph::dtype_bytes(dtype)));
    }
    std::vector<std::unique_ptr<Launch>> launches;
    launches.push_back(backend_.kernel(computation)->bind(binding_));
    std::vector<Memory*> slots;
    for (const auto& memory : memories_) slots.push_back(memory.get());
    backend_.run(launches, slots);
    std::vector<T> result(count);
    backend_.read(*memories_[binding_.outputs.front().slot], 0, std::as_writable_bytes(std::span(result)));
    return result;
  }

 private:
  Backend& backend_;
  Binding binding_;
  std::vector<std::unique_ptr<Memory>> memories_;
};

/// One element-wise step over f32 (or `dtypes`) inputs.
inline Computation elementwise(const std::string& op, std::vector<Dtype> dtypes, Dtype output, JsonObject attrs = {}) {
  const OpSpec& spec = graph::OpTable::builtin().at(op);
  Computation computation;
  computation.inputs.assign(dtypes.begin(), dtypes.end());
  computation.outputs = {output};
  ElementwiseProgram::Step step{&spec, graph::complete_attributes(spec, attrs), {}, output};
  for (std::uint32_t i = 0; i < dtypes.size(); ++i) step.arguments.push_back({i, {}});
  computation.program = {std::move(dtypes), {std::move(step)}, {}};
  computation.program.outputs = {static_cast<std::uint32_t>(computation.inputs.size())};
  return computation;
}

/// An operation that is not element-wise, without a program after it.
inline Computation structured(const std::string& op, std::vector<std::optional<Dtype>> dtypes, Dtype output,
                              JsonObject attrs = {}) {
  const OpSpec& spec = graph::OpTable::builtin().at(op);
  Computation computation;
  computation.op = &spec;
  computation.attrs = graph::complete_attributes(spec, attrs);
  computation.inputs = std::move(dtypes);
  computation.outputs = {output};
  return computation;
}

}  // namespace alknet::compute::testing
