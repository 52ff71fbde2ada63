#include "alknet/call/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <stop_token>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/dispatcher_state.h"
#include "alknet/call/running_call.h"

namespace alknet::call {

namespace {

/// What the handler of `parent` finds under a name, or null.
OperationPtr reachable(const RunningCall& parent, std::string_view name) {
  const Registration& caller = parent.operation->registration();
  auto operation = caller.environment.reaches(name) ? parent.lookup.find(name) : nullptr;
  // A session writes its own environment, so what is internal is not for it, but for what it registered itself.
  const bool hidden = operation && caller.provenance == Provenance::kSession &&
                      operation->registration().spec.visibility == Visibility::kInternal &&
                      operation->registration().provenance != Provenance::kSession;
  return hidden ? nullptr : operation;
}

/// A call made by the handler of `parent`, through the gates of a nested call.
std::shared_ptr<RunningCall> admit_nested(const std::shared_ptr<RunningCall>& parent, std::string_view name,
                                          Message& input, const NestedCallOptions& options,
                                          const std::vector<std::uint64_t>& attachment_ids = {}) {
  Dispatcher::State& state = *parent->dispatcher;
  const Registration& caller = parent->operation->registration();
  if (name.starts_with('/')) name.remove_prefix(1);
  auto operation = reachable(*parent, name);
  if (!operation) {
    throw Error(CallError::kNotFound, fmt::format("{} reaches no operation {}", caller.spec.name, name),
                JsonObject{{"operation", name}});
  }
  auto call = std::make_shared<RunningCall>(parent->dispatcher, parent->owner);
  call->began = state.executor.now();
  call->parent = parent.get();
  call->keeps_parent = parent;
  call->id = fmt::format("{}.{}", parent->root().id, ++parent->root().nested_calls);
  call->parent_id = parent->id;
  call->identity = caller.authority;
  call->lookup = parent->lookup;
  call->abort_policy = options.abort_policy;
  call->deadline = parent->deadline;
  if (options.timeout) {
    const auto own = call->began + *options.timeout;
    call->deadline = call->deadline ? std::min(*call->deadline, own) : own;
  }
  call->operation = std::move(operation);
  const Registration& callee = call->operation->registration();
  call->capabilities = callee.capabilities;
  for (const std::string& passed : options.pass_capabilities) {
    const auto& accepted = callee.accepted_capabilities;
    if (std::find(accepted.begin(), accepted.end(), passed) == accepted.end()) {
      throw Error(CallError::kForbidden, fmt::format("{} accepts no capability {}", name, passed));
    }
    auto secret = parent->capabilities.find(passed);
    if (!secret) throw Error(CallError::kForbidden, fmt::format("{} has no capability {}", caller.spec.name, passed));
    call->capabilities.add(passed, std::move(secret));
  }
  state.check_access_of(*call, input);
  Dispatcher::State::number_attachments(*call->operation, attachment_ids, input.value);
  state.check_input(*call, input);
  if (options.on_id) options.on_id(call->id);
  return call;
}

/// Carries an abort of the parent down to `call`, while it lives.
class Cascade {
 public:
  Cascade(const std::shared_ptr<RunningCall>& parent, const std::shared_ptr<RunningCall>& call) {
    if (call->abort_policy == AbortPolicy::kAbortDependents) {
      callback_.emplace(parent->stop.get_token(), Abort{std::weak_ptr(call)});
    }
  }

 private:
  struct Abort {
    std::weak_ptr<RunningCall> call;
    void operator()() const {
      if (const auto running = call.lock()) running->abort();
    }
  };
  std::optional<std::stop_callback<Abort>> callback_;
};

/// Ends `call` with its parent, and tells whoever asked for it: nobody awaits it here.
struct EndWithParent {
  std::weak_ptr<RunningCall> call;
  void operator()() const {
    const auto running = call.lock();
    if (!running || !running->finish(RunningCall::End::kAborted, "ABORTED")) return;
    running->stop.request_stop();
    running->sink->failed({"INTERNAL", "the call that this one was made for has ended", false, nullptr});
  }
};

}  // namespace

const std::string& OperationContext::request_id() const { return call_.id; }
const std::string& OperationContext::parent_id() const { return call_.parent_id; }
const Operation& OperationContext::operation() const { return *call_.operation; }
const std::optional<Identity>& OperationContext::identity() const { return call_.identity; }
const Identity& OperationContext::handler_identity() const { return call_.operation->registration().authority; }
const Json& OperationContext::forwarded_for() const { return call_.forwarded_for; }
bool OperationContext::internal() const { return call_.parent != nullptr; }
const Capabilities& OperationContext::capabilities() const { return call_.capabilities; }
AbortPolicy OperationContext::abort_policy() const { return call_.abort_policy; }
std::optional<Executor::Clock::time_point> OperationContext::deadline() const { return call_.deadline; }
bool OperationContext::stop_requested() const { return call_.stop.stop_requested(); }
std::stop_token OperationContext::stop_token() const { return call_.stop.get_token(); }
Owner& OperationContext::owner() const { return *call_.owner; }
const Logger& OperationContext::logger() const { return call_.dispatcher->options.logger; }
Executor& OperationContext::executor() const { return call_.dispatcher->executor; }

std::optional<std::chrono::milliseconds> OperationContext::remaining() const {
  if (!call_.deadline) return std::nullopt;
  const auto left = *call_.deadline - call_.dispatcher->executor.now();
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
}

std::string OperationContext::add_resource(std::shared_ptr<Resource> resource) {
  if (!owner().keeps_resources()) {
    throw Error(CallError::kInvalidInput,
                fmt::format("{} returns a handle, which needs a session: send an Alknet-Session header, or connect by "
                            "QUIC or WebSocket",
                            operation().spec().name));
  }
  return resources().add(std::move(resource), internal() ? &call_.root() : nullptr);
}

void OperationContext::add_resource_as(std::string_view handle, std::shared_ptr<Resource> resource) {
  if (!owner().keeps_resources()) {
    throw Error(CallError::kInvalidInput, "handles need a session: send an Alknet-Session header");
  }
  resources().add_as(handle, std::move(resource), internal() ? &call_.root() : nullptr);
}

Task<Message> OperationContext::call(std::string_view operation, Message input, NestedCallOptions options) {
  return nested_call(call_.shared_from_this(), std::string(operation), std::move(input), std::move(options));
}

Task<Message> OperationContext::nested_call(std::shared_ptr<RunningCall> parent, std::string operation, Message input,
                                            NestedCallOptions options) {
  auto call = admit_nested(parent, operation, input, options);
  Dispatcher::State::require_type(*call->operation, false);
  const Cascade cascade(parent, call);
  co_return co_await Dispatcher::State::answer_of(std::move(call), std::move(input));
}

AsyncGenerator<Message> OperationContext::subscribe(std::string_view operation, Message input,
                                                    NestedCallOptions options) {
  return nested_subscribe(call_.shared_from_this(), std::string(operation), std::move(input), std::move(options));
}

AsyncGenerator<Message> OperationContext::nested_subscribe(std::shared_ptr<RunningCall> parent, std::string operation,
                                                           Message input, NestedCallOptions options) {
  auto call = admit_nested(parent, operation, input, options);
  Dispatcher::State::require_type(*call->operation, true);
  const Cascade cascade(parent, call);
  auto items = Dispatcher::State::items_of(std::move(call), std::move(input));
  while (auto item = co_await items.next()) co_yield std::move(*item);
}

CallHandle OperationContext::start(CallRequest request, std::shared_ptr<CallSink> sink) {
  const auto parent = call_.shared_from_this();
  if (parent->end != RunningCall::End::kNone) throw Error(CallError::kForbidden, "the call has ended");
  NestedCallOptions options;
  options.timeout = request.timeout;
  const auto call = admit_nested(parent, request.operation, request.input, options, request.attachment_ids);
  call->sink = std::move(sink);
  call->cascade = std::make_shared<std::stop_callback<EndWithParent>>(parent->stop.get_token(), EndWithParent{call});
  call->dispatcher->run(call, std::move(request.input));
  return CallHandle(call);
}

Task<Message> OperationContext::call_as_caller(std::string_view operation, Message input) {
  return callers_call(call_.shared_from_this(), std::string(operation), std::move(input));
}

Task<Message> OperationContext::callers_call(std::shared_ptr<RunningCall> from, std::string operation, Message input) {
  CallRequest request{.operation = std::move(operation),
                      .input = std::move(input),
                      .id = {},
                      .auth_token = from->auth_token,
                      .forwarded_for = from->forwarded_for,
                      .timeout = std::nullopt,
                      .attachment_ids = {}};
  const NestedCallOptions as_usual;
  auto call = from->keeps_parent ? admit_nested(from->keeps_parent, request.operation, request.input, as_usual)
                                 : Dispatcher::State::admit(from->dispatcher, from->owner, request);
  Dispatcher::State::require_type(*call->operation, false);
  if (from->deadline) call->deadline = call->deadline ? std::min(*call->deadline, *from->deadline) : *from->deadline;
  const Cascade cascade(from, call);
  co_return co_await Dispatcher::State::answer_of(std::move(call), std::move(request.input));
}

OperationMap OperationContext::visible_operations() const {
  OperationMap operations = Dispatcher::State::visible(call_.lookup, call_.identity);
  if (call_.parent != nullptr) {
    const ScopedEnvironment& environment = call_.parent->operation->registration().environment;
    std::erase_if(operations, [&](const auto& entry) { return !environment.reaches(entry.first); });
  }
  return operations;
}

OperationPtr OperationContext::find_visible(std::string_view name) const {
  auto operation = call_.parent != nullptr ? reachable(*call_.parent, name) : call_.lookup.find(name);
  const bool outside = call_.parent == nullptr;
  if (!operation || (outside && operation->spec().visibility != Visibility::kExternal)) return nullptr;
  return may_access(operation->spec().access, call_.identity) ? operation : nullptr;
}

}  // namespace alknet::call
