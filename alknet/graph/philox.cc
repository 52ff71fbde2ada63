#include "alknet/graph/philox.h"

#include <cmath>
#include <numbers>

namespace alknet::graph {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

std::uint32_t random_word(std::uint64_t seed, std::uint64_t step, std::uint32_t stream, std::uint64_t element) {
  const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  const auto words = philox4x32({low(element / 4), low(step), stream, low(step >> 32)}, {low(seed), low(seed >> 32)});
  return words[element % 4];
}

std::array<double, 2> unit_normals(std::uint32_t first, std::uint32_t second) {
  // 1 - u lies in (0, 1]: its logarithm is finite.
  const double radius = std::sqrt(-2 * std::log(1 - unit_uniform(first)));
  const double angle = 2 * std::numbers::pi * unit_uniform(second);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace alknet::graph
