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
  ProgramOperations(std::string device, const Globals& globals);

  /// When the loop is gone.
  ~ProgramOperations();

  /// The module "alknet:host", whose calls run on `loop`.
  runtime::NativeModule host_module(Loop& loop);

  /// Ends all calls and waits for what still computes: when the isolate is gone, before the loop goes.
  void end();

 private:
  struct State;
  State& state(Loop& loop);

  std::string device_;
  const Globals& globals_;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::app
