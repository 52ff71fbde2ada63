#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/call/engine/transport.h"

namespace alknet::net::quic {

class ConnectionCore;

/// A stream's number as RFC 9000 section 2.1 gives it: bit 0 says who opened it (0 the client), bit 1 is set when it is
/// unidirectional.
using StreamId = call::StreamId;

/// Whether a stream carries bytes only from the side that opened it.
constexpr bool is_unidirectional(StreamId stream) { return (stream & 2) != 0; }

/// The order in which streams send, in the terms of RFC 9218. A lower urgency goes first. Streams of one urgency take
/// turns packet by packet when they are incremental; otherwise the first to have data sends all it has.
struct Priority {
  std::uint8_t urgency = 3;  ///< 0..7
  bool incremental = true;
};

/// What a connection tells the one that uses it. All calls come on the loop's thread, none from inside a function of
/// the connection. Functions must not throw; a connection whose user throws is closed with `kInternalError`.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;

  /// The next bytes of a stream. A stream never seen before was opened by the peer. Valid during the call.
  virtual void received(StreamId stream, std::span<const std::byte> bytes) = 0;

  /// The peer will send nothing more on this stream. For a stream without bytes it is the first that is heard of it.
  virtual void finished(StreamId stream) = 0;

  /// The peer gave up sending (RESET_STREAM): no more bytes come, and some that it wrote never came.
  virtual void was_reset(StreamId stream, std::uint64_t code) = 0;

  /// The peer does not want more bytes (STOP_SENDING): what waits was dropped, further writes are ignored. The code is
  /// 0 when it is noticed by a write, since ngtcp2 tells it only with the end of the stream.
  virtual void was_stopped(StreamId stream, std::uint64_t code) = 0;

  /// A stream whose `write` returned false has room again.
  virtual void writable(StreamId stream) = 0;

  /// A stream is over in every direction that it has, and the peer has acknowledged what we sent on it, its end
  /// included: it no longer counts as open.
  virtual void ended(StreamId /*stream*/) {}

  /// The connection is gone; no call follows. Comes once, also after our own `close`. Details have `code` (number),
  /// `application` (whether the code is the application's), `by_peer` and `reason` where QUIC carried them.
  virtual void closed(const Error& reason) = 0;
};

/// Counters of one connection.
struct Statistics {
  std::uint64_t bytes_in_flight = 0;    ///< sent and not yet acknowledged
  std::uint64_t congestion_window = 0;  ///< bytes
  std::uint64_t smoothed_rtt_ns = 0;    ///< nanoseconds
  std::uint64_t datagram_bytes = 0;     ///< what path MTU discovery found so far
  std::uint64_t queued_bytes = 0;       ///< written and not yet acknowledged, over all streams
  std::uint64_t held_bytes = 0;         ///< received for streams that do not read
  std::size_t streams = 0;              ///< known streams
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_received = 0;
  std::uint64_t key_updates = 0;
};

/// One QUIC connection (RFC 9000) that has completed its handshake, made by an Endpoint. Used on the thread of its loop
/// only. Destroying it closes the connection: what was written still leaves where the peer takes it soon, no event
/// follows.
///
/// Functions given the number of an unknown, finished or reset stream do nothing.
class Connection {
 public:
  explicit Connection(std::shared_ptr<ConnectionCore> core);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Who the peer proved to be.
  const call::PeerCredentials& peer() const;

  /// The application protocol that both sides agreed on, for example "alknet/call".
  const std::string& alpn() const;

  /// Begins to deliver events. `events` must outlive the connection or its `closed`.
  void start(ConnectionEvents& events);

  /// A new stream. Where the peer allows no more streams yet, what is written to it waits.
  StreamId open_bidirectional();
  StreamId open_unidirectional();

  /// Queues bytes without copying them; they are held until the peer acknowledged them. False when more than
  /// Options::high_water_mark bytes of the stream wait to be sent. What one turn of the loop writes leaves together.
  bool write(StreamId stream, SharedBytes bytes);

  /// Nothing more will be written to the stream.
  void finish(StreamId stream);

  /// Gives up our sending side and drops what waits (RESET_STREAM).
  void reset(StreamId stream, std::uint64_t code);

  /// Asks the peer to send nothing more on the stream (STOP_SENDING); what still comes is dropped.
  void stop_sending(StreamId stream, std::uint64_t code);

  /// Stops and goes on reading a stream. While it does not read, received bytes are held, at most a stream's window of
  /// them, and the peer gets no credit for more.
  void set_reading(StreamId stream, bool reading);

  void set_priority(StreamId stream, Priority priority);

  /// Ends the connection: what was written leaves first where the peer takes it within Options::close_timeout. `closed`
  /// follows; no other event does. The code and the reason (at most 256 bytes of it) are shown to the peer.
  void close(std::uint64_t code, std::string_view reason);

  /// Begins a key update (RFC 9001 section 6), unless an earlier one is under way.
  void update_keys();

  /// Moves a connection that we dialled to a new local port (RFC 9000 section 9). False when that is impossible now.
  bool migrate();

  Statistics statistics() const;

 private:
  std::shared_ptr<ConnectionCore> core_;
};

}  // namespace alknet::net::quic
