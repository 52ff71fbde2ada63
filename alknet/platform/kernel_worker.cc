#include "alknet/platform/kernel_worker.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/confinement.h"
#include "alknet/call/connection.h"
#include "alknet/call/descriptor_transport.h"
#include "alknet/call/error.h"
#include "alknet/call/registry.h"
#include "alknet/gpu/error.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/helper_process.h"

namespace alknet::platform {

namespace {

/// Beyond the deadline here, so that it is the watchdog who ends a call.
constexpr std::chrono::seconds kSpare{60};

constexpr std::chrono::milliseconds kReapEvery{10};

/// How long a call may wait, beyond its deadline, for a GPU that a killed process still holds.
constexpr std::chrono::seconds kRelease{30};

/// Of what belongs to no call: the program that we start sends none.
constexpr std::uint64_t kStrayFrames = 16;

/// What says where drivers and libraries are. None of it is a secret.
constexpr const char* kInherited[] = {
    "ALKNET_DEPS_DIR", "ALKNET_WEBGPU",    "ALKNET_WEBGPU_LIBRARY",     "LD_LIBRARY_PATH",
    "VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_DIRS", "__EGL_VENDOR_LIBRARY_FILENAMES"};

/// No caches on disk: a kernel of one owner must not find what another's left. No window system either.
constexpr const char* kSettings[] = {"ALKNET_PIPELINE_CACHE=off", "MESA_SHADER_CACHE_DISABLE=true",
                                     "__GL_SHADER_DISK_CACHE=0", "NODEVICE_SELECT=1"};

std::vector<std::string> worker_environment() {
  std::vector<std::string> environment(std::begin(kSettings), std::end(kSettings));
  for (const char* name : kInherited) {
    if (const char* value = std::getenv(name)) environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

Error lost_because(std::string_view reason, std::string why) {
  return {gpu::GpuError::kDeviceLost,
          fmt::format("[kernels] the worker process of this caller's kernels {}: its kernels and their results are "
                      "gone; register the kernels again, which starts another",
                      why),
          JsonObject{{"reason", reason}}};
}

Error ended_by(const runtime::HelperEnd& how) {
  if (how.signal == 0 && how.status == kStatusUnsupported) {
    return {runtime::RuntimeError::kSandboxUnavailable,
            "[kernels] this machine cannot confine a worker process: `alknet-worker` on the command line says why; "
            "programs of your own run kernels by `alknet run`"};
  }
  if (how.signal == 0 && how.status == kStatusOutOfMemory) {
    return lost_because("memory", "took all the memory that it may have");
  }
  return lost_because("ended", how.text());
}

}  // namespace

struct KernelWorkerHost::State {
  State(Loop& on, KernelWorkerOptions with) : loop(on), options(std::move(with)) {
    program.path =
        options.program.empty() ? runtime::helper_program("alknet-worker", "ALKNET_WORKER_PROGRAM") : options.program;
    program.arguments = {fmt::format("--memory={}", options.memory), fmt::format("--device={}", options.device)};
    program.environment = worker_environment();
    program.diagnostics = options.diagnostics;
  }

  Loop& loop;
  const KernelWorkerOptions options;
  runtime::HelperProgram program;
  std::atomic<std::size_t> workers = 0;
  /// When a process that was killed was last seen. A driver may take seconds to stop what it computed, and the GPU does
  /// nothing else until then. On the loop's thread.
  Executor::Clock::time_point seen_ending;
};

namespace {

using HostState = KernelWorkerHost::State;

/// A process that was killed: reaped when it has ended, so that nobody waits for it. Holds its place among the workers
/// until then.
class Ending : public std::enable_shared_from_this<Ending> {
 public:
  Ending(std::shared_ptr<HostState> host, runtime::HelperProcess process)
      : host_(std::move(host)), process_(std::move(process)) {}
  ~Ending() { --host_->workers; }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  void watch() {
    if (process_.ended()) return;
    host_->seen_ending = host_->loop.now();
    host_->loop.post_after(kReapEvery, [self = shared_from_this()] { self->watch(); });
  }

 private:
  std::shared_ptr<HostState> host_;
  runtime::HelperProcess process_;
};

/// One process, its link, and the calls that wait for it. On the loop's thread, but for `lost`.
class WorkerState : public std::enable_shared_from_this<WorkerState> {
 public:
  WorkerState(std::shared_ptr<HostState> host, runtime::HelperProcess process)
      : host_(std::move(host)), process_(std::move(process)) {}
  ~WorkerState() {
    if (process_) --host_->workers;
  }
  WorkerState(const WorkerState&) = delete;
  WorkerState& operator=(const WorkerState&) = delete;

  struct Waiting {
    compute::WorkerCall call;
    Completion<Message> done = {};
    std::uint64_t bytes = 0;  // of the input
  };

  void open() {
    call::ConnectionOptions options;
    options.logger = host_->options.logger;
    options.sandbox_link = true;  // both features from the start
    options.start_nested = [weak = weak_from_this()](std::string_view, const call::CallRequest&, const auto&) {
      if (const auto self = weak.lock()) self->asked();
      return call::CallHandle();
    };
    options.limits.inbound_calls = 1;
    options.limits.calls_per_second = 1;
    options.limits.stray_frames = kStrayFrames;
    options.limits.attachment_bytes = host_->options.memory;
    options.limits.bytes_in_flight = host_->options.memory + options.limits.frame;
    options.limits.bytes_unsent = options.limits.bytes_in_flight;
    connection_ = call::Connection::open(
        host_->loop, call::make_descriptor_transport(host_->loop, process_->take_link()), nullptr, nullptr, options);
    connection_->on_close([weak = weak_from_this()](const Error&) {
      if (const auto self = weak.lock()) self->closed();
    });
  }

  void push(Waiting call) {
    auto refusal = lost();
    if (!refusal) refusal = too_much(call);
    if (refusal) {
      call.done.set_error(std::make_exception_ptr(*refusal));
      return;
    }
    waiting_bytes_ += call.bytes;
    waiting_.push_back(std::move(call));
    next();
  }

  /// From now on it is lost, because of `why` when it was not before. Any thread; `end` is to follow.
  void lose(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (!lost_) lost_ = why;
  }

  /// Kills it; what waits gets the error of `lost`, and so does who comes later.
  void end() {
    if (std::exchange(ended_, true)) return;
    const Error why = *lost();
    if (timer_) host_->loop.cancel(*std::exchange(timer_, std::nullopt));
    process_->kill();
    connection_->close();
    std::make_shared<Ending>(host_, std::move(*std::exchange(process_, std::nullopt)))->watch();
    for (Waiting& call : std::exchange(waiting_, {})) call.done.set_error(std::make_exception_ptr(why));
  }
  void end(const Error& why) {
    lose(why);
    end();
  }

  std::optional<Error> lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

  Loop& loop() const { return host_->loop; }

 private:
  /// Sends the first that waits, when nothing runs. It stays in front until its answer.
  void next() {
    if (running_ || waiting_.empty()) return;
    running_ = true;
    compute::WorkerCall& call = waiting_.front().call;
    const auto limit = call.deadline == compute::WorkerDeadline::kDispatch ? host_->options.dispatch_deadline
                                                                           : host_->options.setup_deadline;
    began_ = host_->loop.now();
    watch_deadline(limit, limit);
    call::CallOptions options;
    options.timeout = limit + kSpare;
    options.known = call.operation;
    options.answer_bytes = call.answer_bytes;
    auto task = connection_->call(call.operation->spec().name, std::move(call.input), std::move(options));
    alknet::start(host_->loop, std::move(task), [weak = weak_from_this()](Outcome<Message> outcome) {
      if (const auto self = weak.lock()) self->answered(std::move(outcome));
    });
  }

  void answered(Outcome<Message> outcome) {
    if (lost()) return;
    if (!outcome.ok() && connection_->closed()) return closed();
    host_->loop.cancel(*std::exchange(timer_, std::nullopt));
    Waiting call = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= call.bytes;
    running_ = false;
    if (outcome.ok()) {
      call.done.set_value(outcome.take());
    } else {
      call.done.set_error(outcome.error());
    }
    next();
  }

  void watch_deadline(std::chrono::milliseconds limit, Executor::Clock::duration wait) {
    timer_ = host_->loop.post_after(wait, [weak = weak_from_this(), limit] {
      if (const auto self = weak.lock()) self->overrun(limit);
    });
  }

  void overrun(std::chrono::milliseconds limit) {
    // The time in which a killed process held the GPU is not this one's.
    const auto deadline = std::min(std::max(began_, host_->seen_ending), began_ + kRelease) + limit;
    if (const auto now = host_->loop.now(); now < deadline) return watch_deadline(limit, deadline - now);
    const std::string what = waiting_.front().call.what;
    host_->options.logger.warning("a kernel worker was ended at its deadline", {{"what", what}});
    end(lost_because("deadline",
                     fmt::format("was ended, because {} took longer than {}: give each call less to do", what, limit)));
  }

  /// Why it cannot be sent or wait: nobody counts what a caller who gives up leaves behind.
  std::optional<Error> too_much(const Waiting& call) const {
    const std::uint64_t limit = host_->options.memory;
    if (call.bytes > limit) {
      return Error(call::CallError::kResourceExhausted,
                   fmt::format("[kernels] operands of {} bytes are more than the {} that the process of a caller's "
                               "kernels holds: dispatch on parts of them",
                               call.bytes, limit),
                   JsonObject{{"limit", "bytes"}});
    }
    if (waiting_.empty() || call.bytes <= limit - std::min(limit, waiting_bytes_)) return std::nullopt;
    return Error(call::CallError::kResourceExhausted,
                 fmt::format("[kernels] operands of {} bytes wait for this caller's kernels already: wait for their "
                             "results before dispatching more",
                             waiting_bytes_),
                 JsonObject{{"limit", "kernel_worker_queue"}});
  }

  /// The process called us, which the program that we started never does.
  void asked() {
    lose(lost_because("ended", "was ended, because it made calls of its own"));
    host_->loop.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
  }

  /// The link ended before us: so did the process, or it will now. Nobody waits for that but who polls.
  void closed() {
    if (ended_) return;
    process_->kill();
    if (!process_->ended()) {
      host_->loop.post_after(kReapEvery, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->closed();
      });
      return;
    }
    const runtime::HelperEnd how = process_->reap();
    host_->options.logger.warning("a kernel worker ended", {{"how", how.text()}});
    end(ended_by(how));
  }

  const std::shared_ptr<HostState> host_;
  std::optional<runtime::HelperProcess> process_;
  std::shared_ptr<call::Connection> connection_;
  std::deque<Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  std::optional<TimerId> timer_;
  Executor::Clock::time_point began_;  // of what runs
  bool running_ = false;
  bool ended_ = false;
  mutable std::mutex mutex_;
  std::optional<Error> lost_;
};

class Worker final : public compute::KernelWorker {
 public:
  explicit Worker(std::shared_ptr<WorkerState> state) : state_(std::move(state)) {}
  ~Worker() override { Worker::end("was ended"); }

  Task<Message> call(compute::WorkerCall call) override { return run(state_, waiting(std::move(call))); }

  void tell(compute::WorkerCall call) override { push(state_, waiting(std::move(call))); }

  void end(std::string_view why) override {
    state_->lose(lost_because("ended", std::string(why)));
    state_->loop().post([state = state_] { state->end(); });
  }

  std::optional<Error> lost() const override { return state_->lost(); }

 private:
  static WorkerState::Waiting waiting(compute::WorkerCall call) {
    std::uint64_t bytes = 0;
    for (const SharedBytes& each : call.input.bytes) bytes += each.size();
    return {std::move(call), {}, bytes};
  }

  static void push(const std::shared_ptr<WorkerState>& state, WorkerState::Waiting call) {
    state->loop().post([state, call = std::move(call)]() mutable { state->push(std::move(call)); });
  }

  static Task<Message> run(std::shared_ptr<WorkerState> state, WorkerState::Waiting call) {
    const Completion<Message> done = call.done;
    push(state, std::move(call));
    co_return co_await done.wait();
  }

  std::shared_ptr<WorkerState> state_;
};

std::shared_ptr<compute::KernelWorker> start_worker(const std::shared_ptr<HostState>& host) {
  const KernelWorkerOptions& options = host->options;
  if (host->workers >= options.max_workers) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("[kernels] {} worker processes run kernels already: wait until another caller has ended",
                            options.max_workers),
                JsonObject{{"limit", "kernel_workers"}});
  }
  runtime::HelperProcess process(host->program);
  ++host->workers;
  auto state = std::make_shared<WorkerState>(host, std::move(process));
  state->open();
  return std::make_shared<Worker>(std::move(state));
}

Task<std::shared_ptr<compute::KernelWorker>> start_on_loop(std::shared_ptr<HostState> host) {
  auto start = [host] { return start_worker(host); };
  co_return co_await run_on(host->loop, std::move(start));
}

}  // namespace

KernelWorkerHost::KernelWorkerHost(Loop& loop, KernelWorkerOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

KernelWorkerHost::~KernelWorkerHost() = default;

Task<std::shared_ptr<compute::KernelWorker>> KernelWorkerHost::start() { return start_on_loop(state_); }

std::size_t KernelWorkerHost::workers() const { return state_->workers; }

}  // namespace alknet::platform
