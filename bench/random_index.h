#pragma once

#include <cstdint>

namespace alknet::bench {

/// The same indices below `count`, in the same random order, for ours and the C++ peers: Marsaglia's xorshift64, its
/// upper half scaled to the range.
class RandomIndex {
 public:
  explicit RandomIndex(std::uint64_t count) : count_(count) {}

  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 32) * count_ >> 32;
  }

 private:
  std::uint64_t count_;
  std::uint64_t state_ = 88172645463325252;
};

}  // namespace alknet::bench
