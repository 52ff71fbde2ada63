#pragma once

#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/runtime/native.h"
#include "apps/alknet/command.h"

namespace alknet::app {

/// The operations of this machine for a script of its user, as `alknet serve` offers them: compute, tensors, models.
/// Nothing is made, and no device asked for, before a script imports what needs it. The loop's thread.
class ProgramOperations {
 public:
  /// `device` is where tensors are made; empty: the machine's default.
  ProgramOperations(Loop& loop, std::string device, const Globals& globals);

  /// When the isolate has ended. Waits for what still computes.
  ~ProgramOperations();

  /// The module "alknet:host".
  runtime::NativeModule host_module();

 private:
  struct State;
  State& state();

  Loop& loop_;
  std::string device_;
  const Globals& globals_;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::app
