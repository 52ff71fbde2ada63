#pragma once

#include <functional>
#include <memory>
#include <string>

#include "alknet/call/caller.h"
#include "alknet/call/dispatcher.h"
#include "alknet/call/operation.h"
#include "alknet/call/registry.h"
#include "alknet/runtime/native.h"

// Script and the registry: script calls operations, and functions of script are operations.

namespace alknet::runtime {

/// Puts an operation on a registry; what it returns takes it off again. Throws `name_taken`, `operation_invalid`.
using OperationAdder = std::function<std::function<void()>(call::Registration)>;

/// What the module `alknet:host` of one isolate may do. The isolate does not own what calls and registers.
struct BridgeOptions {
  /// In whose name script calls. Used on the isolate's executor.
  std::shared_ptr<call::Caller> caller;

  /// Whose resources `caller` uses; null: not known. Handlers of script are told when their caller is the same.
  std::shared_ptr<const call::Owner> owner = {};

  /// In whose name a handler of script calls, by the id of the call that called it; null: its own, as a nested call.
  /// For a helper process, whose calls its host makes.
  std::function<std::shared_ptr<call::Caller>(const std::string& parent_id)> nested_caller = {};

  /// Where `register` puts operations. Null: it is refused with `permission_denied`.
  OperationAdder add_operation;

  /// What these registrations are, and under whose authority their handlers call others. With a narrower environment
  /// than script asks for, it gets what both have.
  call::Provenance provenance = call::Provenance::kLocal;
  call::Identity authority;
  call::ScopedEnvironment environment;
};

/// The module `alknet:host`: `call`, `subscribe`, `abort` and `register`, as js/operations/src/host_module.ts declares
/// them; `@alknet/operations` is made of it. The isolate needs an executor.
///
/// Values with bytes become Messages: ArrayBuffers and views are copied once, those named in `transfer` are detached
/// and go over whole. A call of script that fails is told as {code, message, retryable, details}; what a handler of
/// script throws is a domain error when it carries a `code` in capitals, else the caller sees INTERNAL and the text is
/// logged. Handlers run on the isolate's thread whatever the dispatcher's is; when their call ends early they are told,
/// and everything that they called is aborted. When the isolate ends its operations go, and its calls fail.
NativeModule host_module(BridgeOptions options);

/// Calls of a program or a session of this process: by `dispatcher`, for `owner`. May be used on another executor than
/// the dispatcher's. The dispatcher must outlive it.
std::shared_ptr<call::Caller> owner_caller(call::Dispatcher& dispatcher, std::shared_ptr<call::Owner> owner);

/// Adds to the curated layer, for a program of this machine's user.
OperationAdder curated_adder(std::shared_ptr<call::Registry> registry);

/// Adds to the layer of a session or connection; names of the curated layer and reserved namespaces are refused.
OperationAdder overlay_adder(std::shared_ptr<const call::Registry> registry, std::shared_ptr<call::Layer> layer);

}  // namespace alknet::runtime
