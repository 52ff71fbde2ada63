#include <algorithm>
#include <array>
#include <utility>

#include "alknet/net/quic/connection_core.h"
#include "alknet/net/quic/endpoint_state.h"

// How a connection fills packets and when it looks at the clock again.

namespace alknet::net::quic {

namespace {

constexpr std::size_t kMostPieces = 16;

/// How late a connection without anything to send may look at the clock. ngtcp2 wants to acknowledge after an eighth of
/// the round trip, which on loopback would be a packet of its own for each answer; so late, most acknowledgements leave
/// with the next bytes.
constexpr ngtcp2_duration kTimerSlack = NGTCP2_MILLISECONDS;

}  // namespace

void ConnectionCore::open_waiting_streams() {
  const auto open_some = [this](std::deque<StreamId>& waiting, auto left, auto open_one) {
    while (!waiting.empty() && left(conn_) > 0) {
      Stream& stream = *find(waiting.front());
      std::int64_t number = 0;
      if (open_one(conn_, &number, &stream) != 0) return;
      waiting.pop_front();
      stream.opened = true;
      if (stream.reset_wanted) ngtcp2_conn_shutdown_stream_write(conn_, 0, number, stream.reset_code);
      if (stream.stop_wanted) ngtcp2_conn_shutdown_stream_read(conn_, 0, number, stream.reset_code);
      if (!stream.write_ended && (stream.queue.unsent() > 0 || stream.fin_wanted)) ready_.add(stream);
    }
  };
  open_some(waiting_bidirectional_, ngtcp2_conn_get_streams_bidi_left, ngtcp2_conn_open_bidi_stream);
  open_some(waiting_unidirectional_, ngtcp2_conn_get_streams_uni_left, ngtcp2_conn_open_uni_stream);
}

bool ConnectionCore::write_packets(ngtcp2_tstamp now) {
  open_waiting_streams();
  UdpSocket& socket = endpoint_->socket();
  const std::size_t quantum = ngtcp2_conn_get_send_quantum(conn_);
  const std::size_t largest = ngtcp2_conn_get_max_tx_udp_payload_size(conn_);
  ngtcp2_path_storage route;
  ngtcp2_path_storage_zero(&route);
  std::size_t sent = 0;
  while (sent < quantum && !socket.is_full()) {
    const auto space = socket.space(largest);
    const ngtcp2_ssize size = write_packet(space, route, now);
    if (size < 0) {
      fail(static_cast<int>(size), now);
      return false;
    }
    if (size == 0) break;
    socket.queue(static_cast<std::size_t>(size), SocketAddress::of(route.path.remote.addr, route.path.remote.addrlen));
    sent += static_cast<std::size_t>(size);
    ++datagrams_sent_;
  }
  ngtcp2_conn_update_pkt_tx_time(conn_, now);
  return true;
}

ngtcp2_ssize ConnectionCore::write_packet(std::span<std::uint8_t> space, ngtcp2_path_storage& route,
                                          ngtcp2_tstamp now) {
  bool credit_left = ngtcp2_conn_get_max_data_left(conn_) > 0;
  for (;;) {
    Stream* stream = credit_left ? ready_.front() : nullptr;
    std::array<ngtcp2_vec, kMostPieces> pieces{};
    std::size_t count = 0;
    std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    std::size_t given = 0;
    if (stream != nullptr) {
      count = stream->queue.next(pieces);
      for (std::size_t i = 0; i < count; ++i) given += pieces[i].len;
      flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
      if (stream->fin_wanted && given == stream->queue.unsent()) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
    }
    ngtcp2_ssize taken = -1;
    const ngtcp2_ssize size = ngtcp2_conn_writev_stream(
        conn_, &route.path, nullptr, space.data(), space.size(), &taken, flags,
        stream == nullptr ? -1 : static_cast<std::int64_t>(stream->id), pieces.data(), count, now);
    if (stream != nullptr && taken >= 0) {
      const auto part = static_cast<std::size_t>(taken);
      sent_some(*stream, part, part == given && (flags & NGTCP2_WRITE_STREAM_FLAG_FIN) != 0);
    }
    switch (size) {
      case NGTCP2_ERR_WRITE_MORE: credit_left = ngtcp2_conn_get_max_data_left(conn_) > 0; continue;
      case NGTCP2_ERR_STREAM_DATA_BLOCKED:
        // Without credit for the connection no stream can go on; else this one waits for its own credit.
        if (ngtcp2_conn_get_max_data_left(conn_) == 0) {
          credit_left = false;
        } else {
          ReadyStreams::remove(*stream);
          blocked_.push_back(stream->id);
        }
        continue;
      case NGTCP2_ERR_STREAM_SHUT_WR:
      case NGTCP2_ERR_STREAM_NOT_FOUND:
        stream->write_ended = true;
        stream->wants_writable = false;
        queued_bytes_ -= stream->queue.drop_unsent();
        ReadyStreams::remove(*stream);
        now_stopped_.push_back(stream->id);
        continue;
      default: return size;
    }
  }
}

void ConnectionCore::sent_some(Stream& stream, std::size_t size, bool fin) {
  stream.queue.advance(size);
  if (fin) stream.fin_sent = true;
  const std::size_t left = stream.queue.unsent();
  if (left == 0 && (!stream.fin_wanted || stream.fin_sent)) {
    ReadyStreams::remove(stream);
  } else {
    ready_.rotate(stream);
  }
  if (stream.wants_writable && left <= endpoint_->options().high_water_mark / 2) {
    stream.wants_writable = false;
    now_writable_.push_back(stream.id);
  }
}

void ConnectionCore::look_at_blocked_streams() {
  // A stream without credit that the peer stops is noticed by trying to write again, so each packet is a reason to try
  // some of them.
  constexpr std::size_t kMostLooks = 64;
  for (std::size_t looks = std::min(blocked_.size(), kMostLooks); looks > 0; --looks) {
    Stream* stream = find(blocked_.front());
    blocked_.pop_front();
    if (stream != nullptr && !stream->write_ended && stream->queue.unsent() > 0) ready_.add(*stream);
  }
}

void ConnectionCore::tell_writable() {
  for (const StreamId id : std::exchange(now_stopped_, {})) {
    if (may_tell() && guarded([&] { events_->was_stopped(id, 0); }) != 0) {
      return fail(NGTCP2_ERR_CALLBACK_FAILURE, timestamp());
    }
  }
  if (now_writable_.empty()) return;
  std::vector<StreamId> streams;
  streams.swap(now_writable_);
  for (const StreamId id : streams) {
    const Stream* stream = find(id);
    if (stream == nullptr || stream->write_ended || !may_tell()) continue;
    if (guarded([&] { events_->writable(id); }) != 0) return fail(NGTCP2_ERR_CALLBACK_FAILURE, timestamp());
  }
}

bool ConnectionCore::all_delivered() const {
  return queued_bytes_ == 0 && ready_.empty() && waiting_bidirectional_.empty() && waiting_unidirectional_.empty();
}

void ConnectionCore::arm_timer(ngtcp2_tstamp now) {
  if (conn_ == nullptr) return;
  const ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(conn_);
  const ngtcp2_tstamp at = ready_.empty() ? std::max(expiry, now + kTimerSlack) : expiry;
  // A timer that fires too early looks again, which costs less than setting it anew with each packet.
  if (expiry == UINT64_MAX || timer_at_ <= at) return;
  timer_at_ = at;
  const auto due = Executor::Clock::time_point(std::chrono::nanoseconds(std::max(at, now)));
  timer_.expires_at(due);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->timer_fired();
  });
}

void ConnectionCore::timer_fired() {
  timer_at_ = UINT64_MAX;
  if (conn_ == nullptr) return;
  const ngtcp2_tstamp now = timestamp();
  if (ngtcp2_conn_get_expiry(conn_) <= now) {
    const int problem = ngtcp2_conn_handle_expiry(conn_, now);
    if (problem != 0) return fail(problem, now);
    ask_to_flush();
  } else {
    arm_timer(now);
  }
}

}  // namespace alknet::net::quic
