#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/call/dispatcher.h"
#include "alknet/compute/operations/service.h"
#include "alknet/platform/kernel_worker.h"
#include "tests/sandbox/hostile_corpus.h"

namespace alknet::hostile {

/// All kernels of a folder (tests/hostile_kernels), by name: WGSL that takes f32 x [256] and makes f32 y [256] in 4
/// workgroups. Their first lines are those of a Script; what they expect is completed or a code.
std::vector<Script> kernels_in(const std::filesystem::path& folder);

/// A node that runs kernels of callers, on the loop of the calling thread.
class KernelHost {
 public:
  explicit KernelHost(std::chrono::milliseconds deadline = std::chrono::milliseconds(100));
  ~KernelHost();
  KernelHost(const KernelHost&) = delete;
  KernelHost& operator=(const KernelHost&) = delete;

  /// Why there is no GPU to run them on; empty when there is one.
  static std::string reason();

  /// A new caller registers the kernel, which does not count, and dispatches and reads it, which does, until its answer
  /// is there and, when its process was ended, that is gone.
  Outcome run(const Script& kernel);

  /// Whether the node still answers: an honest kernel of another caller gives the right numbers, and tensors of a
  /// caller that was there from the start are what they were.
  bool unharmed();

  std::size_t workers() const { return workers_->workers(); }

 private:
  Message call(const std::shared_ptr<call::Owner>& owner, std::string operation, Json input);
  Json dispatch(const std::shared_ptr<call::Owner>& owner, const std::string& name);
  void register_kernel(const std::shared_ptr<call::Owner>& owner, const Script& kernel);
  void end(const std::shared_ptr<call::Owner>& owner);
  void wait_until_gone();

  Loop loop_;
  std::shared_ptr<platform::KernelWorkerHost> workers_;
  std::unique_ptr<compute::ComputeService> service_;
  std::shared_ptr<call::Registry> registry_ = std::make_shared<call::Registry>();
  std::unique_ptr<call::Dispatcher> dispatcher_;
  std::shared_ptr<call::Owner> bystander_;
  Json bystanders_tensor_;
};

}  // namespace alknet::hostile
