#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "alknet/compute/device_cpu/operation_kernel.h"

namespace alknet::compute {

/// A launch of an operation that computes its whole result at once rather than range by range: straight into the
/// output where it can, else into memory of its own, from where it is converted and handed to the program that follows.
class StagedLaunch : public CpuLaunch {
 public:
  /// `result` is what `compute` writes: the dtype of the operation's output, or the dtype that its tiles have.
  StagedLaunch(const OperationContext& context, const Binding& binding, Dtype result);

  void run(Slots slots) const final;

 protected:
  /// Writes the result, contiguous and row-major, to `result`.
  virtual void compute(Slots slots, std::byte* result) const = 0;

  const OpSpec& op() const { return op_; }
  CpuResources& resources() const { return *resources_; }

 private:
  void hand_over(Slots slots) const;

  std::shared_ptr<CpuResources> resources_;
  const OpSpec& op_;
  Operand output_;
  ResultSink sink_;
  Dtype result_;
  bool staged_, converts_;
  ConvertFunction load_;
  std::size_t tile_at_, sink_at_, scratch_bytes_;
  mutable std::vector<std::byte> staging_;  // a launch is used by one run at a time
};

}  // namespace alknet::compute
