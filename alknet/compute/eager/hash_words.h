#pragma once

#include <cstdint>
#include <span>

namespace alknet::compute {

/// One step of a hash of 64-bit words.
inline std::uint64_t mix_word(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

inline std::uint64_t hash_words(std::span<const std::uint64_t> words) {
  std::uint64_t hash = words.size();
  for (const std::uint64_t word : words) hash = mix_word(hash, word);
  return hash;
}

}  // namespace alknet::compute
