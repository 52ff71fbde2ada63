#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/compute/eager/tensor_state.h"
#include "alknet/graph/graph.h"

namespace alknet::compute {

/// A small graph of known shapes as a list of eager calls: what a composite operation or a gradient is made of.
/// Immutable.
class StepProgram {
 public:
  /// The nodes of `graph` behind the outputs named, for tensors on `backend`: constants are copied there. Throws what
  /// typing throws.
  StepProgram(ContextState& context, std::shared_ptr<Backend> backend, const graph::Graph& graph,
              std::span<const std::string> outputs);

  /// Whether input `index` of the graph is read.
  bool reads(std::size_t index) const { return read_[index]; }

  /// Runs the calls in order; a value is let go when nothing reads it any more. Inputs that are not read may be empty.
  std::vector<Tensor> run(const std::shared_ptr<ContextState>& context, std::vector<Tensor> inputs) const;

 private:
  struct Operand {
    std::optional<std::uint32_t> value;  ///< Inputs, constants, then the outputs of each step.
    std::optional<Scalar> scalar;        ///< Neither: absent.
  };
  struct Step {
    const OpSpec* op = nullptr;
    JsonObject attrs;
    std::vector<std::uint64_t> key;  ///< Of `attrs`.
    std::vector<std::vector<Operand>> inputs;
    std::uint32_t first_output = 0;
    std::vector<std::uint32_t> last_reads;  ///< Values that no later step reads.
  };

  std::shared_ptr<Backend> backend_;
  std::size_t input_count_ = 0;
  std::vector<bool> read_;
  std::vector<Storage> constants_;
  std::vector<Step> steps_;
  std::uint32_t value_count_ = 0;
  std::vector<Operand> outputs_;
};

}  // namespace alknet::compute
