#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "alknet/base/executor.h"

namespace alknet::net {

struct FailedTokenLimits {
  std::size_t burst = 20;                   ///< wrong tokens of an address until it is refused
  std::chrono::milliseconds refill{3'000};  ///< after so long one more is allowed
  std::size_t max_addresses = 10'000;       ///< remembered; beyond, the one that failed longest ago is forgotten
};

/// Which addresses tried too many wrong bearer tokens: a token bucket for each. An IPv6 address counts with its /64
/// network, which one machine may own. Used on one thread.
class FailedTokens {
 public:
  explicit FailedTokens(FailedTokenLimits limits = {}) : limits_(limits) {}

  /// Whether `address` ("192.0.2.1:4000", "[2001:db8::1]:4000") has used up what it may.
  bool blocked(std::string_view address, Executor::Clock::time_point now) const;

  /// Notes a wrong token.
  void note(std::string_view address, Executor::Clock::time_point now);

  std::size_t addresses() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::string network;
    Executor::Clock::time_point full;  ///< when nothing will be held against it any more
  };
  Executor::Clock::duration held_against(const Bucket& bucket, Executor::Clock::time_point now) const;

  FailedTokenLimits limits_;
  std::list<Bucket> buckets_;  ///< the one that failed last is first
  std::unordered_map<std::string, std::list<Bucket>::iterator> by_network_;
};

}  // namespace alknet::net
