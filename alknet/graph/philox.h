#pragma once

#include <array>
#include <cstdint>

namespace alknet::graph {

/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (2011): four words that depend on nothing but counter and key, the same on every device.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Word number `element` of a stream in one step: counter = (element / 4, step low, stream, step high), word =
/// element mod 4, key = seed.
std::uint32_t random_word(std::uint64_t seed, std::uint64_t step, std::uint32_t stream, std::uint64_t element);

/// The stream of the initialiser of the state that a graph declares as number `declaration`.
constexpr std::uint32_t initializer_stream(std::uint32_t declaration) { return 0x80000000U + declaration; }

/// A word as a number of [0, 1): its upper 24 bits, as f32 has them.
constexpr double unit_uniform(std::uint32_t word) { return static_cast<double>(word >> 8) * 0x1p-24; }

/// Two words as two independent standard normal numbers, by Box and Muller.
std::array<double, 2> unit_normals(std::uint32_t first, std::uint32_t second);

}  // namespace alknet::graph
