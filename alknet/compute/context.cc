#include "alknet/compute/context.h"

#include <fmt/format.h>

#include <array>

#include "alknet/base/error.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/error.h"
#include "alknet/compute/kernel_times.h"

namespace alknet::compute {
namespace {

std::size_t bytes_for(Dtype dtype, const Shape& shape) {
  const std::int64_t last = shape.empty() ? 1 : shape.back();
  if (last % graph::block_values(dtype) != 0) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("{} needs a last dimension that is a multiple of {}, not the shape {}",
                            graph::dtype_name(dtype), graph::block_values(dtype), graph::shape_text(shape)));
  }
  return graph::storage_bytes(dtype, graph::element_count(shape));
}

std::shared_ptr<ContextState> make_state(std::shared_ptr<BufferManager> buffers, std::shared_ptr<Backend> backend,
                                         std::shared_ptr<Devices> devices) {
  auto state = std::make_shared<ContextState>();
  state->buffers = std::move(buffers);
  state->backend = std::move(backend);
  state->devices = std::move(devices);
  return state;
}

void require_bytes(Dtype dtype, const Shape& shape, std::size_t bytes, const std::string& label) {
  if (bytes == bytes_for(dtype, shape)) return;
  throw Error(ComputeError::kShapeMismatch, fmt::format("[{}] {} bytes do not make {} {}", label, bytes,
                                                        graph::dtype_name(dtype), graph::shape_text(shape)));
}

}  // namespace

Context::Context(std::shared_ptr<BufferManager> buffers, std::shared_ptr<Backend> backend,
                 std::shared_ptr<Devices> devices)
    : state_(make_state(std::move(buffers), std::move(backend), std::move(devices))) {}

Context::Context(std::string_view device) {
  auto devices = std::make_shared<Devices>();
  auto backend = devices->open(device);
  state_ = make_state(std::make_shared<BufferManager>(), std::move(backend), std::move(devices));
}

const std::shared_ptr<Backend>& Context::backend() const { return state_->backend; }
const std::shared_ptr<BufferManager>& Context::buffers() const { return state_->buffers; }

Tensor Context::empty(Dtype dtype, Shape shape, std::string label) const {
  const auto& backend = state_->backend;
  if (!backend->supports(dtype)) {
    throw Error(ComputeError::kUnsupported, fmt::format("{} has no {} tensors; use another dtype or --device cpu",
                                                        backend->id(), graph::dtype_name(dtype)));
  }
  auto buffer = state_->buffers->allocate(backend, bytes_for(dtype, shape), std::move(label));
  auto strides = graph::contiguous_strides(shape);
  auto layout = state_->layouts.intern({std::move(shape), std::move(strides), 0});
  return TensorAccess::make({std::move(buffer), std::move(layout), dtype}, state_);
}

Tensor Context::from_bytes(Dtype dtype, Shape shape, std::span<const std::byte> bytes, std::string label) const {
  require_bytes(dtype, shape, bytes.size(), label);
  Tensor tensor = empty(dtype, std::move(shape), std::move(label));
  if (!bytes.empty()) state_->backend->write(*tensor.buffer()->memory(), 0, bytes);
  return tensor;
}

Tensor Context::wrap(Dtype dtype, Shape shape, SharedBytes bytes, std::string label) const {
  require_bytes(dtype, shape, bytes.size(), label);
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % graph::dtype_alignment(dtype) == 0;
  if (!aligned) return from_bytes(dtype, std::move(shape), bytes.span(), std::move(label));
  auto buffer = state_->buffers->wrap(state_->backend, std::move(bytes), std::move(label));
  auto strides = graph::contiguous_strides(shape);
  auto layout = state_->layouts.intern({std::move(shape), std::move(strides), 0});
  return TensorAccess::make({std::move(buffer), std::move(layout), dtype}, state_);
}

Tensor Context::contiguous(const Tensor& tensor) const {
  if (tensor.contiguous()) return tensor;
  Tensor result = empty(tensor.dtype(), tensor.shape(), "contiguous");
  copy_elements(tensor, result);
  return result;
}

void copy_elements(const Tensor& from, const Tensor& to) {
  if (from.element_count() == 0) return;
  const OpSpec& op = graph::OpTable::builtin().at("contiguous");
  Computation copy;
  copy.inputs = {from.dtype()};
  copy.outputs = {to.dtype()};
  copy.program.inputs = {from.dtype()};
  copy.program.steps = {{&op, {}, {{0, {}}}, to.dtype()}};
  copy.program.outputs = {1};
  const auto& backend = to.buffer()->backend();
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(backend->kernel(copy)->bind(
      {{Operand{0, from.dtype(), from.layout()}}, {Operand{1, to.dtype(), to.layout()}}, {}}));
  const auto source = from.buffer()->memory();
  const auto target = to.buffer()->memory();
  const std::array<Memory*, 2> slots = {source.get(), target.get()};
  run_measured(TensorAccess::state(to)->context->times.get(), *backend, op.name, launches, slots);
}

const OpSpec& Context::register_operation(const Json& entry) const {
  state_->registered.push_back(std::make_unique<graph::OpTable>(state_->ops->with(entry)));
  state_->ops = state_->registered.back().get();
  return state_->ops->ops().back();
}

const graph::OpTable& Context::operations() const { return *state_->ops; }

void Context::manual_seed(std::uint64_t seed) const {
  state_->seed = seed;
  state_->step = 0;
}

void Context::measure(std::shared_ptr<KernelTimes> times) const { state_->times = std::move(times); }

bool Context::grad_enabled() const { return state_->no_grad == 0; }

NoGrad::NoGrad(const Context& context) : state_(ContextAccess::state(context)) { ++state_->no_grad; }
NoGrad::~NoGrad() { --state_->no_grad; }

}  // namespace alknet::compute
