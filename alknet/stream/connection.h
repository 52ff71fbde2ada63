#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/call/engine/transport.h"

namespace alknet::stream {

using call::StreamId;
using call::TransportCode;

/// Bit 1 of a number says that only the side that opened the stream sends on it (RFC 9000 section 2.1).
constexpr bool is_unidirectional(StreamId stream) { return (stream & 2) != 0; }

/// What a StreamConnection tells the one that uses it. All calls come on its executor, none from inside a function of
/// the connection.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;

  /// The next bytes of a stream; one not seen before was opened by the peer. Valid during the call.
  virtual void received(StreamId stream, std::span<const std::byte> bytes) = 0;

  /// The peer will send nothing more on it. For a stream without bytes the first that is heard of it.
  virtual void finished(StreamId stream) = 0;

  /// The peer gave up sending.
  virtual void was_reset(StreamId stream, std::uint64_t code) = 0;

  /// The peer wants no more of what we send on it; what waits was dropped.
  virtual void was_stopped(StreamId stream, std::uint64_t code) = 0;

  /// A stream whose `write` returned false has room again.
  virtual void writable(StreamId stream) = 0;

  /// The peer has everything that was written to a unidirectional stream of ours, its end included, or the stream was
  /// reset: it no longer counts as open.
  virtual void delivered(StreamId stream) = 0;

  /// The connection is gone; no call follows.
  virtual void closed(const Error& reason) = 0;
};

/// A connection of many ordered streams in both directions, as QUIC has them: what tensor streams need. Used on the
/// thread of its executor only. Destroying it closes it without further events. Functions given an unknown or ended
/// stream do nothing.
class StreamConnection {
 public:
  virtual ~StreamConnection() = default;

  /// Begins to deliver events. `events` must outlive the connection or its `closed`.
  virtual void start(StreamEvents& events) = 0;

  virtual StreamId open_bidirectional() = 0;
  virtual StreamId open_unidirectional() = 0;

  /// Queues bytes, which are held and not copied. False when the stream holds enough: then wait for `writable`.
  virtual bool write(StreamId stream, SharedBytes bytes) = 0;

  /// Nothing more will be written.
  virtual void finish(StreamId stream) = 0;

  /// Gives up our sending side, dropping what waits.
  virtual void reset(StreamId stream, TransportCode code) = 0;

  /// Tells the peer that its bytes are not wanted; those that still come are dropped.
  virtual void stop_sending(StreamId stream, TransportCode code) = 0;

  /// Stops and goes on reading a stream, so that flow control holds the peer back.
  virtual void set_reading(StreamId stream, bool reading) = 0;

  /// Ends the connection; `closed` follows.
  virtual void close(TransportCode code, std::string_view reason) = 0;
};

}  // namespace alknet::stream
