#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/context.h"
#include "alknet/call/error.h"
#include "alknet/runtime/bridge_state.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/promise.h"

// Host to JS: handlers that are functions of script.

namespace alknet::runtime {
namespace {

/// One answer that script owes. Copies are the same; when the last goes unanswered, the isolate has ended.
template <typename T>
class Reply {
 public:
  explicit Reply(std::string operation) : held_(std::make_shared<Held>(std::move(operation))) {}

  void answer(T value) const { held_->done.set_value(std::move(value)); }
  void fail(std::exception_ptr error) const { held_->done.set_error(std::move(error)); }
  Completion<T> done() const { return held_->done; }

 private:
  struct Held {
    explicit Held(std::string name) : operation(std::move(name)) {}
    ~Held() {
      done.set_error(std::make_exception_ptr(
          Error(call::CallError::kInternal, fmt::format("the program that serves {} has ended", operation))));
    }
    std::string operation;
    Completion<T> done;
  };
  std::shared_ptr<Held> held_;
};

// --- on the isolate's thread ---

bool is_code(const std::string& text) {
  const auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && text.size() <= 128 && text[0] >= 'A' && text[0] <= 'Z' &&
         std::all_of(text.begin(), text.end(), fits);
}

/// What a failure of script is to the dispatcher: an error with a code in capitals is what it says, anything else is
/// for the log.
std::exception_ptr failure_of(const ScriptError& error) {
  try {
    const Value& thrown = error.thrown();
    const Value code = thrown.is_object() ? thrown.get("code") : Value();
    if (code.is_string() && is_code(code.to_string())) {
      call::WireError said{
          code.to_string(), thrown.get("message").to_string(), thrown.get("retryable").to_boolean(), {}};
      if (const Value details = thrown.get("details"); !details.is_nullish()) said.details = to_json(details);
      return std::make_exception_ptr(call::error_from_wire(said));
    }
  } catch (const ScriptError&) {
    // Getters of the error throw: it says nothing that can be told.
  }
  std::string text = error.message();
  if (const auto* facts = error.details().if_object()) {
    const Json* stack = facts->if_contains("stack");
    if (stack != nullptr && stack->is_string()) text += "\n" + std::string(stack->get_string());
  }
  return std::make_exception_ptr(std::runtime_error(text));
}

/// Runs `body`; what it throws becomes the reply.
template <typename T, typename Body>
void guarded(const Reply<T>& reply, Body body) {
  try {
    body();
  } catch (const ScriptError& error) {
    reply.fail(failure_of(error));
  } catch (...) {
    reply.fail(std::current_exception());
  }
}

/// Calls `then(value)` with what a handler gave, now or when its promise is settled.
template <typename T>
void when_given(BridgeState& state, std::uint64_t number, const Value& given, const Reply<T>& reply,
                std::function<void(Value)> then) {
  if (!given.is_promise()) return then(given);
  const auto serving = state.serving.find(number);
  if (serving != state.serving.end()) serving->second.promise = given;
  when_settled(
      given, [reply, then = std::move(then)](Realm, const Value& value) { guarded(reply, [&] { then(value); }); },
      [reply](Realm realm, const Value& reason) { reply.fail(failure_of(realm.thrown(reason))); });
}

/// Calls the handler with the input. On the isolate's thread.
Value call_handler(Realm realm, BridgeState& state, std::uint64_t handler, const std::shared_ptr<ServedCall>& served,
                   const Message& input) {
  const auto found = state.handlers.find(handler);
  if (found == state.handlers.end()) {
    throw Error(call::CallError::kNotFound, fmt::format("{} is no longer served", served->operation));
  }
  BridgeState::Serving& serving = state.serving[served->number];
  serving.caller = std::make_shared<ScriptCaller>();
  serving.caller->caller =
      state.options.nested_caller ? state.options.nested_caller(served->parent_id) : make_nested_caller(served);
  serving.work = PendingWork(realm);
  const Value context = make_context(state.shared_from_this(), served, serving.caller);
  const std::array arguments{from_message(realm, input), context};
  const Value function = found->second;
  return function.call(arguments);
}

/// The iterator of what a handler of a subscription gave: by its `Symbol.asyncIterator`, else by `Symbol.iterator`.
Value iterator_of(Realm realm, const Value& given) {
  for (const WellKnownSymbol name : {WellKnownSymbol::kAsyncIterator, WellKnownSymbol::kIterator}) {
    const Value method = given.is_object() ? given.get(realm.symbol(name)) : Value();
    if (method.is_function()) return method.call_on(given);
  }
  throw realm.type_error("the handler of a subscription gave nothing to iterate: use an async generator function");
}

using ItemReply = Reply<std::optional<Message>>;

/// Asks the iterator of a subscription for its next item.
void take_item(const std::shared_ptr<BridgeState>& state, std::uint64_t number, const ItemReply& reply) {
  const auto serving = state->serving.find(number);
  if (serving == state->serving.end()) throw Error(call::CallError::kAborted, "the subscription was given up");
  const Value iterator = serving->second.iterator;
  const Value next = iterator.invoke("next");
  when_given<std::optional<Message>>(*state, number, next, reply, [reply](const Value& result) {
    if (!result.is_object()) throw std::runtime_error("`next` of the handler's iterator gave no object");
    if (result.get("done").to_boolean()) return reply.answer(std::nullopt);
    const Value item = result.get("value");
    reply.answer(to_message(item));
  });
}

/// The call has ended, `early` when its handler still ran.
void end_serving(BridgeState& state, std::uint64_t number, bool early) {
  const auto found = state.serving.find(number);
  if (found == state.serving.end()) return;
  found->second.aborted = true;
  const Value listener = found->second.on_abort;
  const Value iterator = found->second.iterator;
  const auto caller = found->second.caller;
  state.serving.erase(found);
  if (!early) return;
  caller->ended.request_stop();
  std::exception_ptr failure;
  try {
    const Value method = iterator.is_object() ? iterator.get("return") : Value();
    const Value ended = method.is_function() ? method.call_on(iterator) : Value();
    // What it throws on the way out nobody hears.
    if (ended.is_promise())
      when_settled(
          ended, [](Realm, const Value&) {}, [](Realm, const Value&) {});
  } catch (const ScriptError&) {  // the listener hears of the end all the same
    failure = std::current_exception();
  }
  if (listener.is_function()) listener.call();
  if (failure) std::rethrow_exception(failure);
}

// --- on the dispatcher's executor ---

/// What a registration knows of its handler. Any thread.
struct HandlerRef {
  WeakIsolate isolate;
  std::weak_ptr<BridgeState> state;
  std::uint64_t number = 0;
  std::shared_ptr<std::atomic<std::uint64_t>> requests;  ///< numbers what is served
  std::shared_ptr<const call::Owner> owner;              ///< of the program; null when it is not known
};

/// A request in the frame of its handler: the isolate hears of its end, however that comes.
class ServingFrame {
 public:
  ServingFrame(HandlerRef handler, call::OperationContext& context)
      : handler_(std::move(handler)), served_(std::make_shared<ServedCall>()) {
    served_->dispatcher = &context.executor();
    served_->context = &context;
    served_->number = ++*handler_.requests;
    served_->request_id = context.request_id();
    served_->parent_id = context.parent_id();
    served_->operation = context.operation().spec().name;
    served_->own = &context.owner() == handler_.owner.get();
    if (context.identity()) served_->identity = context.identity()->to_json();
    served_->forwarded_for = context.forwarded_for();
    served_->deadline = context.deadline();
  }
  ServingFrame(const ServingFrame&) = delete;
  ServingFrame& operator=(const ServingFrame&) = delete;
  ~ServingFrame() {
    served_->context = nullptr;
    handler_.isolate.post([state = handler_.state, number = served_->number, early = !answered_](Realm) {
      if (const auto bridge = state.lock()) end_serving(*bridge, number, early);
    });
  }

  const std::string& operation() const { return served_->operation; }
  void answered() { answered_ = true; }

  /// Calls the handler of a query or mutation.
  void begin(Message input, const Reply<Message>& reply) {
    post(reply, std::move(input),
         [reply](Realm, const std::shared_ptr<BridgeState>& state, std::uint64_t number, const Value& given) {
           when_given<Message>(*state, number, given, reply,
                               [reply](const Value& output) { reply.answer(to_message(output)); });
         });
  }

  /// Calls the handler of a subscription and asks for its first item.
  void begin(Message input, const ItemReply& reply) {
    post(reply, std::move(input),
         [reply](Realm, const std::shared_ptr<BridgeState>& state, std::uint64_t number, const Value& given) {
           when_given<std::optional<Message>>(*state, number, given, reply,
                                              [reply, number, weak = std::weak_ptr(state)](const Value& items) {
                                                const auto bridge = weak.lock();
                                                if (!bridge) return;
                                                Value iterator = iterator_of(bridge->context_class.realm(), items);
                                                // Its getters ran script, which may have ended the call.
                                                const auto serving = bridge->serving.find(number);
                                                if (serving == bridge->serving.end()) return;
                                                serving->second.iterator = std::move(iterator);
                                                take_item(bridge, number, reply);
                                              });
         });
  }

  /// Asks for the next item.
  void next(const ItemReply& reply) {
    handler_.isolate.post([state = handler_.state, number = served_->number, reply](Realm) {
      guarded(reply, [&] {
        if (const auto bridge = state.lock()) take_item(bridge, number, reply);
      });
    });
  }

 private:
  template <typename T, typename Then>
  void post(const Reply<T>& reply, Message input, Then then) {
    const auto held = std::make_shared<const Message>(std::move(input));
    handler_.isolate.post([handler = handler_, served = served_, held, reply, then](Realm realm) {
      guarded(reply, [&] {
        const auto state = handler.state.lock();
        if (!state) return;
        const Value given = call_handler(realm, *state, handler.number, served, *held);
        then(realm, state, served->number, given);
      });
    });
  }

  HandlerRef handler_;
  std::shared_ptr<ServedCall> served_;
  bool answered_ = false;
};

Task<Message> serve_once(HandlerRef handler, call::OperationContext& context, Message input) {
  ServingFrame frame(std::move(handler), context);
  Completion<Message> done;
  {
    const Reply<Message> reply(frame.operation());
    done = reply.done();
    frame.begin(std::move(input), reply);
  }
  try {
    Message output = co_await done.wait();
    frame.answered();
    co_return output;
  } catch (...) {
    if (!context.stop_requested()) frame.answered();  // it failed by itself
    throw;
  }
}

AsyncGenerator<Message> serve_items(HandlerRef handler, call::OperationContext& context, Message input) {
  ServingFrame frame(std::move(handler), context);
  bool begun = false;
  for (;;) {
    Completion<std::optional<Message>> done;
    {
      const ItemReply reply(frame.operation());
      done = reply.done();
      if (begun) {
        frame.next(reply);
      } else {
        frame.begin(std::move(input), reply);
      }
      begun = true;
    }
    std::optional<Message> item;
    try {
      item = co_await done.wait();
    } catch (...) {
      if (!context.stop_requested()) frame.answered();  // it failed by itself
      throw;
    }
    if (!item) break;
    co_yield std::move(*item);
  }
  frame.answered();
}

std::vector<std::string> patterns_of(Realm realm, const Value& list) {
  if (list.is_nullish()) return {};
  if (!list.is_array()) throw realm.type_error("[register] `environment` is no array of names");
  std::vector<std::string> patterns;
  const std::uint64_t count = list.length();
  for (std::uint32_t i = 0; i < count && i < 10'000; ++i) patterns.push_back(list.get(i).to_string());
  return patterns;
}

}  // namespace

Value script_register(Realm realm, const std::shared_ptr<BridgeState>& state, const Arguments& arguments) {
  const BridgeOptions& options = state->options;
  if (!options.add_operation) {
    throw Error(RuntimeError::kPermissionDenied, "[register] this script may not register operations",
                JsonObject{{"privilege", "register"}});
  }
  const Value handler = arguments[2];
  if (!handler.is_function()) throw realm.type_error("[register] the handler is no function");
  call::Registration registration;
  registration.spec = call::OperationSpec::from_json(to_json(arguments[0]));
  registration.provenance = options.provenance;
  registration.authority = options.authority;
  registration.environment = call::ScopedEnvironment(patterns_of(realm, arguments[1])).narrowed_to(options.environment);
  const std::uint64_t number = ++state->last_handler;
  const HandlerRef ref{WeakIsolate(realm), state, number, state->requests, options.owner};
  if (registration.spec.type == call::OperationType::kSubscription) {
    registration.handler = call::StreamHandler(
        [ref](call::OperationContext& context, Message input) { return serve_items(ref, context, std::move(input)); });
  } else {
    registration.handler = call::OnceHandler(
        [ref](call::OperationContext& context, Message input) { return serve_once(ref, context, std::move(input)); });
  }
  state->handlers.emplace(number, handler);
  try {
    state->removers.emplace(number, options.add_operation(std::move(registration)));
  } catch (...) {
    state->handlers.erase(number);
    throw;
  }
  return realm.closure("unregister", 0, [weak = std::weak_ptr(state), number](Realm, const Value&, Arguments) {
    const auto bridge = weak.lock();
    if (!bridge) return Value();
    const auto remover = bridge->removers.extract(number);
    bridge->handlers.erase(number);
    if (remover) remover.mapped()();
    return Value();
  });
}

}  // namespace alknet::runtime
