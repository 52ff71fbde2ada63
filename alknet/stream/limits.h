#pragma once

#include <cstddef>
#include <cstdint>

/// The numbers of the protocol `alknet/tensor`.
namespace alknet::stream {

inline constexpr const char* kAlpn = "alknet/tensor";

inline constexpr std::size_t kMaxRequestBytes = std::size_t{4} << 20;  ///< JSON of one request.
inline constexpr std::size_t kMaxReplyBytes = std::size_t{64} << 10;   ///< JSON of one reply, without the header.
inline constexpr std::size_t kMaxOpenStreams = 64;                     ///< Of tensors, at a time, on one connection.
inline constexpr std::size_t kMaxRequests = 16;                        ///< Open at a time on one connection.
inline constexpr std::size_t kMaxTokenBytes = 256;

}  // namespace alknet::stream
