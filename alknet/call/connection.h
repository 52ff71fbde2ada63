#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/log.h"
#include "alknet/call/caller.h"
#include "alknet/call/connection_stats.h"
#include "alknet/call/dispatcher.h"
#include "alknet/call/engine/features.h"
#include "alknet/call/engine/link_limits.h"
#include "alknet/call/engine/transport.h"

namespace alknet::call {

struct ConnectionOptions {
  LinkLimits limits;
  Logger logger;

  /// What we offer when a peer asks, and ask for in `negotiate`.
  Features features = Features::all();

  /// A link between a host and its sandbox: both features from the start, and `parent` is sent and honoured.
  bool sandbox_link = false;

  /// On a sandbox link: starts every request of the peer. `parent` is the id of a request of ours that it works for;
  /// empty when it named none. Throws `forbidden` when no such request runs. Without it requests go to the dispatcher.
  std::function<CallHandle(std::string_view parent, CallRequest request, std::shared_ptr<CallSink> sink)> start_nested;
};

/// One connection to a peer: calls the peer's operations (Caller) and serves those of a dispatcher, over any transport.
///
///   auto connection = Connection::open(std::move(transport), &dispatcher, owner);
///   Message sum = co_await connection->call("math/add", {{{"a", 1}, {"b", 2}}, {}});
///
/// Everything, its destruction too, happens on one executor thread: that of the transport and the dispatcher. A call in
/// progress keeps the connection alive; otherwise dropping the last reference closes it. When it closes, every pending
/// call fails with `internal` "connection closed", what it runs for the peer is aborted, and the owner ends.
class Connection final : public Caller, public std::enable_shared_from_this<Connection> {
 public:
  /// Takes the transport over and starts it. The dispatcher may be null: then every request is answered NOT_FOUND. The
  /// owner is the peer, on whose behalf its calls run; null makes one without an identity. Executor and dispatcher must
  /// outlive the connection.
  static std::shared_ptr<Connection> open(Executor& executor, std::unique_ptr<Transport> transport,
                                          Dispatcher* dispatcher, std::shared_ptr<Owner> owner,
                                          ConnectionOptions options = {});
  ~Connection() override;

  Task<Message> call(std::string operation, Message input, CallOptions options = {}) override;
  AsyncGenerator<Message> subscribe(std::string operation, Message input, CallOptions options = {}) override;

  /// Announces our features by a call of `services/list` and takes up those that both sides have; returns the list. A
  /// peer that refuses them with INVALID_INPUT, or has no such operation, is a plain one: the connection stays as it is
  /// and the list is what it answers without features, or null.
  Task<Message> negotiate();

  /// What requests begun now may use.
  Features features() const;

  const PeerCredentials& peer() const;
  const std::shared_ptr<Owner>& owner() const;
  Executor& executor() const;
  /// Whether it ended, by either side.
  bool closed() const;
  /// Why it ended; nothing while it is open.
  const std::optional<Error>& close_reason() const;
  ConnectionStats stats() const;

  /// Called once when the connection is gone, with the reason; at once (by `post`) when it already is. After our own
  /// `close` that is when its farewell has left, or when the connection is destroyed before.
  void on_close(std::function<void(const Error& reason)> callback);

  /// Closes: pending calls fail now, and the owner ends; what was sent before, and the farewell, still leave as long as
  /// the connection is kept (see Transport::close), which `on_close` tells. Idempotent.
  void close(TransportCode code = TransportCode::kNone, std::string_view reason = "closed");

  /// Answers new requests with RESOURCE_EXHAUSTED (limit "draining"), and closes once those that run have their
  /// answers, or when `limit` has passed.
  void drain(std::chrono::milliseconds limit);

 private:
  class State;
  class ServedCall;
  class AbortAtEnd;
  explicit Connection(std::unique_ptr<State> state);
  static Task<Message> run_call(std::shared_ptr<Connection> self, std::string operation, Message input,
                                CallOptions options);
  static AsyncGenerator<Message> run_subscription(std::shared_ptr<Connection> self, std::string operation,
                                                  Message input, CallOptions options);
  static Task<Message> run_negotiation(std::shared_ptr<Connection> self);
  std::unique_ptr<State> state_;
};

}  // namespace alknet::call
