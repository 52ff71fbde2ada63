#include "alknet/compute/eager/tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/resolve.h"
#include "alknet/compute/error.h"
#include "alknet/graph/gradient.h"

namespace alknet::compute {
namespace {

/// The gradient of an operation of the op table.
class CallNode final : public GradNode {
 public:
  CallNode(ContextState& context, const Call& call, std::shared_ptr<const BackwardProgram> program,
           std::span<const Tensor> operands, std::uint64_t wanted, std::span<const Tensor> outputs)
      : GradNode(context, call.op->name, outputs.size()), program_(std::move(program)), operands_(operands.size()) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const bool passes = i >= 64 || (wanted >> i & 1) != 0;
      add_edge(operands[i] && passes ? TensorAccess::state(operands[i])->autograd : nullptr);
      save(program_->reads_operand(i) ? operands[i] : Tensor());
    }
    // Without their node, which is this: it would keep itself alive.
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      save(program_->reads_output(k) ? outputs[k].detach() : Tensor());
    }
  }

 private:
  std::vector<Tensor> compute(const std::shared_ptr<ContextState>& context, std::vector<Tensor> gradients) override {
    std::vector<Tensor> operands, outputs;
    for (std::size_t i = 0; i < saved().size(); ++i) {
      const Tensor& tensor = saved()[i].get(name());
      if (i < operands_) {
        operands.push_back(tensor);
      } else if (!tensor) {
        outputs.emplace_back();
      } else {
        outputs.push_back(tensor.detach());
        TensorAccess::state(outputs.back())->autograd =
            std::make_shared<Autograd>(Autograd{shared_from_this(), static_cast<std::uint32_t>(i - operands_), {}});
      }
    }
    return program_->run(context, std::move(operands), std::move(gradients), std::move(outputs));
  }

  std::shared_ptr<const BackwardProgram> program_;
  std::size_t operands_;
};

std::string numbered(const char* name, std::size_t index) { return fmt::format("{}{}", name, index); }

}  // namespace

SavedTensor::SavedTensor(Tensor tensor)
    : tensor_(std::move(tensor)), version_(tensor_ ? tensor_.buffer()->version() : 0) {}

const Tensor& SavedTensor::get(const std::string& reader) const {
  if (tensor_ && tensor_.buffer()->version() != version_) {
    throw Error(
        ComputeError::kStaleVersion,
        fmt::format("the gradient of {} needs the {} {} tensor \"{}\" as it was, but {} has written it since; "
                    "write it after backward(), or give {} a clone()",
                    reader, graph::dtype_name(tensor_.dtype()), graph::shape_text(tensor_.shape()),
                    tensor_.buffer()->label(), tensor_.buffer()->last_writer(), reader),
        JsonObject{
            {"reader", reader}, {"tensor", tensor_.buffer()->label()}, {"writer", tensor_.buffer()->last_writer()}});
  }
  return tensor_;
}

GradNode::GradNode(ContextState& context, std::string name, std::size_t outputs)
    : name_(std::move(name)), sequence_(++context.sequence), outputs_(outputs) {}

void GradNode::unlink(std::vector<std::shared_ptr<GradNode>>& nodes) {
  const auto take = [&](std::shared_ptr<Autograd> autograd) {
    if (autograd && autograd.use_count() == 1 && autograd->node) nodes.push_back(std::move(autograd->node));
  };
  for (auto& edge : edges_) take(std::move(edge));
  edges_.clear();
  for (SavedTensor& saved : saved_) {
    const Tensor tensor = saved.take();
    if (!tensor) continue;
    const auto& state = TensorAccess::state(tensor);
    if (state.use_count() == 1) take(std::move(state->autograd));
  }
  saved_.clear();
}

GradNode::~GradNode() {
  std::vector<std::shared_ptr<GradNode>> nodes;
  unlink(nodes);
  while (!nodes.empty()) {
    const std::shared_ptr<GradNode> node = std::move(nodes.back());
    nodes.pop_back();
    if (node.use_count() == 1) node->unlink(nodes);
  }
}

std::vector<Tensor> GradNode::pass(const std::shared_ptr<ContextState>& context, std::vector<Tensor> gradients) {
  if (released_) {
    throw Error(ComputeError::kGraphFreed,
                fmt::format("the tensors saved for the gradient of {} were freed by an earlier backward(): call that "
                            "with retain_graph, or compute the result again",
                            name_),
                JsonObject{{"op", name_}});
  }
  return compute(context, std::move(gradients));
}

void GradNode::release() {
  saved_.clear();
  released_ = true;
}

BackwardProgram::BackwardProgram(ContextState& context, const std::shared_ptr<Backend>& backend, const Call& call,
                                 std::span<const Tensor> operands, std::uint64_t wanted)
    : operands_(operands.size()), outputs_(call.outputs.size()), types_(call.outputs), backend_(backend) {
  const auto symbolic = [](const Shape& shape) { return graph::SymbolicShape(shape.begin(), shape.end()); };
  const std::string call_id = "call";
  graph::Graph forward;
  graph::Node node;
  node.id = call_id;
  node.op = call.op->name;
  node.attrs = call.attrs;
  node.inputs.resize(call.op->inputs.size());
  std::vector<std::string> outputs, wrt, seeds, gradients;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const std::string name = numbered("operand", i);
    if (!operands[i]) {
      forward.inputs.push_back({name, Dtype::kF32, {}});
      continue;
    }
    forward.inputs.push_back({name, operands[i].dtype(), symbolic(operands[i].shape())});
    node.inputs[call.input_of[i]].push_back({name, 0, std::nullopt});
    const bool passes = i >= 64 ? needs_gradient(operands[i]) : (wanted >> i & 1) != 0;
    if (!passes) continue;
    wrt.push_back(name);
    gradients.push_back("grad/" + name);
    targets_.push_back(i);
  }
  for (std::size_t k = 0; k < outputs_; ++k) {
    const auto& type = call.outputs[k];
    forward.inputs.push_back({numbered("seed", k), type.dtype, symbolic(type.layout->strided.shape)});
    if (!graph::is_float(type.dtype)) continue;
    outputs.push_back(numbered("y", k));
    seeds.push_back(numbered("seed", k));
    forward.outputs.push_back({outputs.back(), {call_id, k, std::nullopt}});
  }
  forward.nodes.push_back(std::move(node));
  try {
    graph::Graph graph = graph::grad(forward, {outputs, wrt, seeds, true}, *context.ops);
    for (std::size_t k = 0; k < outputs_; ++k) {
      const auto& type = call.outputs[k];
      graph.inputs.push_back({numbered("saved", k), type.dtype, symbolic(type.layout->strided.shape)});
    }
    // Results are read where they were saved instead of computed again.
    const auto redirect = [&](graph::Ref& ref) {
      if (ref.name == call_id) ref = {numbered("saved", ref.output), 0, std::nullopt};
    };
    std::erase_if(graph.nodes, [&](const graph::Node& each) { return each.id == call_id; });
    std::erase_if(graph.outputs, [&](const graph::GraphOutput& each) {
      return std::find(gradients.begin(), gradients.end(), each.name) == gradients.end();
    });
    for (auto& each : graph.nodes) {
      for (auto& refs : each.inputs) {
        for (auto& ref : refs) redirect(ref);
      }
    }
    for (auto& output : graph.outputs) redirect(output.value);
    steps_.emplace(context, backend, graph, gradients);
  } catch (const Error& error) {
    failure_ = error;  // matters only when the gradient is asked for
  }
}

std::vector<Tensor> BackwardProgram::run(const std::shared_ptr<ContextState>& context, std::vector<Tensor> operands,
                                         std::vector<Tensor> gradients, std::vector<Tensor> outputs) const {
  if (failure_) throw *failure_;
  std::vector<Tensor> inputs = std::move(operands);
  for (std::size_t k = 0; k < outputs_; ++k) {
    if (!gradients[k] && steps_->reads(operands_ + k)) {
      gradients[k] = filled(context, backend_, Scalar::of(0.0), types_[k].dtype, types_[k].layout->strided.shape);
    }
    inputs.push_back(std::move(gradients[k]));
  }
  for (Tensor& output : outputs) inputs.push_back(std::move(output));
  std::vector<Tensor> results = steps_->run(context, std::move(inputs));
  std::vector<Tensor> by_operand(operands_);
  for (std::size_t t = 0; t < targets_.size(); ++t) by_operand[targets_[t]] = std::move(results[t]);
  return by_operand;
}

bool needs_gradient(const Tensor& tensor) { return tensor && TensorAccess::state(tensor)->autograd != nullptr; }

void connect(const std::shared_ptr<GradNode>& node, std::span<Tensor> outputs) {
  for (std::uint32_t k = 0; k < outputs.size(); ++k) {
    if (!graph::is_float(outputs[k].dtype())) continue;
    TensorAccess::state(outputs[k])->autograd = std::make_shared<Autograd>(Autograd{node, k, {}});
  }
}

void record_call(ContextState& context, Call& call, std::span<const Tensor> operands, std::uint64_t wanted,
                 std::span<Tensor> outputs) {
  std::shared_ptr<const BackwardProgram> program;
  for (const auto& [operands_wanted, known] : call.backward) {
    if (operands_wanted == wanted && operands.size() <= 64) program = known;
  }
  if (!program) {
    const auto& backend = outputs.front().buffer()->backend();
    program = std::make_shared<const BackwardProgram>(context, backend, call, operands, wanted);
    call.backward.emplace_back(wanted, program);
  }
  connect(std::make_shared<CallNode>(context, call, std::move(program), operands, wanted, outputs), outputs);
}

}  // namespace alknet::compute
