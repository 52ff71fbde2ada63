#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace alknet::call {

/// What one connection may use. Where a limit is reached the call that reached it fails with `resource_exhausted` and
/// details `limit`, the name here; what cannot be answered resets its stream with TransportCode::kLimitExceeded.
struct LinkLimits {
  /// The longest frame, in both directions.
  std::size_t frame = std::size_t{16} << 20;

  /// Requests of ours that have no answer yet.
  std::uint32_t pending_calls = 65'536;

  /// Requests of the peer that have no answer yet.
  std::uint32_t inbound_calls = 16'384;

  /// New requests of the peer in a second, and at once.
  std::uint32_t calls_per_second = 1'000'000;

  /// Streams that the peer holds open.
  std::uint32_t streams = 16'384;

  /// Bytes received that are not yet a whole frame or a whole attachment; a stream that passes it is reset.
  std::uint64_t bytes_in_flight = std::uint64_t{512} << 20;

  /// Bytes of answers that the peer is slow to take; a stream that passes it is reset.
  std::uint64_t bytes_unsent = std::uint64_t{512} << 20;

  /// All attachments of one envelope, in both directions.
  std::uint64_t attachment_bytes = std::uint64_t{256} << 20;

  /// Attachments of the peer that are announced and not whole; a stream that passes it is reset.
  std::uint32_t attachments = 16'384;

  /// Frames that belong to nothing: answers that nobody waits for, chunks of them. A call that was given up leaves
  /// some, so this is for links on which that does not happen; a stream that passes it is reset.
  std::uint64_t stray_frames = std::numeric_limits<std::uint64_t>::max();

  /// What a subscription may hold unread. With the feature `credit` these are also the first window, which is part of
  /// the protocol: 256 and 4 MiB. Change them only on both sides alike.
  std::uint32_t queue_items = 256;
  std::uint64_t queue_bytes = std::uint64_t{4} << 20;

  /// A frame or an attachment of which nothing came for so long resets its stream. Looked for every `sweep`.
  std::chrono::milliseconds stall{30'000};
  std::chrono::milliseconds sweep{10'000};

  /// For calls whose operation's own deadline is not known.
  std::chrono::milliseconds default_timeout{30'000};
};

}  // namespace alknet::call
