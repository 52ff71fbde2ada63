#include "alknet/call/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/random_hex.h"
#include "alknet/call/dispatcher_state.h"
#include "alknet/call/failure.h"
#include "alknet/call/running_call.h"

namespace alknet::call {

namespace {

/// Takes one call out of the owner's allowance. Throws `resource_exhausted`.
void spend(const Owner& owner, double& allowance, std::optional<Executor::Clock::time_point>& refilled,
           Executor::Clock::time_point now) {
  const double rate = owner.limits().max_calls_per_second;
  if (!refilled) {
    allowance = rate;
  } else {
    allowance = std::min(rate, allowance + rate * std::chrono::duration<double>(now - *refilled).count());
  }
  refilled = now;
  if (allowance < 1) {
    throw Error(CallError::kResourceExhausted,
                fmt::format("more than {} calls a second: slow down", owner.limits().max_calls_per_second),
                JsonObject{{"limit", "calls_per_second"}});
  }
  allowance -= 1;
}

/// A sink that hands the one answer to a coroutine.
class AnswerSink final : public CallSink {
 public:
  void responded(Message output, const Operation&) override { answer.set_value(std::move(output)); }
  void completed() override {}
  void failed(const WireError& error) override { answer.set_error(std::make_exception_ptr(error_from_wire(error))); }

  Completion<Message> answer;
};

/// A sink whose items wait, one at a time, for a generator to take them.
class ItemSink final : public CallSink {
 public:
  void responded(Message output, const Operation&) override {
    item = std::move(output);
    wake();
  }
  void completed() override {
    ended = true;
    wake();
  }
  void failed(const WireError& failure) override {
    error = error_from_wire(failure);
    ended = true;
    wake();
  }
  Task<void> room() override {
    while (item) {
      taken = Completion<void>();
      co_await taken.wait();
    }
  }
  void wake() { changed.set_value(); }

  std::optional<Message> item;
  std::optional<Error> error;
  bool ended = false;
  Completion<void> changed;
  Completion<void> taken;
};

/// Aborts the call when the coroutine that waits for it goes away, unless it was asked to continue without it.
class AbortAtEnd {
 public:
  explicit AbortAtEnd(const std::shared_ptr<RunningCall>& call) {
    if (call->abort_policy == AbortPolicy::kAbortDependents) call_ = CallHandle(call);
  }
  ~AbortAtEnd() { call_.abort(); }
  AbortAtEnd(const AbortAtEnd&) = delete;
  AbortAtEnd& operator=(const AbortAtEnd&) = delete;

 private:
  CallHandle call_;
};

}  // namespace

Dispatcher::State::State(Executor& on, std::shared_ptr<const Registry> of, DispatcherOptions with)
    : executor(on), registry(std::move(of)), options(std::move(with)), id_prefix(random_hex(8)) {}

std::string Dispatcher::State::fresh_id() { return fmt::format("{}-{}", id_prefix, ++last_id); }

Lookup Dispatcher::State::lookup_for(const Owner& owner) const {
  std::vector<Snapshot> layers;
  layers.reserve(owner.layers().size() + 1);
  for (const auto& layer : owner.layers()) layers.push_back(layer->snapshot());
  layers.push_back(registry->curated().snapshot());
  return Lookup(std::move(layers));
}

std::optional<Identity> Dispatcher::State::identity_of(const Owner& owner,
                                                       const std::optional<std::string>& token) const {
  if (token && options.authenticate) {
    if (auto proven = options.authenticate(*token)) return proven;
  }
  return owner.identity();
}

void Dispatcher::State::number_attachments(const Operation& operation, const std::vector<std::uint64_t>& ids,
                                           Json& input) {
  if (ids.empty()) return;
  const auto position = [&](std::uint64_t id) -> std::uint64_t {
    const auto found = std::find(ids.begin(), ids.end(), id);
    if (found == ids.end()) {
      throw Error(CallError::kInvalidInput, fmt::format("[call] the request has no attachment {}", id));
    }
    return static_cast<std::uint64_t>(found - ids.begin());
  };
  operation.input_bytes().renumber(input, position);
}

void Dispatcher::State::check_input(RunningCall& call, Message& input) const {
  const Operation& operation = *call.operation;
  operation.input_bytes().decode(input);
  if (operation.input().is_valid(input.value)) return;
  JsonArray violations;
  std::string first;
  for (const auto& error : operation.input().validate(input.value, {.max_errors = 100})) {
    if (first.empty()) first = fmt::format("\"{}\" {}", error.instance_path, error.message);
    violations.push_back(JsonObject{
        {"instance_path", error.instance_path}, {"schema_path", error.schema_path}, {"message", error.message}});
  }
  const std::size_t count = violations.size();
  throw Error(CallError::kInvalidInput,
              fmt::format("{}: the input is invalid at {}{}", operation.spec().name, first,
                          count > 1 ? fmt::format(" (and {} more)", count - 1) : ""),
              JsonObject{{"violations", std::move(violations)}});
}

void Dispatcher::State::check_access_of(const RunningCall& call, const Message& input) const {
  const OperationSpec& spec = call.operation->spec();
  if (spec.access.resource_type.empty() || spec.resource_id_path.empty()) {
    return check_access(spec.access, call.identity, nullptr);
  }
  boost::system::error_code failed;
  const Json* named = input.value.find_pointer(spec.resource_id_path, failed);
  const std::string id = named != nullptr && named->is_string() ? std::string(named->get_string()) : std::string();
  check_access(spec.access, call.identity, &id);
}

void Dispatcher::State::check_output(const Operation& operation, const Message& output) const {
  if (!options.check_outputs) return;
  Message copy = output;
  operation.output_bytes().decode(copy);
  const auto errors = operation.output().validate(copy.value, {.max_errors = 1});
  if (errors.empty()) return;
  throw Error(CallError::kInternal, fmt::format("{}: the output breaks its schema at \"{}\": {}", operation.spec().name,
                                                errors[0].instance_path, errors[0].message));
}

void Dispatcher::State::run(const std::shared_ptr<RunningCall>& call, Message input) {
  call->admitted = true;
  call->began = executor.now();
  call->context.emplace(*call);
  call->owner->running_.emplace(call.get(), call);
  ++running;
  if (call->deadline) {
    call->timer = executor.post_after(*call->deadline - call->began, [weak = std::weak_ptr(call)] {
      const auto late = weak.lock();
      if (!late || !late->finish(RunningCall::End::kFailed, "TIMEOUT")) return;
      late->stop.request_stop();
      late->sink->failed({"TIMEOUT", fmt::format("{} took too long", late->operation->spec().name), true, nullptr});
    });
  }
  const auto on_done = [this, call](const Outcome<void>& outcome) {
    if (!outcome.ok() && call->end == RunningCall::End::kNone) {
      const WireError error = describe_failure(outcome.error(), *call->operation, options.logger);
      if (call->finish(RunningCall::End::kFailed, error.code)) call->sink->failed(error);
    }
  };
  const bool once = std::holds_alternative<OnceHandler>(call->operation->registration().handler);
  alknet::start(executor, once ? run_once(call, std::move(input)) : run_stream(call, std::move(input)), on_done,
                call->stop.get_token());
}

Task<void> Dispatcher::State::run_once(std::shared_ptr<RunningCall> call, Message input) {
  const auto& handler = std::get<OnceHandler>(call->operation->registration().handler);
  Message output = co_await handler(*call->context, std::move(input));
  check_output(*call->operation, output);
  keep_returned(*call, output);
  if (call->finish(RunningCall::End::kSucceeded, "")) call->sink->responded(std::move(output), *call->operation);
}

Task<void> Dispatcher::State::run_stream(std::shared_ptr<RunningCall> call, Message input) {
  const auto& handler = std::get<StreamHandler>(call->operation->registration().handler);
  auto items = handler(*call->context, std::move(input));
  while (true) {
    co_await call->sink->room();
    auto item = co_await items.next();
    if (!item) break;
    if (call->end != RunningCall::End::kNone) co_return;
    check_output(*call->operation, *item);
    keep_returned(*call, *item);
    call->sink->responded(std::move(*item), *call->operation);
  }
  if (call->finish(RunningCall::End::kSucceeded, "")) call->sink->completed();
}

namespace {

/// Collects the handles `{"$tensor": ...}` in a value.
void collect_handles(const Json& value, std::vector<std::string_view>& handles) {
  if (const auto* object = value.if_object()) {
    const auto* handle = object->if_contains("$tensor");
    if (handle != nullptr && handle->is_string()) handles.push_back(handle->get_string());
    for (const auto& [name, member] : *object) collect_handles(member, handles);
  } else if (const auto* array = value.if_array()) {
    for (const Json& item : *array) collect_handles(item, handles);
  }
}

}  // namespace

void Dispatcher::State::keep_returned(const RunningCall& call, const Message& output) {
  ResourceTable& table = call.owner->resources();
  if (call.end != RunningCall::End::kNone || table.count_in(&call) == 0) return;
  std::vector<std::string_view> returned;
  collect_handles(output.value, returned);
  table.keep(&call, returned);
}

RunningCall::~RunningCall() {
  if (admitted && end == End::kNone) finish(End::kAborted, "ABORTED");
  owner->resources().end_scope(this);  // what calls below made that went on without it
}

void RunningCall::abort() {
  if (finish(End::kAborted, "ABORTED")) stop.request_stop();
}

bool RunningCall::finish(End how, std::string_view code) {
  if (end != End::kNone) return false;
  end = how;
  if (timer != TimerId{}) dispatcher->executor.cancel(timer);
  if (owner->running_.erase(this) != 0) --dispatcher->running;
  owner->resources().end_scope(this);
  if (dispatcher->options.on_finished && operation) {
    const auto took = dispatcher->executor.now() - began;
    dispatcher->options.on_finished({operation->spec().name, owner->name(), code,
                                     std::chrono::duration_cast<std::chrono::microseconds>(took), parent != nullptr});
  }
  return true;
}

void CallHandle::abort() const {
  if (const auto call = call_.lock()) call->abort();
}

Dispatcher::Dispatcher(Executor& executor, std::shared_ptr<const Registry> registry, DispatcherOptions options)
    : state_(std::make_shared<State>(executor, std::move(registry), std::move(options))) {}

Dispatcher::~Dispatcher() = default;

std::shared_ptr<RunningCall> Dispatcher::State::pass_gates(const std::shared_ptr<Dispatcher::State>& state,
                                                           const std::shared_ptr<Owner>& owner, CallRequest& request) {
  if (owner->ended()) throw Error(CallError::kTransport, "the connection has ended");
  if (state->draining) {
    throw Error(CallError::kResourceExhausted, "this node is about to stop: try another, or later",
                JsonObject{{"limit", "draining"}});
  }
  if (owner->running_calls() >= owner->limits().max_running_calls) {
    throw Error(CallError::kResourceExhausted,
                fmt::format("more than {} calls at a time: wait for some to end", owner->limits().max_running_calls),
                JsonObject{{"limit", "running_calls"}});
  }
  spend(*owner, owner->allowance_, owner->refilled_, state->executor.now());

  auto call = std::make_shared<RunningCall>(state, owner);
  call->began = state->executor.now();
  call->id = request.id.empty() ? state->fresh_id() : std::move(request.id);
  call->identity = state->identity_of(*owner, request.auth_token);
  call->forwarded_for = std::move(request.forwarded_for);
  call->auth_token = std::move(request.auth_token);
  call->lookup = state->lookup_for(*owner);
  auto operation = call->lookup.find(request.operation);
  if (!operation || operation->spec().visibility != Visibility::kExternal) {
    throw Error(CallError::kNotFound, fmt::format("there is no operation {}", request.operation),
                JsonObject{{"operation", request.operation}});
  }
  call->operation = std::move(operation);
  state->check_access_of(*call, request.input);
  number_attachments(*call->operation, request.attachment_ids, request.input.value);
  state->check_input(*call, request.input);
  const OperationSpec& spec = call->operation->spec();
  const bool streams = spec.type == OperationType::kSubscription;
  auto timeout = request.timeout;
  if (!timeout && !streams) timeout = spec.default_timeout.value_or(state->options.default_timeout);
  if (timeout) call->deadline = call->began + *timeout;
  call->capabilities = call->operation->registration().capabilities;
  return call;
}

std::shared_ptr<RunningCall> Dispatcher::State::admit(const std::shared_ptr<Dispatcher::State>& state,
                                                      const std::shared_ptr<Owner>& owner, CallRequest& request) {
  try {
    return pass_gates(state, owner, request);
  } catch (const Error& error) {
    if (state->options.on_finished) {
      std::string_view name = request.operation;
      if (name.starts_with('/')) name.remove_prefix(1);
      state->options.on_finished({name, owner->name(), wire_code(error), {}, false});
    }
    throw;
  }
}

void Dispatcher::State::require_type(const Operation& operation, bool subscription) {
  if ((operation.spec().type == OperationType::kSubscription) == subscription) return;
  throw Error(CallError::kInvalidOperationType,
              fmt::format("{} is a {}: {}", operation.spec().name, operation_type_name(operation.spec().type),
                          subscription ? "call it" : "subscribe to it"));
}

CallHandle Dispatcher::start(const std::shared_ptr<Owner>& owner, CallRequest request, std::shared_ptr<CallSink> sink) {
  std::shared_ptr<RunningCall> call;
  try {
    call = State::admit(state_, owner, request);
  } catch (const Error& error) {
    const bool retryable = error.code() == CallError::kResourceExhausted;
    sink->failed({wire_code(error), error.message(), retryable, error.details()});
    return {};
  }
  call->sink = std::move(sink);
  CallHandle handle(call);
  state_->run(call, std::move(request.input));
  return handle;
}

Task<Message> Dispatcher::call(std::shared_ptr<Owner> owner, CallRequest request) {
  const auto call = State::admit(state_, owner, request);
  State::require_type(*call->operation, false);
  co_return co_await State::answer_of(call, std::move(request.input));
}

AsyncGenerator<Message> Dispatcher::subscribe(std::shared_ptr<Owner> owner, CallRequest request) {
  auto call = State::admit(state_, owner, request);
  State::require_type(*call->operation, true);
  return State::items_of(std::move(call), std::move(request.input));
}

Task<Message> Dispatcher::State::answer_of(std::shared_ptr<RunningCall> call, Message input) {
  const auto sink = std::make_shared<AnswerSink>();
  call->sink = sink;
  const AbortAtEnd guard(call);
  call->dispatcher->run(call, std::move(input));
  co_return co_await sink->answer.wait();
}

AsyncGenerator<Message> Dispatcher::State::items_of(std::shared_ptr<RunningCall> call, Message input) {
  const auto sink = std::make_shared<ItemSink>();
  call->sink = sink;
  const AbortAtEnd guard(call);
  call->dispatcher->run(call, std::move(input));
  while (true) {
    while (!sink->item && !sink->ended) {
      sink->changed = Completion<void>();
      co_await sink->changed.wait();
    }
    if (sink->item) {
      Message item = std::move(*sink->item);
      sink->item.reset();
      sink->taken.set_value();
      co_yield std::move(item);
    } else {
      if (sink->error) throw Error(*sink->error);
      co_return;
    }
  }
}

OperationMap Dispatcher::State::visible(const Lookup& lookup, const std::optional<Identity>& identity) {
  OperationMap operations = lookup.all();
  std::erase_if(operations, [&](const auto& entry) {
    const OperationSpec& spec = entry.second->spec();
    return spec.visibility != Visibility::kExternal || !may_access(spec.access, identity);
  });
  return operations;
}

OperationMap Dispatcher::visible_operations(const Owner& owner, const std::optional<std::string>& token) const {
  return State::visible(state_->lookup_for(owner), state_->identity_of(owner, token));
}

OperationPtr Dispatcher::find(const Owner& owner, std::string_view name) const {
  auto operation = state_->lookup_for(owner).find(name);
  return operation && operation->spec().visibility == Visibility::kExternal ? operation : nullptr;
}

void Dispatcher::drain() { state_->draining = true; }
bool Dispatcher::draining() const { return state_->draining; }
std::size_t Dispatcher::running_calls() const { return state_->running; }
Executor& Dispatcher::executor() const { return state_->executor; }
const Registry& Dispatcher::registry() const { return *state_->registry; }
const DispatcherOptions& Dispatcher::options() const { return state_->options; }

}  // namespace alknet::call
