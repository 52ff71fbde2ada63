#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/native.h"
#include "alknet/runtime/value.h"

namespace alknet::runtime {

/// What an import leads to.
struct ModuleSource {
  enum class Kind {
    kScript,    ///< an ECMAScript module as text
    kJson,      ///< JSON text, the default export
    kBytecode,  ///< a module that our own build compiled; never anything from outside
    kNative,    ///< the NativeModule of that name
  };
  Kind kind = Kind::kScript;
  SharedBytes content;
  std::string url;    ///< `import.meta.url`; empty: none
  std::string path;   ///< of a file: `import.meta.filename`, its folder `import.meta.dirname`; empty: none
  bool main = false;  ///< `import.meta.main` of a file: it is the one that was started
};

/// Finds modules. Called on the isolate's thread, while script waits.
class ModuleResolver {
 public:
  virtual ~ModuleResolver() = default;

  /// The one name of what `specifier` means inside the module named `referrer` (empty: none).
  /// Throws Error `module_not_found`.
  virtual std::string resolve(std::string_view specifier, std::string_view referrer) = 0;

  /// The module of a name that `resolve` gave. Throws `module_not_found` or `module_invalid`.
  virtual ModuleSource load(const std::string& name) = 0;
};

/// The most that a script may take. What is not set is not limited.
struct IsolateLimits {
  std::optional<std::size_t> memory_bytes;  ///< of the script heap
  std::size_t stack_bytes = 1 << 20;        ///< of the native stack, counted from the call into the isolate
  std::optional<std::size_t> timers;        ///< that wait at once
  std::optional<std::size_t> open_calls;    ///< operations called and not ended
  std::optional<std::size_t> output_bytes;  ///< printed in all
  std::optional<std::size_t> jobs;          ///< promise reactions and microtasks that run in one turn
};

struct IsolateOptions {
  /// Where timers and answers of operations come back; null: nothing does, and jobs run only in `pump_jobs`. All calls
  /// of the isolate must be made on this executor's thread.
  Executor* executor = nullptr;
  IsolateLimits limits;
  std::shared_ptr<ModuleResolver> resolver;  ///< null: only native modules can be imported
  std::vector<NativeModule> modules;

  /// Told of what nobody caught: a rejected promise, an exception in a timer. Null: kept for `take_uncaught`.
  std::function<void(const ScriptError&)> on_uncaught;
};

/// How the memory of an isolate is used, in bytes.
struct IsolateMemory {
  std::size_t allocated = 0;
  std::size_t objects = 0;  ///< a count
};

/// One JavaScript engine (QuickJS-NG): a heap, a global object, modules and pending jobs of its own.
///
/// It is used on one thread at a time, with an executor on that executor's. Only `interrupt` and WeakIsolate are for
/// other threads. Ending it drops its timers and pending promises; tasks that it started are asked to stop.
class Isolate {
 public:
  explicit Isolate(IsolateOptions options = {});
  ~Isolate();
  Isolate(const Isolate&) = delete;
  Isolate& operator=(const Isolate&) = delete;

  Realm realm();
  const IsolateLimits& limits() const;
  Executor* executor() const;

  /// Runs `source` as a classic script; the value of its last statement.
  Value eval(std::string_view source, std::string_view name = "eval");

  /// The same, with `await` at the top level; gives a promise of that value. For scripts that are typed line by line.
  Value eval_async(std::string_view source, std::string_view name = "eval");

  /// Runs `source` as a module named `name`, from where its imports are resolved; `main` is its `import.meta.main`.
  /// Gives a promise of its namespace object, which waits for top-level await; its rejection is for the caller to see,
  /// never uncaught.
  Value eval_module(std::string_view source, std::string_view name, bool main = true);

  /// Imports as `import(specifier)` in the module `referrer` does; gives a promise of the namespace object.
  Value import_module(std::string_view specifier, std::string_view referrer = {});

  /// Calls the function `name` of the global object with `arguments`.
  Value call(std::string_view name, std::span<const Value> arguments = {});

  /// What reading the bytecode of modules has taken so far.
  std::chrono::nanoseconds bytecode_time() const;

  /// Compiles a module to bytecode for ModuleSource::Kind::kBytecode, for the tool that builds our bundles: an isolate
  /// that did this is good for nothing else.
  SharedBytes compile_module(std::string_view source, std::string_view name);

  /// Runs pending jobs (promise reactions) until none is left or `most` have run; how many did. A job's exception is
  /// uncaught. With an executor this happens by itself after each turn.
  std::size_t pump_jobs(std::size_t most = SIZE_MAX);
  bool has_jobs() const;

  /// Calls `body` as one turn of the event loop: what it throws is uncaught, then all jobs run. For callbacks that come
  /// from outside script. On the isolate's thread.
  void run_turn(const std::function<void(Realm)>& body);

  /// The time when script is ended by Error `timeout`, which script cannot catch; none: never. It holds for all that
  /// runs from now on.
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline);

  /// Ends what runs now as a passed deadline does, until `set_deadline` is called again. Any thread.
  void interrupt();
  bool interrupted() const;

  /// The first error that nobody caught since the last call.
  std::optional<Error> take_uncaught();

  /// True when nothing more can happen: no job, no timer, no operation under way (no PendingWork).
  bool idle() const;

  /// Calls `then` once, as soon as the isolate is idle, at the end of a turn. Needs an executor.
  void when_idle(Callback then);

  IsolateMemory memory() const;
  void collect_garbage();

  /// Requested when the isolate ends; for tasks that work for script.
  std::stop_token stop_token() const;

  IsolateState& state() { return *state_; }

 private:
  void begin();

  IsolateState* state_;
};

/// Keeps `Isolate::idle` false as long as it lives: something is under way that will come back to script. May outlive
/// the isolate. On the isolate's thread.
class PendingWork {
 public:
  PendingWork() = default;
  explicit PendingWork(Realm realm);
  PendingWork(PendingWork&& other) noexcept : isolate_(std::move(other.isolate_)) {}
  PendingWork& operator=(PendingWork&& other) noexcept {
    std::swap(isolate_, other.isolate_);
    return *this;
  }
  ~PendingWork();

 private:
  std::shared_ptr<struct IsolateLink> isolate_;
};

/// A way to an isolate that may have ended. Any thread; copies are equal.
class WeakIsolate {
 public:
  WeakIsolate() = default;
  explicit WeakIsolate(Realm realm);

  /// Runs `body` as a turn of the isolate, soon, on its executor; does nothing when it has ended by then or has no
  /// executor.
  void post(std::function<void(Realm)> body) const;

  /// The isolate, or null when it has ended. On its thread only.
  Isolate* get() const;

 private:
  std::shared_ptr<struct IsolateLink> link_;
};

}  // namespace alknet::runtime
