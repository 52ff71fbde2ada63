#pragma once

#include <quickjs.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "alknet/runtime/isolate.h"

namespace alknet::runtime {

/// What others hold of an isolate that may end before them.
struct IsolateLink {
  std::mutex mutex;              ///< guards `executor`
  Executor* executor = nullptr;  ///< null once the isolate has ended
  Isolate* isolate = nullptr;    ///< of the isolate's thread; null once it has ended
  std::size_t pending = 0;       ///< of the isolate's thread; PendingWork that lives
};

/// The engine and what belongs to it. Lives until the isolate has ended and the last Value outside of script is gone.
struct IsolateState {
  JSRuntime* runtime = nullptr;
  JSContext* context = nullptr;  ///< null once the isolate has ended
  Isolate* isolate = nullptr;
  IsolateOptions options;
  std::shared_ptr<IsolateLink> link = std::make_shared<IsolateLink>();
  std::stop_source stop;

  std::size_t values = 0;   ///< Values that own a reference, also those of native objects
  int depth = 0;            ///< of calls into script under way
  bool ending = false;      ///< the engine is being freed
  bool describing = false;  ///< what script threw is asked for its members, which may throw too
  bool jobs_scheduled = false;
  bool compiling = false;  ///< imports lead to empty modules: nothing will run

  std::vector<NativeFunction> functions;  ///< by the number that the engine keeps with a function
  std::unordered_map<NativeFunction, int> function_numbers;
  JSClassID native_class = JS_INVALID_CLASS_ID;
  std::unordered_set<NativeObject*> natives;

  /// Functions of the standard as they were before any script ran, which scripts may replace for others.
  struct Intrinsics {
    Value view_buffer, view_offset, view_length;  ///< getters of DataView.prototype
    Value transfer;                               ///< ArrayBuffer.prototype.transfer
  } intrinsics;

  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::atomic<bool> interrupted = false;

  std::vector<std::pair<Value, Value>> rejections;  ///< promises that nobody handles so far, with their reasons
  std::optional<Error> uncaught;
  Callback on_idle;

  struct Pending {
    Value promise, resolve, reject;
    PendingWork work;
  };
  std::map<std::uint64_t, Pending> promises;  ///< of Deferred
  std::uint64_t last_promise = 0;

  /// True when script must end now; also asks the clock.
  bool must_stop();

  /// The number of a native function, for the engine.
  int number_of(NativeFunction function);

  /// Makes `error` the engine's pending exception; returns the engine's mark of one. A timeout cannot be caught by
  /// script.
  JSValue raise(const std::exception& error) noexcept;

  /// Sees to it that pending jobs run in a turn of their own, where there is an executor.
  void schedule_jobs();

  void report(const ScriptError& error);
  void report_rejections();
  void end_turn();

  /// Frees the engine, and this, when the isolate has ended and no Value outside of script is left.
  void free_if_unused();
};

}  // namespace alknet::runtime
