#include "alknet/net/failed_tokens.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace alknet::net {

namespace {

/// What is counted together: an IPv4 address, or the first 64 bits of an IPv6 address.
std::string network_of(std::string_view address) {
  const std::string host(address.substr(0, address.rfind(':')));
  if (!host.starts_with('[') || !host.ends_with(']')) return host;
  const std::string number = host.substr(1, host.find_first_of("%]") - 1);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, number.c_str(), bytes.data()) != 1) return host;
  constexpr std::array<unsigned char, 12> kIpv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const bool is_ipv4 = std::equal(kIpv4.begin(), kIpv4.end(), bytes.begin());
  return {reinterpret_cast<const char*>(bytes.data()), is_ipv4 ? bytes.size() : bytes.size() / 2};
}

}  // namespace

/// What fails costs `refill`, and time pays it back: the bucket is a debt in time.
Executor::Clock::duration FailedTokens::held_against(const Bucket& bucket, Executor::Clock::time_point now) const {
  return std::max(bucket.full - now, Executor::Clock::duration::zero());
}

bool FailedTokens::blocked(std::string_view address, Executor::Clock::time_point now) const {
  const auto found = by_network_.find(network_of(address));
  if (found == by_network_.end()) return false;
  return held_against(*found->second, now) > limits_.refill * (static_cast<std::ptrdiff_t>(limits_.burst) - 1);
}

void FailedTokens::note(std::string_view address, Executor::Clock::time_point now) {
  const std::string network = network_of(address);
  const auto found = by_network_.find(network);
  if (found == by_network_.end()) {
    if (buckets_.size() >= limits_.max_addresses) {
      by_network_.erase(buckets_.back().network);
      buckets_.pop_back();
    }
    buckets_.push_front({network, now + limits_.refill});
    by_network_.emplace(network, buckets_.begin());
    return;
  }
  Bucket& bucket = *found->second;
  const auto most = limits_.refill * static_cast<std::ptrdiff_t>(limits_.burst);
  bucket.full = now + std::min<Executor::Clock::duration>(held_against(bucket, now) + limits_.refill, most);
  buckets_.splice(buckets_.begin(), buckets_, found->second);
}

}  // namespace alknet::net
