#include "alknet/call/connection.h"

#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/random_hex.h"
#include "alknet/call/engine/link.h"

namespace alknet::call {

namespace {

constexpr std::string_view kListOperation = "services/list";

/// The input of services/list that announces features; one that does not for none.
Message announcement(const Features& features) {
  const auto names = features.names();
  JsonObject input;
  if (!names.empty()) input.emplace("features", JsonArray(names.begin(), names.end()));
  return {std::move(input), {}};
}

/// The answer of one of our calls, for the coroutine that waits.
class CompletionSink final : public AnswerSink {
 public:
  void responded(Message output) override { answer.set_value(std::move(output)); }
  void failed(const Error& error) override { answer.set_error(std::make_exception_ptr(error)); }

  Completion<Message> answer;
};

/// A subscription whose reader is a coroutine.
class AwaitedSubscription final : public Subscription {
 public:
  using Subscription::Subscription;
  void readable() override { changed.set_value(); }

  Completion<void> changed;
};

}  // namespace

class Connection::State final : public TransportEvents, public LinkEvents {
 public:
  State(Executor& executor, std::unique_ptr<Transport> carrier, Dispatcher* serves, std::shared_ptr<Owner> peer,
        ConnectionOptions with)
      : on(executor),
        dispatcher(serves),
        owner(std::move(peer)),
        options(std::move(with)),
        transport(std::move(carrier)),
        link(*transport, *this, link_options()) {}

  // What the transport reports. `self` keeps the connection while its last user lets go of it.
  void received(StreamId stream, std::span<const std::byte> bytes) override {
    const auto self = begin();
    link.received(stream, bytes);
    after();
  }
  void finished(StreamId stream) override {
    const auto self = begin();
    link.finished(stream);
    after();
  }
  void was_reset(StreamId stream, std::uint64_t code) override {
    const auto self = begin();
    link.was_reset(stream, code);
    after();
  }
  void writable(StreamId stream) override {
    const auto self = begin();
    link.writable(stream);
    after();
  }
  void closed(const Error& reason) override {
    const auto self = begin();
    end(reason);
    gone();
  }

  void requested(std::shared_ptr<InboundCall> call, InboundRequest request) override;

  std::shared_ptr<Connection> begin() {
    link.advance(on.now());
    return connection.lock();
  }

  /// Arms the timer for what is due next; one that is armed earlier does.
  void after() {
    close_if_drained();
    const auto next = link.next_tick();
    if (!next || is_closed || (armed && *armed <= *next)) return;
    if (armed) on.cancel(timer);
    armed = next;
    timer = on.post_after(*next - on.now(), [weak = connection] {
      const auto self = weak.lock();
      if (!self) return;
      State& state = *self->state_;
      state.armed.reset();
      state.begin();
      state.link.tick();
      state.after();
    });
  }

  /// From now on nothing is asked or answered.
  void end(const Error& reason) {
    if (std::exchange(is_closed, true)) return;
    if (armed) on.cancel(timer);
    close_reason = reason;
    link.closed(reason);
    owner->end();
  }

  /// The transport has ended too.
  void gone() {
    if (std::exchange(is_gone, true)) return;
    for (auto& callback : std::exchange(close_callbacks, {})) callback(*close_reason);
  }

  /// While draining: closes when nothing runs.
  void close_if_drained() {
    if (!draining || is_closed || link.inbound_calls() > 0) return;
    transport->close(TransportCode::kDraining, "the node is about to stop");
  }

  LinkOptions link_options() const {
    return {options.limits, options.logger, random_hex(8), options.sandbox_link ? options.features : Features{},
            options.sandbox_link};
  }

  /// What `services/list` answers to the peer's features; they hold once that answer has left.
  std::vector<std::string> negotiate_inbound(const std::vector<std::string>& names) {
    agreed = options.features.both(Features::from_names(names));
    return options.features.names();
  }

  Executor& on;
  Dispatcher* dispatcher;
  std::shared_ptr<Owner> owner;
  ConnectionOptions options;
  std::weak_ptr<Connection> connection;
  std::unique_ptr<Transport> transport;
  Link link;
  std::optional<Features> agreed;  // with the next answer of services/list
  TimerId timer;
  std::optional<Executor::Clock::time_point> armed;
  bool is_closed = false;
  bool is_gone = false;
  bool draining = false;
  std::optional<Error> close_reason;
  std::vector<std::function<void(const Error&)>> close_callbacks;
};

/// A request of the peer that the dispatcher runs: carries answers to the link, and the peer's doings to the call.
class Connection::ServedCall final : public CallSink, public InboundHandler {
 public:
  ServedCall(std::weak_ptr<Connection> connection, std::shared_ptr<InboundCall> call)
      : connection_(std::move(connection)), call_(std::move(call)) {}

  void responded(Message output, const Operation& operation) override {
    const bool last = operation.spec().type != OperationType::kSubscription;
    with_state([&](State& state) {
      state.link.respond(call_, std::move(output), &operation.output_bytes(), last);
      if (state.agreed && operation.spec().name == kListOperation) {
        state.link.set_features(*std::exchange(state.agreed, std::nullopt));
      }
    });
  }
  void completed() override {
    with_state([&](State& state) { state.link.complete(call_); });
  }
  void failed(const WireError& error) override {
    with_state([&](State& state) { state.link.fail(call_, error); });
  }
  Task<void> room() override {
    while (const auto connection = connection_.lock()) {
      if (connection->state_->link.has_room(call_)) co_return;
      room_ = Completion<void>();
      co_await room_.wait();
    }
  }

  void peer_aborted() override {
    handle.abort();
    room_.set_value();
  }
  void room_again() override { room_.set_value(); }

  CallHandle handle;

 private:
  template <typename Use>
  void with_state(const Use& use) {
    const auto connection = connection_.lock();
    if (!connection || connection->state_->is_closed) return;
    connection->state_->begin();
    use(*connection->state_);
    connection->state_->after();
  }

  std::weak_ptr<Connection> connection_;
  std::shared_ptr<InboundCall> call_;
  Completion<void> room_;
};

void Connection::State::requested(std::shared_ptr<InboundCall> call, InboundRequest request) {
  if (draining) {
    return link.fail(std::move(call), {"RESOURCE_EXHAUSTED", "this node is about to stop: try another, or later", true,
                                       JsonObject{{"limit", "draining"}}});
  }
  if (dispatcher == nullptr && !options.start_nested) {
    return link.fail(std::move(call), {"NOT_FOUND", "this side serves no operations", false, nullptr});
  }
  const auto served = std::make_shared<ServedCall>(connection, call);
  call->handler = served;
  if (!options.start_nested) {
    served->handle = dispatcher->start(owner, std::move(request.call), served);
    return;
  }
  try {
    served->handle = options.start_nested(request.parent.value_or(""), std::move(request.call), served);
  } catch (const Error& error) {
    link.fail(std::move(call), {wire_code(error), error.message(), false, error.details()});
  }
}

/// Gives a request up when the coroutine that waits for it goes away; one that has ended does not mind.
class Connection::AbortAtEnd {
 public:
  AbortAtEnd(State& state, std::uint64_t number) : state_(state), number_(number) {}
  ~AbortAtEnd() {
    if (state_.is_closed) return;
    state_.begin();
    state_.link.abort(number_);
    state_.after();
  }
  AbortAtEnd(const AbortAtEnd&) = delete;
  AbortAtEnd& operator=(const AbortAtEnd&) = delete;

 private:
  State& state_;
  std::uint64_t number_;
};

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}

Connection::~Connection() {
  state_->end(Error(CallError::kTransport, "closed"));
  state_->gone();
}

std::shared_ptr<Connection> Connection::open(Executor& executor, std::unique_ptr<Transport> transport,
                                             Dispatcher* dispatcher, std::shared_ptr<Owner> owner,
                                             ConnectionOptions options) {
  if (!owner) {
    owner = std::make_shared<Owner>(Owner::Kind::kConnection, transport->peer().address, std::nullopt);
  }
  const std::shared_ptr<Connection> connection(new Connection(
      std::make_unique<State>(executor, std::move(transport), dispatcher, std::move(owner), std::move(options))));
  State& state = *connection->state_;
  state.connection = connection;
  state.owner->negotiate_features = [weak = state.connection](const std::vector<std::string>& names) {
    const auto self = weak.lock();
    return self ? self->state_->negotiate_inbound(names) : std::vector<std::string>();
  };
  state.begin();
  state.transport->start(state);
  return connection;
}

Task<Message> Connection::call(std::string operation, Message input, CallOptions options) {
  return run_call(shared_from_this(), std::move(operation), std::move(input), std::move(options));
}

AsyncGenerator<Message> Connection::subscribe(std::string operation, Message input, CallOptions options) {
  return run_subscription(shared_from_this(), std::move(operation), std::move(input), std::move(options));
}

Task<Message> Connection::negotiate() { return run_negotiation(shared_from_this()); }

Task<Message> Connection::run_call(std::shared_ptr<Connection> self, std::string operation, Message input,
                                   CallOptions options) {
  State& state = *self->state_;
  const auto sink = std::make_shared<CompletionSink>();
  state.begin();
  const AbortAtEnd guard(state, state.link.call(std::move(operation), std::move(input), options, sink));
  state.after();
  co_return co_await sink->answer.wait();
}

AsyncGenerator<Message> Connection::run_subscription(std::shared_ptr<Connection> self, std::string operation,
                                                     Message input, CallOptions options) {
  State& state = *self->state_;
  const auto subscription = std::make_shared<AwaitedSubscription>(state.link.window());
  state.begin();
  state.link.subscribe(std::move(operation), std::move(input), options, subscription);
  const AbortAtEnd guard(state, subscription->number);
  state.after();
  while (true) {
    state.begin();
    Link::Taken taken = state.link.take(*subscription);
    state.after();
    if (taken.item) {
      co_yield std::move(*taken.item);
    } else if (taken.error) {
      throw Error(*taken.error);
    } else if (taken.ended) {
      co_return;
    } else {
      subscription->changed = Completion<void>();
      co_await subscription->changed.wait();
    }
  }
}

Task<Message> Connection::run_negotiation(std::shared_ptr<Connection> self) {
  State& state = *self->state_;
  try {
    Message list = co_await self->call(std::string(kListOperation), announcement(state.options.features));
    const auto* object = list.value.if_object();
    const auto* theirs = object == nullptr ? nullptr : object->if_contains("features");
    if (!state.options.sandbox_link && theirs != nullptr && theirs->is_array()) {
      std::vector<std::string> known;
      for (const Json& name : theirs->get_array()) {
        if (name.is_string()) known.emplace_back(name.get_string());
      }
      state.link.set_features(state.options.features.both(Features::from_names(known)));
    }
    co_return list;
  } catch (const Error& error) {
    if (error.code() == CallError::kNotFound) co_return Message{};
    if (error.code() != CallError::kInvalidInput) throw;
  }
  co_return co_await self->call(std::string(kListOperation), announcement({}));
}

Features Connection::features() const { return state_->link.features(); }
const PeerCredentials& Connection::peer() const { return state_->transport->peer(); }
const std::shared_ptr<Owner>& Connection::owner() const { return state_->owner; }
Executor& Connection::executor() const { return state_->on; }
bool Connection::closed() const { return state_->is_closed; }
const std::optional<Error>& Connection::close_reason() const { return state_->close_reason; }
ConnectionStats Connection::stats() const { return state_->link.stats(); }

void Connection::on_close(std::function<void(const Error&)> callback) {
  if (!state_->is_gone) {
    state_->close_callbacks.push_back(std::move(callback));
    return;
  }
  state_->on.post([callback = std::move(callback), reason = *state_->close_reason] { callback(reason); });
}

void Connection::close(TransportCode code, std::string_view reason) {
  const auto self = state_->begin();
  if (state_->is_closed) return;
  state_->transport->close(code, reason);
  state_->end(Error(CallError::kTransport, std::string(reason)));
}

void Connection::drain(std::chrono::milliseconds limit) {
  state_->draining = true;
  state_->on.post_after(limit, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->close(TransportCode::kDraining, "the node is about to stop");
  });
  state_->begin();
  state_->after();
}

}  // namespace alknet::call
