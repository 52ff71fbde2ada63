#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/runtime/event_queue.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/resolver.h"
#include "alknet/runtime/sandbox_protocol.h"

namespace alknet::sandbox {

/// One script in an isolate of its own, and what it says and registers as events. On the loop's thread.
class ScriptSession {
 public:
  /// Runs the script as soon as the caller gives way, until `deadline`. `modules` are what it can import beside the
  /// built-in packages.
  ScriptSession(Loop& loop, runtime::SessionRequest request, std::vector<runtime::NativeModule> modules,
                std::optional<Executor::Clock::time_point> deadline, runtime::EventQueue events);
  ~ScriptSession();
  ScriptSession(const ScriptSession&) = delete;
  ScriptSession& operator=(const ScriptSession&) = delete;

  /// Starts the script. Call once, in a turn of the loop.
  void run();

  runtime::Isolate& isolate() { return isolate_; }

 private:
  static Task<void> evaluate(ScriptSession& self);
  void ready();
  void say(std::string text, bool error);  // to standard output or error
  void log(std::string line);              // the same for its log, which no exception of the script can hold up

  Loop& loop_;
  const runtime::SessionRequest request_;
  runtime::EventQueue events_;
  const std::shared_ptr<runtime::ScriptResolver> resolver_;
  runtime::Isolate isolate_;
  std::stop_source stop_;
  bool ready_ = false;
  std::uint64_t logged_ = 0;  // bytes
};

/// What a session's host is told of `error`, which ended its script: `timeout`, `resource_exhausted` with its limit, or
/// the domain error SCRIPT_ERROR with name, message and stack.
Error session_error(const std::exception& error);

}  // namespace alknet::sandbox
