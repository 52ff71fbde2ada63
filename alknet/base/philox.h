#pragma once

#include <array>
#include <cstdint>

namespace alknet {

/// Philox4x32-10: four random words as a function of a counter and a key, the same on every machine and device.
/// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011); known answers of Random123.
using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

/// The halves of a 64-bit seed, low first.
constexpr PhiloxKey philox_key(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

/// Random words in order, for decisions on the host: a stream of its own for each (`seed`, `stream`, `step`). Copying
/// copies the place in the stream. One thread at a time.
class PhiloxStream {
 public:
  explicit PhiloxStream(std::uint64_t seed, std::uint32_t stream = 0, std::uint64_t step = 0)
      : key_(philox_key(seed)),
        counter_{0, static_cast<std::uint32_t>(step), stream, static_cast<std::uint32_t>(step >> 32)} {}

  std::uint32_t word() {
    if (used_ == words_.size()) {
      words_ = philox4x32(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return words_[used_++];
  }

  /// An integer in [0, range); 0 for an empty range.
  std::uint32_t below(std::uint32_t range) { return static_cast<std::uint32_t>(std::uint64_t{word()} * range >> 32); }

  /// A float in [0, 1): (word >> 8) * 2^-24.
  float uniform() { return static_cast<float>(word() >> 8) * 0x1p-24f; }

 private:
  PhiloxKey key_;
  PhiloxCounter counter_;
  PhiloxCounter words_{};
  std::size_t used_ = 4;
};

}  // namespace alknet
