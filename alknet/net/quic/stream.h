#pragma once

#include <ngtcp2/ngtcp2.h>

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/base/shared_bytes.h"
#include "alknet/net/quic/connection.h"

namespace alknet::net::quic {

/// The bytes of one stream from `write` until the peer has acknowledged them; they are never copied.
class SendQueue {
 public:
  void push(SharedBytes bytes);

  /// Bytes written and not yet given to a packet, and those given and not yet acknowledged.
  std::size_t unsent() const { return static_cast<std::size_t>(end_ - sent_); }
  std::size_t unacknowledged() const { return static_cast<std::size_t>(end_ - begin_); }

  /// The next unsent pieces, as many as fit in `pieces`; returns how many.
  std::size_t next(std::span<ngtcp2_vec> pieces) const;

  /// `size` bytes more have gone into packets.
  void advance(std::size_t size);

  /// All bytes of the stream before `offset` were acknowledged; returns how many of them were held until now.
  std::size_t acknowledge(std::uint64_t offset);

  /// Forgets what no packet holds; returns how many bytes that were.
  std::size_t drop_unsent();

 private:
  std::vector<SharedBytes> chunks_;  // chunks_[first_] holds the byte at begin_
  std::size_t first_ = 0;
  std::size_t current_ = 0;   // the chunk of the next unsent byte
  std::size_t within_ = 0;    // where in it
  std::size_t released_ = 0;  // acknowledged bytes of chunks_[first_]
  std::uint64_t begin_ = 0;   // stream offset of the first byte not acknowledged
  std::uint64_t sent_ = 0;
  std::uint64_t end_ = 0;
};

/// What a connection knows of one stream.
struct Stream {
  explicit Stream(StreamId number) : id(number) {}

  const StreamId id;
  SendQueue queue;
  Priority priority;
  bool opened = false;      ///< ngtcp2 knows it; a stream beyond the peer's limit waits
  bool fin_wanted = false;  ///< `finish` was called
  bool fin_sent = false;
  bool write_ended = false;  ///< reset by us, stopped by the peer, or none of ours: further writes are dropped
  bool wants_writable = false;
  bool reading = true;
  bool read_ended = false;       ///< finished or reset was told, or we asked to stop: bytes are dropped
  bool closed = false;           ///< ngtcp2 has forgotten it; it lives on for what is held
  bool held_fin = false;         ///< `finished` waits for the held bytes
  std::uint64_t reset_code = 0;  ///< of a stream given up before it was opened
  bool reset_wanted = false;
  bool stop_wanted = false;
  std::vector<std::byte> held;  ///< received while nobody read

  /// In the list of streams that have something to send.
  boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> ready;
};

/// Streams that have something to send, by urgency and then in turn.
class ReadyStreams {
 public:
  void add(Stream& stream);
  static void remove(Stream& stream) { stream.ready.unlink(); }

  /// The one whose turn it is, or null.
  Stream* front();

  /// Puts an incremental stream behind the others of its urgency.
  void rotate(Stream& stream);

  bool empty() const;

 private:
  using Hook = boost::intrusive::member_hook<
      Stream, boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>,
      &Stream::ready>;
  using List = boost::intrusive::list<Stream, Hook, boost::intrusive::constant_time_size<false>>;
  std::array<List, 8> lists_;
};

}  // namespace alknet::net::quic
