#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/base/shared_bytes.h"

namespace alknet::call {

/// A stream of one connection. Each transport chooses its numbers; a transport with one stream calls it 0.
using StreamId = std::uint64_t;

/// How frames lie in what a transport carries.
enum class Framing {
  kLengthPrefix,  ///< an ordered sequence of bytes: u32 big-endian length, then the frame
  kMessage,       ///< messages with ends of their own (WebSocket): one message is one frame
};

/// Why a stream or a connection was ended, as the error code that QUIC carries.
enum class TransportCode : std::uint64_t {
  kNone = 0,           ///< an orderly end
  kProtocolError = 1,  ///< malformed frame or envelope
  kLimitExceeded = 2,  ///< a limit of ours: frame size, streams, rate
  kAborted = 3,        ///< the call that used the stream was aborted
  kInternalError = 4,
  kUnauthorized = 5,  ///< the peer may not connect
  kDraining = 6,      ///< the node is about to stop
};

/// Who is at the other end, as far as the transport proved it.
struct PeerCredentials {
  std::optional<std::string> fingerprint;       ///< "ed25519:HEX" of a raw public key, "sha256:HEX" of a certificate
  std::optional<std::string> bearer_token;      ///< of an HTTP upgrade
  std::optional<std::string> certificate_name;  ///< the subject's common name, when a CA of ours signed it
  std::string address;                          ///< for logs: "quic:127.0.0.1:4433", "unix:PATH"
  bool same_user = false;                       ///< a Unix socket whose other end runs as our user
};

/// What a transport tells the one that uses it. All calls come on the transport's executor, none from inside a function
/// of the transport.
class TransportEvents {
 public:
  virtual ~TransportEvents() = default;

  /// The next bytes of a stream, or, with Framing::kMessage, one message. A stream never seen before was opened by the
  /// peer. The bytes are valid during the call.
  virtual void received(StreamId stream, std::span<const std::byte> bytes) = 0;

  /// The peer will send nothing more on this stream.
  virtual void finished(StreamId stream) = 0;

  /// The peer gave the stream up in at least one direction; nothing more comes on it and what is written is dropped.
  virtual void was_reset(StreamId stream, std::uint64_t code) = 0;

  /// A stream whose `write` returned false has room again.
  virtual void writable(StreamId stream) = 0;

  /// The connection is gone; no call follows. Comes once, also after our own `close`.
  virtual void closed(const Error& reason) = 0;
};

/// One connection of ordered, reliable streams in both directions: QUIC, or a single stream over TLS, a Unix socket, a
/// socket pair, a WebSocket, or memory. Used on the thread of its executor only. Destroying it closes the connection
/// without further events.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual Framing framing() const = 0;

  /// Whether each call has a stream of its own (QUIC); otherwise stream 0 is all there is.
  virtual bool multiplexed() const = 0;

  /// Who the peer is; final once events begin.
  virtual const PeerCredentials& peer() const = 0;

  /// Begins to read. `events` must outlive the transport or its `closed`.
  virtual void start(TransportEvents& events) = 0;

  /// A new stream in both directions. Where the peer allows no more streams yet, its bytes wait. Single-stream
  /// transports always answer 0.
  virtual StreamId open_stream() = 0;

  /// Queues `bytes` behind what was written before; for Framing::kMessage one message. Bytes of one turn of the
  /// executor leave together. False when more than the transport's high-water mark waits: a polite writer then pauses
  /// until `writable`. Unknown and finished streams drop the bytes.
  virtual bool write(StreamId stream, SharedBytes bytes) = 0;

  /// Nothing more will be written to the stream. On a single-stream transport it has no effect.
  virtual void finish(StreamId stream) = 0;

  /// Gives up a stream in both directions, dropping what waits. On a single-stream transport it closes the connection.
  virtual void reset(StreamId stream, TransportCode code) = 0;

  /// Stops and goes on reading a stream, so that flow control holds the peer back.
  virtual void set_reading(StreamId stream, bool reading) = 0;

  /// Ends the connection after what was written has left, or soon; `closed` follows.
  virtual void close(TransportCode code, std::string_view reason) = 0;
};

}  // namespace alknet::call
