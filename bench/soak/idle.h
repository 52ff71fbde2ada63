#pragma once

#include <cstddef>

namespace alknet::bench::soak {

struct IdleOptions {
  std::size_t connections = 1'000;  ///< whose memory is measured
  std::size_t subscriptions = 10'000;
  std::size_t subscribers = 100;  ///< connections that share the subscriptions
  double seconds = 60;            ///< for which they are idle
  bool json = false;              ///< print the figures as JSON too
};

// N4, over QUIC, each part with a server of its own.

/// What idle connections take of the server's memory and of ours. True when the server's is at most 64 KiB each.
bool run_idle_connections(const IdleOptions& options);

/// The same of idle subscriptions, and whether all are alive after a while: then an item is pushed to each. True when
/// each gets that and nothing else.
bool run_idle_subscriptions(const IdleOptions& options);

}  // namespace alknet::bench::soak
