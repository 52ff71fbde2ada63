#include "alknet/compute/eager/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/base/error.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/data_dependent.h"
#include "alknet/compute/eager/hash_words.h"
#include "alknet/compute/eager/resolve.h"
#include "alknet/compute/eager/step_program.h"
#include "alknet/compute/eager/tape.h"
#include "alknet/compute/error.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

/// Calls and layouts that a context keeps. When there are more, it begins anew: shapes that never come back (a growing
/// cache) must not fill the memory.
constexpr std::size_t kMaxCalls = 4096;
constexpr std::size_t kMaxLayouts = 16384;

using Key = InlineVector<std::uint64_t, 32>;
using Operands = InlineVector<CallOperand, 8>;

/// Addresses of user memory leave the upper 16 bits free.
std::uint64_t tagged(const void* address, std::uint64_t tag) {
  return reinterpret_cast<std::uintptr_t>(address) | tag << 56;
}

constexpr std::uint64_t kScalarTag = 0x40;
constexpr std::uint64_t kAbsentTag = 0x80;
constexpr std::uint64_t kListTag = 0xc0;

class Execution {
 public:
  Execution(ContextState& context, const OpSpec& op, std::span<const Argument> inputs,
            const std::shared_ptr<Backend>* device)
      : context_(context), op_(op), inputs_(inputs) {
    if (inputs.size() > op.inputs.size()) {
      throw Error(graph::GraphError::kBadOperand,
                  fmt::format("[{}] takes {} inputs, {} were given", op.name, op.inputs.size(), inputs.size()));
    }
    for (std::uint32_t i = 0; i < op.inputs.size(); ++i) add_input(i);
    if (backend_ == nullptr) backend_ = device != nullptr ? device : &context.backend;
  }

  void run(const AttributeSource& attributes, const Results& results) {
    Call& call = find(attributes);
    if (call.kind == Call::Kind::kCopy) return copy_and_view(call, results);
    if (call.kind == Call::Kind::kCasts) return cast_and_call(call, results);
    const std::span<Tensor> outputs = results.of(call.outputs.size());
    switch (call.kind) {
      case Call::Kind::kView: view(call, outputs); break;
      case Call::Kind::kSteps: return run_steps(call, outputs);
      default: launch(call, outputs);
    }
    if (recorded_ && call.passes_gradients && context_.no_grad == 0) record(call, outputs);
  }

 private:
  void add_input(std::uint32_t index) {
    const Argument* argument = index < inputs_.size() ? &inputs_[index] : nullptr;
    if (argument == nullptr || argument->kind() == Argument::Kind::kAbsent) {
      operands_.push_back({index, nullptr, nullptr});
      key_.push_back(kAbsentTag << 56);
      return;
    }
    if (argument->kind() == Argument::Kind::kScalar) {
      operands_.push_back({index, nullptr, &argument->scalar()});
      key_.push_back(kScalarTag << 56 | static_cast<std::uint64_t>(argument->scalar().kind));
      return;
    }
    if (argument->kind() == Argument::Kind::kList) key_.push_back(kListTag << 56 | argument->tensors().size());
    for (const Tensor& tensor : argument->tensors()) add_tensor(index, tensor);
  }

  void add_tensor(std::uint32_t index, const Tensor& tensor) {
    const TensorState* state = TensorAccess::state(tensor).get();
    if (state == nullptr) {
      throw Error(graph::GraphError::kMissingInput,
                  fmt::format("[{}] an item of \"{}\" is no tensor", op_.name, op_.inputs[index].name));
    }
    if (state->context.get() != &context_) {
      throw Error(ComputeError::kContextMismatch,
                  fmt::format("[{}] the operands belong to two contexts: make them in one", op_.name));
    }
    const auto& backend = state->storage.buffer->backend();
    if (backend_ == nullptr) backend_ = &backend;
    if (backend != *backend_) {
      throw Error(ComputeError::kContextMismatch,
                  fmt::format("[{}] one operand is on {}, another on {}: move one with to()", op_.name,
                              (*backend_)->id(), backend->id()));
    }
    recorded_ = recorded_ || (state->autograd != nullptr && op_.inputs[index].differentiable);
    operands_.push_back({index, state, nullptr});
    key_.push_back(tagged(state->storage.layout.get(), static_cast<std::uint64_t>(state->storage.dtype)));
  }

  Call& find(const AttributeSource& attributes) {
    key_.push_back(tagged(&op_, 0));
    key_.push_back(tagged(backend_->get(), 0));
    for (const std::uint64_t word : attributes.key) key_.push_back(word);
    const std::span<const std::uint64_t> key(key_.data(), key_.size());
    const std::uint64_t hash = hash_words(key);
    if (Call* known = context_.calls.find(key, hash)) return *known;
    if (context_.depth == 0 && (context_.calls.size() >= kMaxCalls || context_.layouts.size() >= kMaxLayouts)) {
      context_.calls.clear();
      context_.layouts.clear();
    }
    const std::span<const CallOperand> operands(operands_.data(), operands_.size());
    auto call = resolve_call(context_, *backend_, op_, operands, attributes.json());
    call->key.assign(key.begin(), key.end());
    for (const CallOperand& operand : operands_) {
      if (operand.tensor != nullptr) call->held.push_back(operand.tensor->storage.layout);
    }
    return context_.calls.add(std::move(call), hash);
  }

  void launch(const Call& call, std::span<Tensor> outputs) {
    InlineVector<std::shared_ptr<Memory>, 8> owners;
    InlineVector<Memory*, 8> slots;
    const auto add = [&](const Buffer& buffer) {
      owners.push_back(buffer.memory());
      slots.push_back(owners[owners.size() - 1].get());
    };
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      const CallOperand& operand = operands_[i];
      if (operand.tensor != nullptr) add(*operand.tensor->storage.buffer);
      if (operand.scalar != nullptr) add(*number(call, i).buffer);
    }
    const auto context = context_.shared_from_this();
    for (std::size_t k = 0; k < call.outputs.size(); ++k) {
      const auto& output = call.outputs[k];
      auto buffer = context_.buffers->allocate(*backend_, output.bytes, op_.name);
      add(*buffer);
      if (k < outputs.size())
        outputs[k] = TensorAccess::make({std::move(buffer), output.layout, output.dtype}, context);
    }
    if (call.empty) return;
    run_measured(context_.times.get(), **backend_, op_.name, call.launch, {slots.data(), slots.size()});
  }

  const Storage& number(const Call& call, std::size_t operand) {
    const Scalar& scalar = *operands_[operand].scalar;
    return scalar_storage(context_, *backend_, scalar, scalar_storage_dtype(call.read[operand]));
  }

  void view(const Call& call, std::span<Tensor> outputs) const {
    const TensorState& viewed = *operands_[0].tensor;
    outputs[0] =
        TensorAccess::make({viewed.storage.buffer, call.outputs.front().layout, viewed.storage.dtype}, viewed.context);
  }

  /// The operand as a tensor; empty when absent.
  Tensor tensor(const Call& call, std::size_t operand) {
    if (operands_[operand].scalar != nullptr) {
      return TensorAccess::make(number(call, operand), context_.shared_from_this());
    }
    std::size_t before = 0;  // operands of the same input
    while (before < operand && operands_[operand - before - 1].input == operands_[operand].input) ++before;
    return operands_[operand].absent() ? Tensor() : inputs_[operands_[operand].input].tensors()[before];
  }

  void copy_and_view(Call& call, const Results& results) {
    const DepthGuard guard(context_);
    const Tensor copy = apply(context_.ops->at("contiguous"), {tensor(call, 0)});
    call_again(call, {copy}, results);
  }

  void cast_and_call(Call& call, const Results& results) {
    const DepthGuard guard(context_);
    std::vector<Tensor> cast;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      cast.push_back(operands_[i].tensor != nullptr ? tensor(call, i).to(call.read[i]) : Tensor());
    }
    call_again(call, cast, results);
  }

  /// The same operation on other tensors; numbers stay.
  void call_again(Call& call, const std::vector<Tensor>& tensors, const Results& results) {
    std::vector<Argument> arguments(op_.inputs.size());
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      Argument& argument = arguments[operands_[i].input];
      if (inputs_.size() <= operands_[i].input) continue;
      const Argument& given = inputs_[operands_[i].input];
      if (given.kind() == Argument::Kind::kScalar) argument = given;
      if (given.kind() == Argument::Kind::kTensor) argument = Argument(tensors[i]);
      if (given.kind() == Argument::Kind::kList && argument.kind() == Argument::Kind::kAbsent) {
        argument = Argument(std::span(tensors).subspan(i, given.tensors().size()));
      }
    }
    apply(context_, op_, arguments, {call.attrs_key, [&] { return call.attrs; }}, results);
  }

  void run_steps(Call& call, std::span<Tensor> outputs) {
    const DepthGuard guard(context_);
    std::vector<Tensor> operands;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      if (!operands_[i].absent()) operands.push_back(tensor(call, i));
    }
    auto results = call.steps->run(context_.shared_from_this(), std::move(operands));
    for (std::size_t k = 0; k < outputs.size(); ++k) outputs[k] = std::move(results[k]);
  }

  void record(Call& call, std::span<Tensor> outputs) {
    if (outputs.size() < call.outputs.size()) {
      throw Error(BaseError::kInvalidArgument,
                  fmt::format("[{}] has {} outputs, and with gradients all are needed", op_.name, call.outputs.size()));
    }
    const DepthGuard guard(context_);
    std::vector<Tensor> operands;
    std::uint64_t wanted = 0;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      operands.push_back(tensor(call, i));
      const bool needs = needs_gradient(operands.back()) && op_.inputs[operands_[i].input].differentiable;
      if (needs && i < 64) wanted |= std::uint64_t{1} << i;
    }
    record_call(context_, call, operands, wanted, outputs);
  }

  /// Keeps the caches from being emptied while a call of theirs is in use.
  struct DepthGuard {
    explicit DepthGuard(ContextState& state) : context(state) { ++context.depth; }
    ~DepthGuard() { --context.depth; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;
    ContextState& context;
  };

  ContextState& context_;
  const OpSpec& op_;
  std::span<const Argument> inputs_;
  const std::shared_ptr<Backend>* backend_ = nullptr;
  Operands operands_;
  Key key_;
  bool recorded_ = false;
};

void apply_list(ContextState& context, const OpSpec& op, std::initializer_list<Argument> inputs,
                std::initializer_list<Attribute> attributes, const Results& results) {
  Key key;
  for (const Attribute& attribute : attributes) attribute.append_key(key);
  const auto json = [&] {
    JsonObject object;
    std::size_t index = 0;
    for (const Attribute& attribute : attributes) {
      const auto& parameter = op.parameters.at(index++);
      if (auto value = attribute.json(parameter)) object[parameter.name] = std::move(*value);
    }
    return object;
  };
  apply(context, op, {inputs.begin(), inputs.size()}, {{key.data(), key.size()}, json}, results);
}

/// The context of the first tensor; borrowed from it.
ContextState& borrowed_context(std::string_view op, std::span<const Argument> inputs) {
  for (const Argument& input : inputs) {
    for (const Tensor& tensor : input.tensors()) {
      if (tensor) return *TensorAccess::state(tensor)->context;
    }
  }
  throw Error(graph::GraphError::kMissingInput, fmt::format("[{}] at least one input must be a tensor", op));
}

}  // namespace

void apply(ContextState& context, const OpSpec& op, std::span<const Argument> inputs, const AttributeSource& attributes,
           const Results& results, const std::shared_ptr<Backend>* device) {
  if (op.data_dependent()) {
    auto made = apply_data_dependent(op, inputs, graph::complete_attributes(op, attributes.json()));
    std::ranges::move(made, results.of(made.size()).begin());
    return;
  }
  Execution(context, op, inputs, device).run(attributes, results);
}

Tensor apply(const OpSpec& op, std::initializer_list<Argument> inputs, std::initializer_list<Attribute> attributes) {
  Tensor output;
  apply(op, inputs, attributes, std::span(&output, 1));
  return output;
}

Tensor apply(const Context& context, const OpSpec& op, std::initializer_list<Argument> inputs,
             std::initializer_list<Attribute> attributes) {
  Tensor output;
  apply_list(*ContextAccess::state(context), op, inputs, attributes, {std::span(&output, 1)});
  return output;
}

std::vector<Tensor> apply_variadic(const OpSpec& op, std::initializer_list<Argument> inputs,
                                   std::initializer_list<Attribute> attributes) {
  std::vector<Tensor> outputs;
  apply_list(borrowed_context(op.name, {inputs.begin(), inputs.size()}), op, inputs, attributes, {{}, &outputs});
  return outputs;
}

Tensor next_rng(const Context& context) {
  ContextState& state = *ContextAccess::state(context);
  const std::uint64_t step = state.step++;
  const std::array<std::uint32_t, 4> words = {static_cast<std::uint32_t>(state.seed),
                                              static_cast<std::uint32_t>(state.seed >> 32),
                                              static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)};
  return context.from<std::uint32_t>(words, {4}, "rng");
}

Tensor next_rng(const Tensor& beside) { return next_rng(beside.context()).to(beside.buffer()->backend()); }

std::vector<Tensor> apply(std::string_view name, std::span<const Argument> inputs, const JsonObject& attributes) {
  ContextState& context = borrowed_context(name, inputs);
  const OpSpec& op = context.ops->at(name);
  std::vector<Tensor> outputs;
  apply(context, op, inputs, {attributes_key(attributes), [&] { return attributes; }}, {{}, &outputs});
  return outputs;
}

void apply(const OpSpec& op, std::initializer_list<Argument> inputs, std::initializer_list<Attribute> attributes,
           std::span<Tensor> outputs) {
  apply_list(borrowed_context(op.name, {inputs.begin(), inputs.size()}), op, inputs, attributes, {outputs});
}

}  // namespace alknet::compute
