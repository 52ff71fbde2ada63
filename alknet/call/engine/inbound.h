#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/call/dispatcher.h"
#include "alknet/call/engine/attachments.h"
#include "alknet/call/engine/features.h"
#include "alknet/call/engine/subscription_queue.h"
#include "alknet/call/engine/transport.h"

namespace alknet::call {

/// Who runs a request of the peer, told what the peer does meanwhile.
class InboundHandler {
 public:
  virtual ~InboundHandler() = default;

  /// The peer gave the call up, or it can no longer be answered. Nothing follows.
  virtual void peer_aborted() = 0;

  /// Link::has_room became true.
  virtual void room_again() = 0;
};

/// A request of the peer that has no final answer yet.
struct InboundCall {
  InboundCall(std::string wire_id, StreamId on, Features used, Window initial)
      : id(std::move(wire_id)), stream(on), features(used), window(initial) {}

  const std::string id;
  const StreamId stream;
  const Features features;
  SendWindow window;                        ///< counts only with the feature `credit`
  bool ended = false;                       ///< nothing more can be answered
  bool completing = false;                  ///< `call.completed` goes behind the last attachment
  bool waits_for_room = false;              ///< its handler wants to hear of room
  std::weak_ptr<Assembly> assembly;         ///< of the input, while it is not whole
  std::shared_ptr<InboundHandler> handler;  ///< null until the request was started
};

/// What a request asks for.
struct InboundRequest {
  CallRequest call;
  std::optional<std::string> parent;
};

/// Reads the payload of `call.requested`. Throws `invalid_input` for members that are missing or mistyped.
InboundRequest parse_request(const std::string& id, JsonObject& payload);

/// The peer's requests by id.
class InboundCalls {
 public:
  /// Null when a call of that id runs.
  std::shared_ptr<InboundCall> add(std::string id, StreamId stream, Features features, Window window);
  std::shared_ptr<InboundCall> find(std::string_view id) const;
  void remove(const InboundCall& call);
  std::vector<std::shared_ptr<InboundCall>> all() const;
  std::vector<std::shared_ptr<InboundCall>> all_on(StreamId stream) const;
  std::size_t size() const { return calls_.size(); }

 private:
  // The keys lie in the calls. The peer chooses them: no hash table.
  std::map<std::string_view, std::shared_ptr<InboundCall>> calls_;
};

/// How many calls may begin: `per_second` in each second, and as many at once.
class CallRate {
 public:
  explicit CallRate(std::uint32_t per_second) : per_second_(per_second), allowance_(per_second) {}

  /// Whether one more may begin at `now`; counts it if so.
  bool admit(Executor::Clock::time_point now);

 private:
  double per_second_;
  double allowance_;
  Executor::Clock::time_point refilled_{};
};

}  // namespace alknet::call
