#include "alknet/compute/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <mutex>
#include <shared_mutex>

#include "alknet/base/error.h"
#include "alknet/compute/bound_plan.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/error.h"
#include "alknet/compute/session_states.h"
#include "alknet/compute/stepwise.h"

namespace alknet::compute {
namespace {

/// Sets of layouts kept ready; the least recently used one goes first.
constexpr std::size_t kMaxBindings = 64;

}  // namespace

struct Session::Impl {
  Impl(std::shared_ptr<const Plan> session_plan, Store session_store, const SessionOptions& options)
      : plan(std::move(session_plan)),
        store(std::move(session_store)),
        program(plan->program()),
        trace(options.trace),
        times(ContextAccess::state(store.context())->times) {
    SessionStates states = find_states(*plan, store, options);
    known.dims = std::move(states.dims);
    for (const Tensor& state : states.tensors) known.states.push_back(state.layout());
    fixed = std::move(states.tensors);
    for (std::size_t i = 0; i < fixed.size(); ++i) {
      if (!plan->assigns(i)) continue;
      assigned.push_back(fixed[i].buffer().get());
      writes_store |= plan->graph().states[i].scope == graph::StateScope::kStore;
    }
    for (const Tensor& state : fixed) {
      const bool written = std::find(assigned.begin(), assigned.end(), state.buffer().get()) != assigned.end();
      known.lasting.push_back(!written);
    }
    for (const auto& constant : plan->graph().constants) {
      fixed.push_back(store.context().wrap(constant.dtype, constant.shape, constant.data, constant.name));
    }
    arena.resize(program.slots.arena);
    needs_contiguous.assign(program.slots.inputs, false);
    for (std::uint32_t i = 0; i < program.values.size(); ++i) {
      const PlanValue& value = program.values[i];
      if (value.source != ValueSource::kView || !graph::view_keeps_contiguous(*value.view)) continue;
      const PlanValue& base = program.values[program.base(i)];
      if (base.source == ValueSource::kInput) needs_contiguous[base.index] = true;
    }
    inputs.reserve(program.slots.inputs);
    sizes.resize(plan->size_inputs().size());
    memories.reserve(program.slots.count());
    slots.reserve(program.slots.count());
  }

  /// Checks the inputs and sets `inputs`; copies what the plan needs contiguous into `copies`.
  void take_inputs(std::span<const Tensor> given) {
    const auto& declared = plan->graph().inputs;
    if (given.size() != declared.size()) {
      throw Error(ComputeError::kMissingInput,
                  fmt::format("the plan takes {} inputs, {} were given", declared.size(), given.size()));
    }
    inputs.clear();
    copies.clear();
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (!given[i]) {
        throw Error(ComputeError::kMissingInput, fmt::format("input \"{}\" was not given", declared[i].name));
      }
      if (given[i].dtype() != declared[i].dtype) {
        throw Error(ComputeError::kShapeMismatch,
                    fmt::format("input \"{}\" is {}, the plan takes {}", declared[i].name,
                                graph::dtype_name(given[i].dtype()), graph::dtype_name(declared[i].dtype)));
      }
      require_device(given[i], "input", declared[i].name);
      if (std::find(assigned.begin(), assigned.end(), given[i].buffer().get()) != assigned.end()) {
        throw Error(BaseError::kInvalidArgument,
                    fmt::format("input \"{}\" lies in the memory of a state that the run assigns to: pass a copy",
                                declared[i].name));
      }
      if (needs_contiguous[i] && !given[i].contiguous()) {
        if (copies.empty()) copies.reserve(given.size());
        copies.push_back(store.context().contiguous(given[i]));
        inputs.push_back(&copies.back());
      } else {
        inputs.push_back(&given[i]);
      }
    }
  }

  void require_device(const Tensor& tensor, std::string_view what, std::string_view name) const {
    const auto& device = tensor.buffer()->backend();
    if (device == plan->backend()) return;
    throw Error(ComputeError::kContextMismatch, fmt::format("{} \"{}\" is on {}, the plan is for {}: move it with to()",
                                                            what, name, device->id(), plan->backend()->id()));
  }

  void read_sizes() {
    const auto& which = plan->size_inputs();
    for (std::size_t i = 0; i < which.size(); ++i) {
      const Tensor& input = *inputs[which[i]];
      const std::size_t width = graph::dtype_bytes(input.dtype());
      std::array<std::byte, sizeof(std::int64_t)> bytes{};
      plan->backend()->read(*input.buffer()->memory(), static_cast<std::size_t>(input.layout().offset) * width,
                            std::span(bytes).first(width));
      sizes[i] = integer(input.dtype(), bytes);
    }
  }

  static std::int64_t integer(Dtype dtype, const std::array<std::byte, sizeof(std::int64_t)>& bytes) {
    const auto as = [&]<typename T>(T value) {
      std::memcpy(&value, bytes.data(), sizeof(value));
      return static_cast<std::int64_t>(value);
    };
    switch (dtype) {
      case Dtype::kI8: return as(std::int8_t{});
      case Dtype::kU8: return as(std::uint8_t{});
      case Dtype::kI32: return as(std::int32_t{});
      case Dtype::kU32: return as(std::uint32_t{});
      default: return as(std::int64_t{});
    }
  }

  /// `fresh` says that the outputs will be new memory.
  BoundPlan& bound(bool fresh) {
    const auto make_room = [&](const BoundPlan& needed) {
      grow_arena(needed);
      if (fresh) store.context().buffers()->check_room(plan->backend(), output_bytes(needed));
    };
    const auto same = [&](const BoundPlan& candidate) {
      return std::equal(inputs.begin(), inputs.end(), candidate.inputs.begin(),
                        [](const Tensor* tensor, const Strided& layout) { return tensor->layout() == layout; });
    };
    const auto found = std::find_if(bounds.begin(), bounds.end(), same);
    if (found != bounds.end()) {
      bounds.splice(bounds.begin(), bounds, found);
      if (found->sizes != sizes) rebind_sizes(*plan, known, inputs, sizes, *found, make_room);
      return *found;
    }
    bounds.push_front(bind_plan(*plan, known, inputs, sizes, make_room));
    ++bindings_made;
    if (bounds.size() > kMaxBindings) bounds.pop_back();
    return bounds.front();
  }

  void grow_arena(const BoundPlan& needed) {
    for (std::size_t i = 0; i < arena.size(); ++i) {
      if (arena[i] && arena[i]->bytes() >= needed.arena_bytes[i]) continue;
      arena[i].reset();
      arena[i] = store.context().buffers()->allocate(plan->backend(), needed.arena_bytes[i], "arena");
    }
  }

  std::vector<std::size_t> output_bytes(const BoundPlan& needed) const {
    std::vector<std::size_t> bytes;
    for (std::size_t i = 0; i < needed.outputs.size(); ++i) {
      const Dtype dtype = program.values[program.outputs[i]].dtype;
      bytes.push_back(static_cast<std::size_t>(graph::element_count(needed.outputs[i])) * graph::dtype_bytes(dtype));
    }
    return bytes;
  }

  std::vector<Tensor> fresh_outputs(const BoundPlan& needed) const {
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < needed.outputs.size(); ++i) {
      const Dtype dtype = program.values[program.outputs[i]].dtype;
      tensors.push_back(store.context().empty(dtype, needed.outputs[i], plan->graph().outputs[i].name));
    }
    return tensors;
  }

  void check_outputs(const BoundPlan& needed, std::span<const Tensor> out) const {
    if (out.size() != needed.outputs.size()) {
      throw Error(ComputeError::kShapeMismatch,
                  fmt::format("{} output tensors given, the plan has {}", out.size(), needed.outputs.size()));
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Dtype dtype = program.values[program.outputs[i]].dtype;
      if (!out[i] || out[i].dtype() != dtype || out[i].shape() != needed.outputs[i] || !out[i].contiguous() ||
          out[i].layout().offset != 0) {
        throw Error(ComputeError::kShapeMismatch,
                    fmt::format("output \"{}\" needs a contiguous {} tensor of shape {}", plan->graph().outputs[i].name,
                                graph::dtype_name(dtype), graph::shape_text(needed.outputs[i])));
      }
      require_device(out[i], "output", plan->graph().outputs[i].name);
      const auto shares = [&](const Tensor& tensor) { return tensor.buffer() == out[i].buffer(); };
      if (std::any_of(inputs.begin(), inputs.end(), [&](const Tensor* input) { return shares(*input); }) ||
          std::any_of(fixed.begin(), fixed.end(), shares) ||
          std::any_of(out.begin(), out.begin() + std::ptrdiff_t(i), shares)) {
        throw Error(BaseError::kInvalidArgument,
                    fmt::format("output \"{}\" lies in the memory of an input, a state or another output",
                                plan->graph().outputs[i].name));
      }
      if (out[i].buffer()->memory()->read_only()) {
        throw Error(ComputeError::kReadOnly,
                    fmt::format("output \"{}\" is mapped from a file", plan->graph().outputs[i].name));
      }
    }
  }

  void launch(const BoundPlan& ready, std::span<const Tensor> out) {
    const auto use = [&](const Buffer& buffer) { memories.push_back(buffer.memory()); };
    memories.clear();
    for (const auto& buffer : arena) use(*buffer);
    for (const Tensor* tensor : inputs) use(*tensor->buffer());
    for (const Tensor& tensor : fixed) use(*tensor.buffer());
    for (const Tensor& tensor : out) use(*tensor.buffer());
    slots.clear();
    for (const auto& memory : memories) slots.push_back(memory.get());
    if (writes_store) {
      const std::unique_lock alone(store.runs());
      run(ready);
      note_assigned();  // before another run reads
    } else {
      const std::shared_lock together(store.runs());
      run(ready);
      note_assigned();
    }
    memories.clear();
    for (const Tensor& tensor : out) tensor.buffer()->note_write("a plan's run");
  }

  void note_assigned() const {
    for (Buffer* buffer : assigned) buffer->note_write("assign");
  }

  void run(const BoundPlan& ready) {
    if (trace || times || plan->watch() != Watch::kNothing) {
      run_stepwise(*plan, ready, slots, trace.get(), times.get(), measured);
    } else {
      plan->backend()->run(ready.launches, slots);
    }
  }

  BoundPlan& prepare(std::span<const Tensor> given, bool fresh) {
    take_inputs(given);
    read_sizes();
    BoundPlan& ready = bound(fresh);
    grow_arena(ready);
    return ready;
  }

  std::shared_ptr<const Plan> plan;
  Store store;
  const PlanProgram& program;
  std::shared_ptr<Trace> trace;
  std::shared_ptr<KernelTimes> times;
  std::vector<double> measured;
  SessionLayouts known;
  std::vector<Tensor> fixed;  ///< States, then constants.
  std::vector<Buffer*> assigned;
  bool writes_store = false;
  std::vector<std::shared_ptr<Buffer>> arena;
  std::vector<bool> needs_contiguous;  ///< By input.
  std::list<BoundPlan> bounds;         ///< Most recently used first.
  std::size_t bindings_made = 0;

  // Of the run that is going on; kept so that the next one allocates nothing.
  std::vector<const Tensor*> inputs;
  std::vector<Tensor> copies;
  std::vector<std::int64_t> sizes;
  std::vector<std::shared_ptr<Memory>> memories;
  std::vector<Memory*> slots;
};

Session::Session(std::shared_ptr<const Plan> plan, Store store, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(std::move(plan), std::move(store), options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<Tensor> Session::run(std::span<const Tensor> inputs, std::span<const Tensor> out) {
  BoundPlan& ready = impl_->prepare(inputs, out.empty());
  std::vector<Tensor> outputs = out.empty() ? impl_->fresh_outputs(ready) : std::vector<Tensor>(out.begin(), out.end());
  if (!out.empty()) impl_->check_outputs(ready, outputs);
  impl_->launch(ready, outputs);
  return outputs;
}

void Session::run_into(std::span<const Tensor> inputs, std::span<const Tensor> out) {
  BoundPlan& ready = impl_->prepare(inputs, false);
  impl_->check_outputs(ready, out);
  impl_->launch(ready, out);
}

const Plan& Session::plan() const { return *impl_->plan; }

const Tensor& Session::state(std::size_t index) const { return impl_->fixed.at(index); }

std::span<const double> Session::measured() const { return impl_->measured; }

std::size_t Session::arena_bytes() const {
  std::size_t bytes = 0;
  for (const auto& buffer : impl_->arena) bytes += buffer ? buffer->bytes() : 0;
  return bytes;
}

std::size_t Session::bindings_made() const { return impl_->bindings_made; }

}  // namespace alknet::compute
