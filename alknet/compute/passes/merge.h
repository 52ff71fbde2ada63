#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "alknet/compute/plan.h"

namespace alknet::compute {

/// Puts steps together, one pair at a time, and keeps the program in an order that can run. What is merged away stays
/// in place, marked, until `finish`.
class StepMerger {
 public:
  StepMerger(PlanProgram& program, const KernelLimits& limits);

  std::size_t size() const { return program_.steps.size(); }
  bool removed(std::size_t step) const { return removed_[step]; }
  const PlanStep& step(std::size_t index) const { return program_.steps[index]; }

  /// The step that computes a value itself, not a view of it.
  std::optional<std::size_t> producer(std::uint32_t value) const;
  /// How many steps and outputs use a value, directly or through a view.
  std::uint32_t uses(std::uint32_t value) const { return uses_[value]; }

  /// Computes `user`, which is element-wise, together with an earlier step: behind it in one program where it reads its
  /// results, beside it otherwise. Results of the earlier step that others use stay results. Nothing happens, and the
  /// answer is nothing, when no order allows it, when a state would be read after it is written, or when one kernel
  /// cannot have so many tensors. Returns the place of the joint step.
  std::optional<std::size_t> merge(std::size_t earlier, std::size_t user);

  /// Drops the steps that were merged away.
  void finish();

 private:
  bool may_move(std::size_t step, std::size_t from, std::size_t to) const;
  bool fits(const PlanStep& joint) const;
  void count_uses(const PlanStep& step, std::uint32_t change);

  PlanProgram& program_;
  const KernelLimits limits_;
  std::vector<bool> removed_;
  std::vector<std::uint32_t> uses_;
};

/// Whether a step is an element-wise program and nothing else.
bool pure_elementwise(const PlanStep& step);

}  // namespace alknet::compute
