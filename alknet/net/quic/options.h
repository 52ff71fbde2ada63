#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace alknet::net::quic {

/// When a server makes a new client prove that its address is its own before it keeps any state (RFC 9000 section 8.1).
enum class RetryPolicy {
  kUnderLoad,  ///< while at least Options::retry_above handshakes are under way
  kAlways,
  kNever,
};

enum class CongestionControl {
  kCubic,  ///< RFC 9438
  kBbr,    ///< BBR version 2
};

/// What an endpoint allows and how it sends. The defaults serve programs; tests shorten times.
struct Options {
  std::chrono::milliseconds handshake_timeout{10'000};
  /// A connection on which nothing came for so long is gone; the smaller of both sides' values counts.
  std::chrono::milliseconds idle_timeout{60'000};
  /// A connection that we dialled is kept alive by a PING after so long; zero for not at all.
  std::chrono::milliseconds keep_alive{20'000};
  /// How long a closed connection tries to deliver what was written before.
  std::chrono::milliseconds close_timeout{1'000};

  RetryPolicy retry = RetryPolicy::kUnderLoad;
  std::size_t retry_above = 64;          ///< handshakes under way
  std::size_t max_handshakes = 1'024;    ///< more are refused
  std::size_t max_connections = 20'000;  ///< more are refused

  std::uint64_t max_bidirectional_streams = 1'024;  ///< open at a time, by the peer
  std::uint64_t max_unidirectional_streams = 128;

  /// Bytes that a stream, and a connection, may have received before anyone took them: at first, and after growing with
  /// the speed of the path.
  std::uint64_t stream_window = 1 << 20;
  std::uint64_t max_stream_window = 16 << 20;
  std::uint64_t connection_window = 4 << 20;
  std::uint64_t max_connection_window = 64 << 20;

  /// Bytes of one stream that wait to be sent, above which `write` answers false.
  std::size_t high_water_mark = 1 << 20;

  CongestionControl congestion_control = CongestionControl::kCubic;
  /// The largest datagram that path MTU discovery tries; zero for what suits the path (more on loopback).
  std::size_t max_datagram_bytes = 0;
};

}  // namespace alknet::net::quic
