#pragma once

#include <cstddef>

namespace alknet::bench::soak {

struct IdleOptions {
  std::size_t connections = 1'000;
  std::size_t subscriptions = 10'000;
  std::size_t subscribers = 100;  ///< connections that share the subscriptions
  double seconds = 60;            ///< for which they are idle
  bool json = false;              ///< print the figures as JSON too
};

/// N4: what idle connections and idle subscriptions take of a server's memory, and whether subscriptions are all alive
/// after a while: then an item is pushed to each. QUIC. True when they are and nothing takes more than 64 KiB.
bool run_idle(const IdleOptions& options);

}  // namespace alknet::bench::soak
