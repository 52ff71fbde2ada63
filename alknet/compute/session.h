#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alknet/compute/plan.h"
#include "alknet/compute/store.h"
#include "alknet/compute/tensor.h"
#include "alknet/compute/trace.h"

namespace alknet::compute {

class Session;

struct SessionOptions {
  /// Dimensions in the shapes of states that the store's tensors do not tell: how long a cache is.
  graph::DimValues dims = {};
  /// A session whose states of scope `session` are taken over where name, dtype and shape are the same: for a graph
  /// that was planned anew. Both then write the same memory, so the old one is not to run any more.
  const Session* previous = nullptr;
  /// Runs go kernel by kernel, and each is added here. Slower, above all on a GPU.
  std::shared_ptr<Trace> trace = {};
};

/// Runs of a plan on a store: owns the arena and the states of scope `session`, and keeps plan and store alive. Used by
/// one thread at a time; runs of several sessions on one store wait for each other where one of them assigns.
///
/// Sizes and kernel launches are worked out when a set of input layouts is first seen and then replayed; a new size
/// compiles nothing.
class Session {
 public:
  /// Finds the plan's states in the store by name, or makes them as their `init` says; states of scope `session` begin
  /// with zeros where nothing is said. Throws Error `missing_parameter` naming all that lack, `shape_mismatch` when one
  /// has another dtype or shape, `read_only` for a mapped one that the plan assigns to (see Store::writable),
  /// `dim_unbound` for a size that nothing tells.
  Session(std::shared_ptr<const Plan> plan, Store store, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Runs with `inputs` in the order of the graph's inputs and returns its outputs in order, as fresh tensors or in
  /// `out` (contiguous, of the right dtype and shape; in memory of their own). Inputs may be strided and are never
  /// modified. Throws Error `missing_input`, `shape_mismatch`, `context_mismatch` for a tensor of another device, or
  /// what a kernel threw; then states that the run assigns to may have either value.
  std::vector<Tensor> run(std::span<const Tensor> inputs, std::span<const Tensor> out = {});

  /// The same into `out`, which holds a tensor for each output: allocates nothing when layouts have been seen before.
  void run_into(std::span<const Tensor> inputs, std::span<const Tensor> out);

  const Plan& plan() const;

  /// The tensor of a state by its index in the graph; what runs read and write.
  const Tensor& state(std::size_t index) const;

  /// Seconds that each step of the plan took in the last run; empty unless there was one with a trace. For Plan::dump.
  std::span<const double> measured() const;

  /// Bytes of arena memory now held.
  std::size_t arena_bytes() const;

  /// How often `run` had to work out a new set of layouts.
  std::size_t bindings_made() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alknet::compute
