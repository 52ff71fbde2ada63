#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/pool_executor.h"
#include "alknet/call/access.h"
#include "alknet/compute/context.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/kernel_times.h"
#include "alknet/compute/models/model_files.h"
#include "alknet/tensor/source.h"

namespace alknet::call {
class Owner;
class OperationContext;
}  // namespace alknet::call

namespace alknet::compute {

class KernelWorkers;
class OwnerState;

/// A right to stream a model: what `compute/open_model` answers.
struct StreamGrant {
  std::string token;
  std::chrono::seconds lifetime{};
};

/// Where the operations find models; the program fills in what it has. Functions are called on the service's file
/// thread and may block. A missing function makes the operations that need it throw `unsupported`. Sources are used on
/// the executor of the caller's dispatcher; one that nobody waits for any more may go on the file thread.
struct ModelAccess {
  /// The model that a catalogue name means. Throws `not_found` naming what there is.
  std::function<std::shared_ptr<tensor::Source>(std::string_view name)> find;

  /// The model behind a stream token, from the peer that granted it; null `peer`: the token says it.
  std::function<std::shared_ptr<tensor::Source>(std::string_view token, const std::string* peer)> open_stream;

  /// The files of the model that a catalogue name means beside its tensors: what `compute/open_model` gives a node that
  /// serves the model too.
  std::function<ModelFiles(std::string_view name)> files;

  /// A token for `caller` to stream a model, which `find` gave under that name.
  std::function<StreamGrant(const std::optional<call::Identity>& caller, std::string_view name,
                            std::shared_ptr<tensor::Source> model)>
      grant_stream;
};

struct ComputeServiceOptions {
  std::string device = {};  ///< Where tensors are made; empty: the machine's default.
  std::size_t threads = 0;  ///< Of the device `cpu`; 0 takes the machine's.

  /// Whether kernels check bounds by themselves. Without, shader source runs only for programs that are `trusted`.
  bool robust = false;
  /// The program's own WebGPU devices, which decide whether they are robust. Null: the service makes some.
  std::shared_ptr<gpu::SharedDevices> gpus = {};
  bool trusted = false;  ///< Programs of this machine may run shader source on a device that is not robust.

  /// What callers must have for each operation of `compute/`, `tensor/` and `model/`; see call::AccessControl.
  std::vector<std::string> compute_scopes = {"compute"};
  std::vector<std::string> model_scopes = {"model"};

  std::size_t max_kernels = 64;                 ///< Registered by one owner.
  std::int64_t max_gradcheck_elements = 2'000;  ///< Of the inputs of one `compute/gradcheck`.
  std::size_t max_sentences = 10'000;           ///< Of one `model/<name>/embed`.
  std::size_t max_tokens = 16'384;              ///< Of one `model/<name>/forward`, padding included.

  /// Whether kernels are timed, for `compute/stats`. Each is then waited for, which makes a GPU slower.
  bool measure_kernels = false;

  ModelAccess models = {};

  /// Where kernels run that callers register in WGSL, other than programs of this machine; null: nowhere.
  std::shared_ptr<KernelWorkers> kernel_workers = {};
};

/// What the compute thread has done since the service began.
struct ComputeTimings {
  std::uint64_t jobs = 0;  ///< Pieces of work that ended.
  double busy_seconds = 0;
  std::uint64_t waiting = 0;  ///< Pieces of work that were posted and have not ended.
};

/// What the compute operations of a program stand on: one thread that all computing happens on, in the order in which
/// calls came, so that each owner's calls keep their order; the devices; for every owner a Context of its own.
///
/// Must outlive the registries, dispatchers and owners that use it. Thread-safe. To end: end the owners, `settle`, then
/// let the dispatchers' executors go, the service last.
class ComputeService {
 public:
  explicit ComputeService(ComputeServiceOptions options = {});
  ~ComputeService();
  ComputeService(const ComputeService&) = delete;
  ComputeService& operator=(const ComputeService&) = delete;

  const ComputeServiceOptions& options() const { return options_; }

  /// The one thread. Tensors, contexts, plans and sessions are touched, also destroyed, only there.
  Executor& compute();

  /// Any thread.
  ComputeTimings timings() const;

  /// A thread for opening files and asking the program for models.
  Executor& files() { return *files_; }

  /// Only on the compute thread: a context on the default device, whose kernels are added to `times` where the options
  /// ask for it. Throws what opening the device throws.
  Context make_context(const std::shared_ptr<KernelTimes>& times);

  /// What kernels of the models took that the service serves to all.
  const std::shared_ptr<KernelTimes>& model_times() const { return model_times_; }

  const std::shared_ptr<BufferManager>& buffers() const { return buffers_; }
  const std::shared_ptr<Devices>& devices() const { return devices_; }

  /// Backends opened so far: the default one, and those that tensors were moved to. Only on the compute thread.
  std::vector<std::shared_ptr<Backend>> backends() const;
  void note_backend(const std::shared_ptr<Backend>& backend);

  /// What is kept for the owner of a call, made at its first use; it ends with the owner's resources. On the
  /// dispatcher's executor.
  std::shared_ptr<OwnerState> owner(call::OperationContext& context);

  /// The same, null when there is none yet.
  std::shared_ptr<OwnerState> known_owner(call::OperationContext& context);

  /// Waits until everything that was posted to both threads so far has run, also what it posts to executors of others:
  /// those may go then, when no calls run. Not to be called on one of these threads.
  void settle();

  /// Destroys `thing` on the compute thread.
  template <typename Thing>
  void release(Thing thing) {
    compute().post([thing = std::move(thing)]() mutable {});
  }

 private:
  friend class OwnerState;
  void forget(const call::Owner* owner, const OwnerState* state);
  std::shared_ptr<OwnerState> find(call::Owner& owner) const;  // with the mutex held

  struct KnownOwner {
    std::string handle;  // of the state in the owner's table
    const OwnerState* state;
  };

  const ComputeServiceOptions options_;
  std::shared_ptr<BufferManager> buffers_;
  std::shared_ptr<Devices> devices_;
  const std::shared_ptr<KernelTimes> model_times_ = std::make_shared<KernelTimes>();
  std::shared_ptr<Backend> backend_;                       // compute thread
  std::map<std::string, std::shared_ptr<Backend>> by_id_;  // compute thread
  std::mutex mutex_;                                       // guards what follows
  std::map<const call::Owner*, KnownOwner> owners_;
  // Last, so that what they still run finds everything else alive.
  std::unique_ptr<PoolExecutor> files_;
  class MeasuredThread;
  std::unique_ptr<MeasuredThread> compute_;
};

}  // namespace alknet::compute
