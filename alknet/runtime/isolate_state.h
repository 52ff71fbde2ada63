#pragma once

#include <quickjs.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "alknet/runtime/engine_heap.h"
#include "alknet/runtime/isolate.h"

namespace alknet::runtime {

/// What others hold of an isolate that may end before them.
struct IsolateLink : std::enable_shared_from_this<IsolateLink> {
  /// Guards `executor`, `ended` and `returned`, and the engine from when the isolate has ended. What the engine frees
  /// may need it again.
  std::recursive_mutex mutex;
  Executor* executor = nullptr;  ///< null once the isolate has ended
  bool ended = false;            ///< the engine, if it lives, is used under the lock only

  /// What holds memory of the engine that others had (`take_bytes`) and want no more; freed on the isolate's thread.
  std::vector<std::unique_ptr<Value>> returned;

  Isolate* isolate = nullptr;  ///< of the isolate's thread; null once it has ended
  std::size_t pending = 0;     ///< of the isolate's thread; PendingWork that lives

  /// Takes back a Value whose memory others had. Any thread.
  void give_back(std::unique_ptr<Value> value);

  /// Frees what was given back. On the isolate's thread.
  void free_returned();
};

struct IsolateState;

/// What the engine keeps for C++ beside native objects: it deletes this when it frees the value that has it.
class EngineKept {
 public:
  explicit EngineKept(IsolateState& state);
  EngineKept(const EngineKept&) = delete;
  EngineKept& operator=(const EngineKept&) = delete;
  virtual ~EngineKept();

 private:
  IsolateState& state_;
};

/// The engine and what belongs to it. Lives until the isolate has ended and the last Value outside of script is gone.
struct IsolateState {
  EngineHeap heap;
  JSRuntime* runtime = nullptr;
  JSContext* context = nullptr;  ///< null once the isolate has ended
  Isolate* isolate = nullptr;
  IsolateOptions options;
  std::shared_ptr<IsolateLink> link = std::make_shared<IsolateLink>();
  std::stop_source stop;

  std::size_t values = 0;  ///< Values that own a reference, also those of native objects
  int depth = 0;           ///< of calls into script under way
  std::size_t lent = 0;    ///< of the values, those that others have until they give them back
  enum class Phase {
    kRuns,
    kEnds,     ///< the isolate ends: nobody but it touches the engine
    kEnded,    ///< Values outside of script keep the engine: it is used under the link's lock
    kFreed,    ///< the engine is being freed
    kDropped,  ///< its memory is being freed as a whole: references count no longer
  } phase = Phase::kRuns;
  bool describing = false;  ///< what script threw is asked for its members, which may throw too
  bool jobs_scheduled = false;
  std::chrono::nanoseconds bytecode_time{};
  bool compiling = false;  ///< imports lead to empty modules: nothing will run

  std::vector<NativeFunction> functions;  ///< by the number that the engine keeps with a function
  std::unordered_map<NativeFunction, int> function_numbers;
  JSClassID native_class = JS_INVALID_CLASS_ID;
  std::unordered_set<NativeObject*> natives;
  std::unordered_set<EngineKept*> kept;

  /// What the standard gives, as it was before any script ran, which scripts may replace for others.
  struct Intrinsics {
    Value view_buffer, view_offset, view_length;  ///< getters of DataView.prototype
    Value transfer;                               ///< ArrayBuffer.prototype.transfer
    std::array<Value, 5> errors;                  ///< constructors by ErrorType
    Value internal_error;                         ///< the engine's constructor of errors that are not the script's
    Value is_array;                               ///< Array.isArray
    Value boolean_value, bigint_value;            ///< valueOf of their prototypes
    std::array<Value, 3> symbols;                 ///< by WellKnownSymbol
  } intrinsics;

  /// Of the objects that stand for a primitive value, and of JSON.rawJSON.
  struct Classes {
    JSClassID number, string, boolean, bigint, raw_json;
  } classes{};

  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::atomic<bool> interrupted = false;

  std::vector<std::pair<Value, Value>> rejections;  ///< promises that nobody handles so far, with their reasons
  std::optional<Error> uncaught;
  Callback on_idle;

  struct Pending {
    PromiseCapability settle;
    PendingWork work;
  };
  std::map<std::uint64_t, Pending> promises;  ///< of Deferred
  std::uint64_t last_promise = 0;

  /// An engine whose memory can be given back as this isolate's end does; null without memory.
  JSRuntime* new_engine();

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

  /// Lets script take `more` bytes than its limit.
  void limit_memory(std::size_t more);

  /// For Values: one more reference, one less. The last one after the isolate's end frees the engine, and this.
  void hold(JSValueConst value);
  void drop(JSValueConst value);

  /// The isolate ends: frees the engine, and this, unless Values outside of script are left.
  void end();

 private:
  /// No Value is left but those of native objects and, if `but_lent`, those that others have.
  bool unused(bool but_lent) const;
  void free_engine();
  void drop_engine();
};

}  // namespace alknet::runtime
