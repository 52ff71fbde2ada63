#pragma once

#include <ngtcp2/ngtcp2.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/function_ref.h"
#include "alknet/net/quic/connection.h"
#include "alknet/net/quic/endpoint.h"
#include "alknet/net/quic/stream.h"
#include "alknet/net/quic/tls.h"

namespace alknet::net::quic {

class EndpointState;

/// The state of one connection over ngtcp2, from the first packet until its connection ids may be forgotten. Owned by
/// its endpoint and by the Connection that stands for it. Where functions of ngtcp2 call back, nothing is destroyed and
/// nothing is sent: that waits for `flush`, which the endpoint calls at the end of a turn for connections that asked.
class ConnectionCore final : public std::enable_shared_from_this<ConnectionCore>, public TlsOwner {
 public:
  /// A first packet that a server accepts.
  struct Arrival {
    ngtcp2_pkt_hd header;
    std::optional<ngtcp2_cid> original_dcid;  ///< from a valid retry token
  };

  static std::shared_ptr<ConnectionCore> accept(EndpointState& endpoint, const SocketAddress& remote,
                                                const Arrival& arrival);
  static std::shared_ptr<ConnectionCore> dial(EndpointState& endpoint, const SocketAddress& remote,
                                              const std::string& alpn, ExpectedServer expected);
  explicit ConnectionCore(EndpointState& endpoint, bool is_server, const SocketAddress& remote);
  ~ConnectionCore() override;

  // For the endpoint.
  void forget();
  void read(const SocketAddress& from, std::span<const std::byte> datagram, ngtcp2_tstamp now);
  void flush(ngtcp2_tstamp now);
  void path_changed(ngtcp2_tstamp now);  ///< the socket has a new local address
  void nobody_listens();
  void abandon(const Error& reason);  ///< the endpoint ends
  void give_up_handshake();           ///< the time for it is over
  bool is_handshaking() const { return state_ == State::kHandshaking; }
  bool is_server() const { return is_server_; }
  bool asked_to_flush = false;

  /// Whether the peer would end this connection by a stateless reset with that token.
  bool is_reset_token(std::span<const std::byte, NGTCP2_STATELESS_RESET_TOKENLEN> token) const;
  const std::vector<ngtcp2_cid>& local_ids() const { return local_ids_; }
  Completion<bool>& confirmed() { return confirmed_; }

  // For Connection.
  const call::PeerCredentials& peer() const { return peer_; }
  const std::string& alpn() const { return alpn_; }
  void start(ConnectionEvents& events);
  void orphan();
  StreamId open(bool unidirectional);
  bool write(StreamId id, SharedBytes bytes);
  void finish(StreamId id);
  void reset(StreamId id, std::uint64_t code);
  void stop_sending(StreamId id, std::uint64_t code);
  void set_reading(StreamId id, bool reading);
  void set_priority(StreamId id, Priority priority);
  void close(std::uint64_t code, std::string_view reason);
  void update_keys();
  bool migrate();
  Statistics statistics() const;

  // For ngtcp2's callbacks (connection_callbacks.cc).
  ngtcp2_conn* ngtcp2() override { return conn_; }
  bool admit_peer() override;
  int on_handshake_completed();
  int on_handshake_confirmed();
  int on_stream_open(StreamId id);
  int on_stream_data(Stream& stream, std::span<const std::byte> bytes, bool fin);
  int on_acknowledged(Stream& stream, std::uint64_t end);
  int on_stream_closed(Stream& stream, std::uint64_t code);
  int on_stream_reset(Stream& stream, std::uint64_t code);
  int on_more_credit(Stream& stream);
  int on_new_connection_id(ngtcp2_cid& id, std::uint8_t* token, std::size_t size);
  int on_retired_connection_id(const ngtcp2_cid& id);
  void on_stateless_reset() { was_stateless_reset_ = true; }
  bool has_tls_session() const { return tls_.has_value(); }
  void on_key_update() { ++key_updates_; }

 private:
  enum class State { kHandshaking, kOpen, kClosing, kDraining, kGone };

  /// A close that we send.
  struct Farewell {
    std::uint64_t code = 0;
    std::string reason;
  };

  void begin(const ngtcp2_cid& remote_id, const ngtcp2_cid& local_id, const Arrival* arrival);
  ngtcp2_path path() const;
  Stream* find(StreamId id);
  Stream& add_stream(StreamId id);
  void erase(Stream& stream);
  void ask_to_flush();
  void want_to_send(Stream& stream);

  // Sending (connection_send.cc).
  void open_waiting_streams();
  bool write_packets(ngtcp2_tstamp now);
  ngtcp2_ssize write_packet(std::span<std::uint8_t> space, ngtcp2_path_storage& route, ngtcp2_tstamp now);
  void sent_some(Stream& stream, std::size_t size, bool fin);
  void look_at_blocked_streams();
  void tell_writable();
  bool all_delivered() const;
  void arm_timer(ngtcp2_tstamp now);
  void timer_fired();

  // Receiving.
  void deliver_held(Stream& stream);
  void drop_held(Stream& stream);
  void give_credit(StreamId id, std::size_t size);
  int guarded(FunctionRef<void()> tell);
  bool may_tell() const { return events_ != nullptr && !leaving_; }

  // The end.
  void fail(int problem, ngtcp2_tstamp now);
  void say_farewell(const ngtcp2_ccerr& farewell, const Error& reason, ngtcp2_tstamp now);
  void drain(const Error& reason);
  void end(const Error& reason);
  void linger(State state);
  Error peer_close_error() const;

  Loop& loop_;
  EndpointState* endpoint_;  // null once the endpoint has let go
  const bool is_server_;
  State state_ = State::kHandshaking;
  ngtcp2_conn* conn_ = nullptr;
  SocketAddress local_;
  SocketAddress remote_;
  std::optional<TlsSession> tls_;  // until the handshake is over: it holds 40 KiB
  ExpectedServer expected_;
  Completion<bool> confirmed_;
  std::vector<ngtcp2_cid> local_ids_;

  call::PeerCredentials peer_;
  std::string alpn_;
  bool peer_checked_ = false;
  std::string refusal_;  // why we refuse the peer
  bool handshake_completed_ = false;
  bool handed_out_ = false;

  ConnectionEvents* events_ = nullptr;
  bool started_ = false;
  bool ended_ = false;
  std::optional<Error> end_reason_;
  std::optional<Farewell> leaving_;  // close was asked for; sent when all is delivered or time is up
  bool leave_now_ = false;
  bool new_keys_wanted_ = false;
  bool user_threw_ = false;
  bool was_stateless_reset_ = false;

  std::unordered_map<StreamId, std::unique_ptr<Stream>> streams_;
  ReadyStreams ready_;
  std::deque<StreamId> waiting_bidirectional_;
  std::deque<StreamId> waiting_unidirectional_;
  StreamId next_bidirectional_;
  StreamId next_unidirectional_;
  std::vector<StreamId> now_writable_;
  std::vector<StreamId> now_stopped_;
  std::deque<StreamId> blocked_;  // for want of credit of their own
  std::uint64_t queued_bytes_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t datagrams_sent_ = 0;
  std::uint64_t datagrams_received_ = 0;
  std::uint64_t key_updates_ = 0;

  boost::asio::steady_timer timer_;
  ngtcp2_tstamp timer_at_ = UINT64_MAX;
  std::vector<std::uint8_t> close_packet_;
  std::uint64_t packets_after_close_ = 0;
};

/// The callbacks of every connection.
ngtcp2_callbacks connection_callbacks();

/// The clock of ngtcp2: nanoseconds of Executor::Clock.
ngtcp2_tstamp timestamp();

/// Random bytes that nobody can guess.
void random_bytes(std::span<std::uint8_t> bytes);

/// The bytes of all connection ids that we make.
constexpr std::size_t kLocalIdBytes = 8;

}  // namespace alknet::net::quic
