#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/executor.h"
#include "alknet/base/log.h"
#include "alknet/base/task.h"
#include "alknet/call/connection.h"
#include "alknet/call/from_call.h"

namespace alknet::net {

/// How long to wait before a peer is dialled again: exponential back-off with full jitter (M. Brooker, "Exponential
/// Backoff And Jitter", 2015). After n failures in a row the wait is drawn evenly from zero to min(cap, first *
/// 2^(n-1)).
struct BackOff {
  std::chrono::milliseconds first{500};
  std::chrono::milliseconds cap{60'000};

  /// A connection that held so long was a good one: after it the counting begins anew. A peer that lets us in and
  /// throws us out again is dialled no more often than one that is not there.
  std::chrono::milliseconds steady{30'000};

  /// The longest wait after so many failures in a row.
  std::chrono::milliseconds longest(std::uint32_t failures) const;
};

/// What a PeerLink is doing.
enum class LinkPhase {
  kConnecting,  ///< dials, or reads what the peer offers
  kConnected,   ///< the peer's operations are imported
  kWaiting,     ///< until it dials again
  kStopped,
};

/// "connecting", "connected", "waiting", "stopped".
std::string_view link_phase_name(LinkPhase phase);

struct PeerLinkState {
  LinkPhase phase = LinkPhase::kConnecting;
  std::size_t operations = 0;                              ///< imported now
  std::uint64_t attempts = 0;                              ///< dials since it was made
  std::uint32_t failures = 0;                              ///< in a row
  std::optional<Error> last_error{};                       ///< why it is not connected
  std::optional<Executor::Clock::time_point> next_dial{};  ///< while it waits
};

struct PeerLinkOptions {
  std::string peer_id;

  /// A new connection to the peer, whose owner has the peer's id as its name.
  std::function<Task<std::shared_ptr<call::Connection>>()> dial;

  /// `namespace_prefix` defaults to the peer's id.
  call::ImportOptions import;

  BackOff back_off;

  /// Evenly from [0, 1); the system's randomness when empty.
  std::function<double()> random;

  /// Told after each attempt, with the error when it failed. May be empty.
  std::function<void(const Error* failed)> on_attempt;

  Logger logger;
};

/// Keeps one connection to a peer open and the peer's operations imported. When the connection is lost, or cannot be
/// made, the operations go at once and the peer is dialled again after a wait (BackOff).
///
///   PeerLink link(loop, registry, {.peer_id = "gpu1", .dial = dial, .import = {.layer = overlay}});
///
/// Everything happens on the executor's thread, where the link must be made and destroyed too; time is the executor's.
class PeerLink {
 public:
  /// Begins at once. Executor and registry must outlive the link. Throws `name_taken` when operations may not have the
  /// prefix: it is a reserved namespace, or one of this node's own.
  PeerLink(Executor& executor, const call::Registry& registry, PeerLinkOptions options);

  /// Stops.
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  const std::string& peer_id() const;
  PeerLinkState state() const;

  /// The connection, while there is one.
  std::shared_ptr<call::Connection> connection() const;

  /// Dials now if it waits: something has changed that may help. The counting of failures begins anew.
  void retry();

  /// Reads again what the peer offers, if it is connected; until that is there the operations stay as they were. When
  /// it cannot be read the connection is closed, as one that was lost.
  void refresh();

  /// Closes the connection, takes the operations away and dials no more. Idempotent.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
