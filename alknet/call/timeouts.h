#pragma once

#include <chrono>
#include <cstdint>

namespace alknet::call {

/// 30 years. What asks for more gets this, so that no clock overflows.
inline constexpr std::chrono::milliseconds kLongestTimeout{1'000'000'000'000};

/// `milliseconds`, which somebody else wrote, as a timeout.
constexpr std::chrono::milliseconds timeout_of(std::int64_t milliseconds) {
  return milliseconds < kLongestTimeout.count() ? std::chrono::milliseconds(milliseconds) : kLongestTimeout;
}

}  // namespace alknet::call
