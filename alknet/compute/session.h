#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alknet/compute/plan.h"
#include "alknet/compute/store.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// Runs of a plan on a store: owns the arena, and keeps plan and store alive. Used by one thread at a time.
///
/// Sizes and kernel launches are worked out when a set of input layouts is first seen and then replayed; a new size
/// compiles nothing.
class Session {
 public:
  /// Finds the plan's states in the store by name. Throws Error `missing_parameter` naming all that lack, and
  /// `shape_mismatch` when one has another dtype or shape.
  Session(std::shared_ptr<const Plan> plan, Store store);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Runs with `inputs` in the order of the graph's inputs and returns its outputs in order, as fresh tensors or in
  /// `out` (contiguous, of the right dtype and shape; not inputs). Inputs may be strided and are never modified.
  /// Throws Error `missing_input`, `shape_mismatch`, or what a kernel threw.
  std::vector<Tensor> run(std::span<const Tensor> inputs, std::span<const Tensor> out = {});

  /// Bytes of arena memory now held.
  std::size_t arena_bytes() const;

  /// How often `run` had to work out a new set of layouts.
  std::size_t bindings_made() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alknet::compute
