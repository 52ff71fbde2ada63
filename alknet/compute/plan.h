#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"

namespace alknet::compute {

/// Where a value of a plan gets its elements.
enum class ValueSource : std::uint8_t {
  kInput,
  kState,  ///< A state as the run finds it.
  kConstant,
  kStep,
  kView,
  kVersion,  ///< A whole state, after a step has written a part of it.
};

/// The memory of a state as the place of a step's result: what an assign becomes.
struct StateTarget {
  std::uint32_t state = 0;     ///< Index in the graph's list.
  graph::SymbolicShape start;  ///< Of a part, by dimension; empty when the whole state is written.
};

/// A tensor inside a plan. Sizes may be symbolic until a session binds them.
struct PlanValue {
  ValueSource source = ValueSource::kStep;
  /// kInput, kState, kConstant: index in the graph's list. kStep: the step that computes it. kView: the viewed value.
  /// kVersion: the value that was written.
  std::uint32_t index = 0;
  Dtype dtype = Dtype::kF32;
  graph::SymbolicShape shape;
  const OpSpec* view = nullptr;  ///< kView: the operation, with its attributes.
  JsonObject view_attrs = {};
  bool contiguous = true;                  ///< Whatever the sizes.
  std::optional<StateTarget> target = {};  ///< kStep: written into a state, not into memory of its own.
  /// kStep: the dimensions in the order in which they lie in memory, outermost first; empty: as they are numbered.
  std::vector<std::size_t> memory_order = {};

  /// Which of a run's memories holds it; set by the memory pass for all but views.
  std::uint32_t slot = 0;
};

/// One kernel of a plan.
struct PlanStep {
  Computation computation;
  std::vector<std::optional<std::uint32_t>> inputs;  ///< Values, parallel to Computation::inputs.
  std::vector<std::uint32_t> outputs;                ///< Values.
  std::string path;                                  ///< Of the node it began with, for messages and dumps.
  bool recomputed = false;               ///< Of a checkpoint node: a copy of it is not to be replaced by it.
  std::vector<std::string> merged = {};  ///< Paths of all nodes in it, where it is more than one.
  std::shared_ptr<const Kernel> kernel;  ///< Set when the passes are done.
};

/// Memories of a run by slot: [arena | inputs | states | constants | outputs].
struct SlotRanges {
  std::uint32_t arena = 0, inputs = 0, states = 0, constants = 0, outputs = 0;
  std::uint32_t first_input() const { return arena; }
  std::uint32_t first_state() const { return first_input() + inputs; }
  std::uint32_t first_constant() const { return first_state() + states; }
  std::uint32_t first_output() const { return first_constant() + constants; }
  std::uint32_t count() const { return first_output() + outputs; }
};

/// What the passes read and rewrite: the graph as values and steps in an order that can run.
struct PlanProgram {
  std::vector<PlanValue> values;
  std::vector<PlanStep> steps;
  std::vector<std::uint32_t> outputs;  ///< Values, parallel to the graph's outputs.
  SlotRanges slots;

  /// The value whose memory `value` lies in: itself unless it is a view or a version.
  std::uint32_t base(std::uint32_t value) const;
  /// The state whose memory `value` lies in, if any.
  std::optional<std::uint32_t> state_of(std::uint32_t value) const;
  /// Whether the step writes into a state.
  bool assigns(const PlanStep& step) const;
};

/// What a run watches for; see CompileOptions::watch.
enum class Watch : std::uint8_t { kNothing, kNan, kNonFinite };

struct CompileOptions {
  bool fold_constants = true;  ///< Compute what depends on constants alone while compiling.
  bool share = true;           ///< Compute equal steps once.
  bool fuse = true;            ///< Put element-wise steps into one kernel.
  bool fuse_epilogues = true;  ///< Put element-wise steps into the kernel of the operation before; needs `fuse`.
  bool reuse_inputs = true;    ///< Let element-wise steps write where an input lies that nothing reads any more.
  /// Runs check what every step computes and throw Error `not_finite` that names the first to make a NaN, or also an
  /// infinity, from inputs without. Slow; nothing is fused then, so that the name is that of one operation.
  Watch watch = Watch::kNothing;
};

/// Values and steps that depend on the numbers in inputs.
struct SizedParts {
  std::vector<std::uint32_t> values, steps;
};

/// A graph compiled for a device: kernels chosen, memory planned by liveness. Immutable; shared between threads and
/// sessions; works for every value of the symbolic dimensions.
class Plan {
 public:
  /// Throws Error `graph_invalid` with all problems, or `unsupported` naming the node whose kernel the device lacks.
  static std::shared_ptr<const Plan> compile(const graph::Graph& graph, std::shared_ptr<Backend> backend,
                                             const CompileOptions& options = {},
                                             const graph::OpTable& ops = graph::OpTable::builtin());

  const graph::Graph& graph() const { return graph_; }
  const std::shared_ptr<Backend>& backend() const { return backend_; }
  const PlanProgram& program() const { return program_; }
  /// Whether a run writes into the state of that index.
  bool assigns(std::size_t state) const { return assigned_[state]; }
  /// Inputs that a run reads before it starts, because dimension expressions use their numbers.
  const std::vector<std::uint32_t>& size_inputs() const { return size_inputs_; }
  const SizedParts& sized() const { return sized_; }

  Watch watch() const { return watch_; }

  /// For people: each kernel in order with what it was made of, its results, and, where sizes are known, the bytes it
  /// moves and the time that takes at the device's nominal speed. `dims` gives symbolic sizes values; `measured` are
  /// seconds by step (Session::measured).
  std::string dump(const graph::DimValues& dims = {}, std::span<const double> measured = {}) const;

 private:
  Plan() = default;

  graph::Graph graph_;
  std::shared_ptr<Backend> backend_;
  PlanProgram program_;
  std::vector<bool> assigned_;  ///< By state.
  Watch watch_ = Watch::kNothing;
  std::vector<std::uint32_t> size_inputs_;
  SizedParts sized_;
};

}  // namespace alknet::compute
