#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/gpu/shared_devices.h"
#include "alknet/runtime/native.h"
#include "apps/alknet/command.h"
#include "apps/alknet/program_links.h"

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

  /// The module "alknet:gpu": tensors as GPUBuffers and back.
  runtime::NativeModule gpu_module(Loop& loop);

  /// The devices that operations and navigator.gpu share.
  const std::shared_ptr<gpu::SharedDevices>& gpus() const { return gpus_; }

  /// Offers peers and files of operations too; ends when they are there. Throws as ProgramLinks. `options` must outlive
  /// the task.
  Task<void> open_links(Loop& loop, const ProgramLinkOptions& options);

  /// What making the operations has taken; zero when nothing needed them.
  std::chrono::nanoseconds making_time() const { return making_time_; }

  /// What looking for devices to compute on and acquiring them has taken so far.
  std::chrono::nanoseconds devices_time() const;

  /// Ends all calls and waits for what still computes: when the isolate is gone, before the loop goes.
  void end();

 private:
  struct State;
  State& state(Loop& loop);

  std::shared_ptr<gpu::SharedDevices> gpus_;
  std::string device_;
  const Globals& globals_;
  std::unique_ptr<State> state_;
  std::chrono::nanoseconds making_time_{};
};

}  // namespace alknet::app
