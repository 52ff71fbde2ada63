#pragma once

#include <cstdint>

namespace alknet::call {

/// Counters of one connection since it opened, and what is there now.
struct ConnectionStats {
  std::uint64_t bytes_received = 0;  ///< frames with their prefixes
  std::uint64_t bytes_sent = 0;
  std::uint64_t requests_received = 0;
  std::uint64_t requests_sent = 0;
  std::uint64_t refused = 0;          ///< requests of the peer that a limit or the protocol refused
  std::uint64_t streams_reset = 0;    ///< because of what the peer sent on them
  std::uint64_t running_calls = 0;    ///< of the peer, now
  std::uint64_t pending_calls = 0;    ///< ours, now
  std::uint64_t bytes_in_flight = 0;  ///< received and not yet whole, now
  std::uint64_t bytes_unsent = 0;     ///< answered and not yet taken by the transport, now
};

}  // namespace alknet::call
