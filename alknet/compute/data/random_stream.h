#pragma once

#include <cstdint>

#include "alknet/graph/philox.h"

namespace alknet::compute {

/// Random words in order, for decisions on the host: Philox by (`seed`, `stream`, `step`), the same on every machine.
/// Copying copies the place in the stream. One thread at a time.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed, std::uint32_t stream = 0, std::uint64_t step = 0)
      : seed_(seed), step_(step), stream_(stream) {}

  std::uint32_t word() { return graph::random_word(seed_, step_, stream_, next_++); }

  /// An integer in [0, range); 0 for an empty range.
  std::uint32_t below(std::uint32_t range) { return static_cast<std::uint32_t>(std::uint64_t{word()} * range >> 32); }

  /// A number in [0, 1).
  double uniform() { return graph::unit_uniform(word()); }

 private:
  std::uint64_t seed_;
  std::uint64_t step_;
  std::uint32_t stream_;
  std::uint64_t next_ = 0;
};

}  // namespace alknet::compute
