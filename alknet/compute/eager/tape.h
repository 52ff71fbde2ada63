#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/eager/call_cache.h"
#include "alknet/compute/eager/step_program.h"
#include "alknet/compute/eager/tensor_state.h"

namespace alknet::compute {

/// A tensor kept for a gradient, with the version that its buffer then had.
class SavedTensor {
 public:
  SavedTensor() = default;
  explicit SavedTensor(Tensor tensor);

  /// Throws Error `stale_version`, naming the tensor, what wrote it since, and `reader`, which needs the old elements.
  const Tensor& get(const std::string& reader) const;
  Tensor take() { return std::move(tensor_); }

 private:
  Tensor tensor_;
  std::uint64_t version_ = 0;
};

/// A recorded operation: what its operands gain from its results. Nodes point at those that made their operands, so
/// that what no tensor needs any more goes by itself, without recursion however long the chain is.
class GradNode : public std::enable_shared_from_this<GradNode> {
 public:
  virtual ~GradNode();
  GradNode(const GradNode&) = delete;
  GradNode& operator=(const GradNode&) = delete;

  const std::string& name() const { return name_; }
  /// Rises from node to node of a context: operands come before results.
  std::uint64_t sequence() const { return sequence_; }
  std::size_t output_count() const { return outputs_; }
  /// Where the gradients of the operands go; null: nowhere.
  std::span<const std::shared_ptr<Autograd>> edges() const { return edges_; }

  /// Whether gradients may reach leaves that no edge names.
  virtual bool reaches_others() const { return false; }

  /// Gradients parallel to `edges`; empty where there is none. `gradients` is parallel to the outputs; one at least is
  /// not empty. Throws Error `graph_freed` after `release`.
  std::vector<Tensor> pass(const std::shared_ptr<ContextState>& context, std::vector<Tensor> gradients);

  /// Lets the saved tensors go.
  void release();

 protected:
  GradNode(ContextState& context, std::string name, std::size_t outputs);
  void add_edge(std::shared_ptr<Autograd> target) { edges_.push_back(std::move(target)); }
  void save(Tensor tensor) { saved_.emplace_back(std::move(tensor)); }
  const std::vector<SavedTensor>& saved() const { return saved_; }

  virtual std::vector<Tensor> compute(const std::shared_ptr<ContextState>& context, std::vector<Tensor> gradients) = 0;

 private:
  /// Moves what keeps other nodes alive to `nodes`.
  void unlink(std::vector<std::shared_ptr<GradNode>>& nodes);

  std::string name_;
  std::uint64_t sequence_;
  std::size_t outputs_;
  bool released_ = false;
  std::vector<std::shared_ptr<Autograd>> edges_;
  std::vector<SavedTensor> saved_;
};

/// How gradients pass a kind of call: the nodes that graph::grad writes for it, as eager calls. Immutable; shared by
/// equal calls.
class BackwardProgram {
 public:
  /// Of a call on `backend`. `operands` are those of the call, empty where absent; bit i of `wanted` says that operand
  /// i needs a gradient.
  BackwardProgram(ContextState& context, const std::shared_ptr<Backend>& backend, const Call& call,
                  std::span<const Tensor> operands, std::uint64_t wanted);

  bool reads_operand(std::size_t index) const { return steps_ && steps_->reads(index); }
  bool reads_output(std::size_t index) const { return steps_ && steps_->reads(operands_ + outputs_ + index); }
  std::size_t output_count() const { return outputs_; }

  /// Gradients parallel to the operands. Tensors that are not read may be empty. Throws what graph::grad threw.
  std::vector<Tensor> run(const std::shared_ptr<ContextState>& context, std::vector<Tensor> operands,
                          std::vector<Tensor> gradients, std::vector<Tensor> outputs) const;

 private:
  std::size_t operands_ = 0, outputs_ = 0;
  std::vector<std::size_t> targets_;  ///< Operands that the results of `steps_` belong to.
  std::vector<Call::Output> types_;   ///< Of the outputs, for gradients that are missing.
  std::shared_ptr<Backend> backend_;
  std::optional<StepProgram> steps_;
  std::optional<Error> failure_;
};

/// Whether a tensor takes part in gradients.
bool needs_gradient(const Tensor& tensor);

/// Records a call and connects its outputs. `operands` are those of the call, empty where absent.
void record_call(ContextState& context, Call& call, std::span<const Tensor> operands, std::uint64_t wanted,
                 std::span<Tensor> outputs);

/// Makes tensors the outputs of a node; those that are no floats stay without gradient.
void connect(const std::shared_ptr<GradNode>& node, std::span<Tensor> outputs);

}  // namespace alknet::compute
