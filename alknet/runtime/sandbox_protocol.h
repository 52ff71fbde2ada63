#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/call/operation.h"
#include "alknet/runtime/module_tree.h"

// What a host and the helper that runs scripts for it say to each other, beside the helper's own calls: the operations
// of the helper. Both sides speak the call protocol (docs/call-protocol.md) over a socket pair, with `parent`.

namespace alknet::runtime {

/// `isolate/session`: makes an isolate and runs a module in it. The items are the events of SandboxEvent; it completes
/// when the script has nothing more to do, unless it is to `keep` serving. Aborting it frees the isolate. One at a
/// time.
inline constexpr std::string_view kSessionOperation = "isolate/session";

/// `isolate/invoke`: runs an operation that the session registered. One item for a query or mutation.
inline constexpr std::string_view kInvokeOperation = "isolate/invoke";

/// `isolate/ping`: answers as soon as no script runs.
inline constexpr std::string_view kPingOperation = "isolate/ping";

/// The code of the error that ends a session whose script threw; details are those of ScriptError.
inline constexpr std::string_view kScriptError = "SCRIPT_ERROR";

/// The most that a session may take; what a script cannot pass without an error.
struct SandboxLimits {
  std::uint64_t memory_bytes = std::uint64_t{64} << 20;  ///< of the script heap
  std::uint64_t stack_bytes = std::uint64_t{512} << 10;
  std::uint32_t timers = 1'000;
  std::uint32_t open_calls = 256;
  std::uint32_t jobs = 1'000'000;                       ///< promise reactions and microtasks that run in one turn
  std::uint64_t output_bytes = std::uint64_t{1} << 20;  ///< printed and otherwise told to the host, in all

  /// Each no more than that of `most`.
  SandboxLimits at_most(const SandboxLimits& most) const;

  Json to_json() const;
  /// Members that are missing stay as they are by default. Throws `invalid_input`.
  static SandboxLimits from_json(const Json& value);
};

/// The input of `isolate/session`.
struct SessionRequest {
  std::string name;    ///< of the module: "script.ts" decides how it is read, and stands in stack traces
  std::string source;  ///< text, never bytecode
  std::map<std::string, std::string> modules;   ///< texts of files that it may import, by name (module_path)
  std::map<std::string, std::string> left_out;  ///< names of files that it is not given, and why
  std::vector<std::string> operations;          ///< `envProxy`, for the script to see; the host checks by itself
  SandboxLimits limits;
  bool keep = false;  ///< goes on serving its operations when the script has ended

  /// This script, with its files.
  void take(ModuleTree tree);

  Message to_message() const;
  /// Throws `invalid_input`.
  static SessionRequest from_json(const Json& value);
};

/// An item of `isolate/session`: {"event": KIND, ...}.
struct SandboxEvent {
  enum class Kind {
    kReady,      ///< the module was evaluated, top-level await included
    kOutput,     ///< `text` was printed, with its line end; `error` when to standard error
    kOperation,  ///< `spec` was registered; its handler asks to reach `environment`
    kRemoved,    ///< the operation `text` was taken back
  };
  Kind kind = Kind::kReady;
  std::string text = {};
  bool error = false;
  Json spec = nullptr;
  std::vector<std::string> environment = {};

  Json to_json() const;
  /// Throws `protocol_error`.
  static SandboxEvent from_json(const Json& value);
};

/// The name of the limit of a session that `error` says was reached, as its script was told and let through; empty:
/// it is about something else. Memory and time have codes of their own.
std::string limit_reached(const Error& error);

/// What an item counts toward `output_bytes`: printed text as it is, everything else by the texts, names and values of
/// the item, known or not; at least 1.
std::uint64_t output_size(const Json& item);

/// The specs of the operations above, in this order. Input and output of `isolate/invoke` carry the bytes of the
/// wrapped message in a list of their own: {"operation", "input", "bytes"} and {"output", "bytes"} or {"error"}.
std::vector<call::OperationSpec> sandbox_specs();

/// A message as the object {MEMBER: value, "bytes": [...]}, with its byte buffers, and back. `unwrap` throws
/// `protocol_error`.
Message wrap(JsonObject outer, std::string_view member, Message inner);
Message unwrap(Message outer, std::string_view member);

}  // namespace alknet::runtime
