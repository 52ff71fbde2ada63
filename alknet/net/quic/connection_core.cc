#include "alknet/net/quic/connection_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "alknet/base/loop_asio.h"
#include "alknet/net/quic/endpoint_state.h"

namespace alknet::net::quic {

namespace {

/// Sizes that path MTU discovery tries, after 1200 bytes worked: on loopback and elsewhere (jumbo frames last).
/// Loopback would take 65 KB at once, but ngtcp2 keeps a buffer of the largest packet for each connection, and four of
/// these that leave by one system call are as fast.
constexpr std::array<std::uint16_t, 1> kLoopbackProbes{16'371};
constexpr std::array<std::uint16_t, 4> kPathProbes{1'392, 1'452, 4'096, 8'952};

constexpr std::uint64_t code_of(call::TransportCode code) { return static_cast<std::uint64_t>(code); }

}  // namespace

ngtcp2_tstamp timestamp() {
  return static_cast<ngtcp2_tstamp>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Executor::Clock::now().time_since_epoch()).count());
}

void random_bytes(std::span<std::uint8_t> bytes) { gnutls_rnd(GNUTLS_RND_RANDOM, bytes.data(), bytes.size()); }

ConnectionCore::ConnectionCore(EndpointState& endpoint, bool is_server, const SocketAddress& remote)
    : loop_(endpoint.loop()),
      endpoint_(&endpoint),
      is_server_(is_server),
      local_(endpoint.socket().address()),
      remote_(remote),
      next_bidirectional_(is_server ? 1 : 0),
      next_unidirectional_(is_server ? 3 : 2),
      timer_(io_context(endpoint.loop())) {
  peer_.address = "quic:" + remote.text();
}

ConnectionCore::~ConnectionCore() {
  streams_.clear();
  if (conn_ != nullptr) ngtcp2_conn_del(conn_);
}

std::shared_ptr<ConnectionCore> ConnectionCore::accept(EndpointState& endpoint, const SocketAddress& remote,
                                                       const Arrival& arrival) {
  auto core = std::make_shared<ConnectionCore>(endpoint, true, remote);
  const auto alpns = endpoint.alpns();
  core->tls_.emplace(TlsSession::server(endpoint.tls(), alpns, *core));
  ngtcp2_cid local{};
  local.datalen = kLocalIdBytes;
  random_bytes({local.data, local.datalen});
  core->begin(arrival.header.scid, local, &arrival);
  endpoint.route(arrival.header.dcid, *core);
  core->local_ids_.push_back(arrival.header.dcid);
  return core;
}

std::shared_ptr<ConnectionCore> ConnectionCore::dial(EndpointState& endpoint, const SocketAddress& remote,
                                                     const std::string& alpn, ExpectedServer expected) {
  auto core = std::make_shared<ConnectionCore>(endpoint, false, remote);
  core->expected_ = std::move(expected);
  core->tls_.emplace(TlsSession::client(endpoint.tls(), alpn, core->expected_, *core));
  ngtcp2_cid local{};
  ngtcp2_cid initial{};
  local.datalen = kLocalIdBytes;
  initial.datalen = 16;
  random_bytes({local.data, local.datalen});
  random_bytes({initial.data, initial.datalen});
  core->begin(initial, local, nullptr);
  return core;
}

void ConnectionCore::begin(const ngtcp2_cid& remote_id, const ngtcp2_cid& local_id, const Arrival* arrival) {
  const Options& options = endpoint_->options();
  const auto nanoseconds = [](std::chrono::milliseconds time) {
    return static_cast<ngtcp2_duration>(std::chrono::nanoseconds(time).count());
  };
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = timestamp();
  settings.cc_algo = options.congestion_control == CongestionControl::kBbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
  settings.handshake_timeout = nanoseconds(options.handshake_timeout);
  settings.max_window = options.max_connection_window;
  settings.max_stream_window = options.max_stream_window;
  const std::span<const std::uint16_t> probes =
      remote_.is_loopback() ? std::span<const std::uint16_t>(kLoopbackProbes) : kPathProbes;
  const std::size_t most = options.max_datagram_bytes == 0 ? probes.back() : options.max_datagram_bytes;
  settings.max_tx_udp_payload_size = std::clamp<std::size_t>(most, 1'200, UdpSocket::kLargestDatagram);
  settings.pmtud_probes = probes.data();
  settings.pmtud_probeslen = static_cast<std::size_t>(std::count_if(
      probes.begin(), probes.end(), [&](std::uint16_t probe) { return probe <= settings.max_tx_udp_payload_size; }));
  settings.no_pmtud = settings.pmtud_probeslen == 0 ? 1 : 0;

  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  params.initial_max_stream_data_bidi_local = options.stream_window;
  params.initial_max_stream_data_bidi_remote = options.stream_window;
  params.initial_max_stream_data_uni = options.stream_window;
  params.initial_max_data = options.connection_window;
  params.initial_max_streams_bidi = options.max_bidirectional_streams;
  params.initial_max_streams_uni = options.max_unidirectional_streams;
  params.max_idle_timeout = nanoseconds(options.idle_timeout);
  params.active_connection_id_limit = 7;

  const ngtcp2_callbacks callbacks = connection_callbacks();
  const ngtcp2_path route = path();
  int result = 0;
  if (arrival != nullptr) {
    if (arrival->original_dcid) {
      params.original_dcid = *arrival->original_dcid;
      params.retry_scid = arrival->header.dcid;
      params.retry_scid_present = 1;
      settings.token = arrival->header.token;
      settings.tokenlen = arrival->header.tokenlen;
      settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
    } else {
      params.original_dcid = arrival->header.dcid;
    }
    params.original_dcid_present = 1;
    params.stateless_reset_token_present = 1;
    ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, endpoint_->secret().data(),
                                                 endpoint_->secret().size(), &local_id);
    result = ngtcp2_conn_server_new(&conn_, &remote_id, &local_id, &route, arrival->header.version, &callbacks,
                                    &settings, &params, nullptr, this);
  } else {
    result = ngtcp2_conn_client_new(&conn_, &remote_id, &local_id, &route, NGTCP2_PROTO_VER_V1, &callbacks, &settings,
                                    &params, nullptr, this);
    if (result == 0 && options.keep_alive.count() > 0) {
      ngtcp2_conn_set_keep_alive_timeout(conn_, nanoseconds(options.keep_alive));
    }
  }
  if (result != 0) {
    throw Error(call::CallError::kTransport, fmt::format("[quic] no connection: {}", ngtcp2_strerror(result)));
  }
  ngtcp2_conn_set_tls_native_handle(conn_, tls_->handle());
  endpoint_->route(local_id, *this);
  local_ids_.push_back(local_id);
}

ngtcp2_path ConnectionCore::path() const {
  const auto view = [](const SocketAddress& address) {
    return ngtcp2_addr{static_cast<ngtcp2_sockaddr*>(const_cast<void*>(address.data())),
                       static_cast<ngtcp2_socklen>(address.size())};
  };
  return {view(local_), view(remote_), nullptr};
}

void ConnectionCore::read(const SocketAddress& from, std::span<const std::byte> datagram, ngtcp2_tstamp now) {
  if (state_ == State::kClosing && std::has_single_bit(++packets_after_close_)) {
    const auto space = endpoint_->socket().space(close_packet_.size());
    std::copy(close_packet_.begin(), close_packet_.end(), space.begin());
    endpoint_->socket().queue(close_packet_.size(), remote_);
  }
  if (conn_ == nullptr) return;
  ++datagrams_received_;
  ngtcp2_path route = path();
  route.remote = {static_cast<ngtcp2_sockaddr*>(const_cast<void*>(from.data())),
                  static_cast<ngtcp2_socklen>(from.size())};
  const ngtcp2_pkt_info info{};
  const int problem = ngtcp2_conn_read_pkt(conn_, &route, &info, reinterpret_cast<const std::uint8_t*>(datagram.data()),
                                           datagram.size(), now);
  if (problem != 0) return fail(problem, now);
  if (handshake_completed_ && !handed_out_ && is_server_) {
    // A client that showed nothing was not asked about yet: GnuTLS only asks about what was shown.
    if (!peer_checked_ && !admit_peer()) {
      ngtcp2_ccerr reason;
      ngtcp2_ccerr_set_application_error(&reason, code_of(call::TransportCode::kUnauthorized),
                                         reinterpret_cast<const std::uint8_t*>(refusal_.data()), refusal_.size());
      endpoint_->logger().info("connection refused", {{"peer", peer_.address}, {"reason", refusal_}});
      say_farewell(reason, Error(call::CallError::kUnauthorized, "[quic] " + refusal_), now);
      return;
    }
    handed_out_ = true;
    state_ = State::kOpen;
    endpoint_->handshake_ended();
    endpoint_->handed_out(shared_from_this());
  }
  look_at_blocked_streams();
  ask_to_flush();
}

void ConnectionCore::flush(ngtcp2_tstamp now) {
  if (conn_ == nullptr) return;
  if (std::exchange(new_keys_wanted_, false) && ngtcp2_conn_initiate_key_update(conn_, now) != 0) {
    endpoint_->logger().debug("no key update: an earlier one is under way", {{"peer", peer_.address}});
  }
  if (!write_packets(now)) return;
  if (leaving_ && (leave_now_ || all_delivered())) {
    ngtcp2_ccerr reason;
    ngtcp2_ccerr_set_application_error(&reason, leaving_->code,
                                       reinterpret_cast<const std::uint8_t*>(leaving_->reason.data()),
                                       leaving_->reason.size());
    const JsonObject details{
        {"code", leaving_->code}, {"application", true}, {"by_peer", false}, {"reason", leaving_->reason}};
    say_farewell(reason, Error(call::CallError::kTransport, "[quic] we closed the connection", details), now);
    return;
  }
  if (state_ == State::kOpen && tls_) {
    ngtcp2_conn_set_tls_native_handle(conn_, nullptr);
    tls_.reset();
  }
  tell_writable();
  arm_timer(now);
}

void ConnectionCore::path_changed(ngtcp2_tstamp now) {
  if (conn_ == nullptr) return;
  local_ = endpoint_->socket().address();
  const ngtcp2_path route = path();
  const int problem = ngtcp2_conn_initiate_immediate_migration(conn_, &route, now);
  if (problem != 0) endpoint_->logger().info("migration refused", {{"reason", ngtcp2_strerror(problem)}});
  ask_to_flush();
}

bool ConnectionCore::migrate() {
  if (conn_ == nullptr || is_server_ || state_ != State::kOpen) return false;
  return endpoint_->rebind();
}

bool ConnectionCore::admit_peer() {
  try {
    call::PeerCredentials shown =
        is_server_ ? tls_->client_credentials(endpoint_->tls()) : tls_->server_credentials(expected_);
    shown.address = peer_.address;
    peer_ = std::move(shown);
    if (is_server_) {
      const Admission& admission = endpoint_->config().admission;
      if (!admission) throw Error(call::CallError::kUnauthorized, "this node accepts nobody");
      admission(peer_);
    }
    peer_checked_ = true;
    return true;
  } catch (const std::exception& error) {
    refusal_ = error.what();
    return false;
  }
}

void ConnectionCore::start(ConnectionEvents& events) {
  events_ = &events;
  started_ = true;
  if (!ended_ && streams_.empty()) return;
  // What came before is told in a turn of its own, since no event comes from inside this function.
  const auto tell = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->events_ == nullptr) return;
    std::vector<StreamId> held;
    for (const auto& [id, stream] : self->streams_) held.push_back(id);
    std::sort(held.begin(), held.end());
    for (const StreamId id : held) {
      if (Stream* stream = self->find(id)) self->deliver_held(*stream);
    }
    if (self->ended_ && self->events_ != nullptr) {
      std::exchange(self->events_, nullptr)->closed(*self->end_reason_);
    } else {
      self->ask_to_flush();
    }
  };
  loop_.post(tell);
}

void ConnectionCore::orphan() {
  events_ = nullptr;
  if (!ended_ && !leaving_) close(code_of(call::TransportCode::kNone), "");
}

void ConnectionCore::close(std::uint64_t code, std::string_view reason) {
  if (ended_ || leaving_) return;
  leaving_ = Farewell{code, std::string(reason.substr(0, 256))};
  if (endpoint_ == nullptr) return;
  loop_.post_after(endpoint_->options().close_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->leave_now_ = true;
      self->ask_to_flush();
    }
  });
  ask_to_flush();
}

void ConnectionCore::abandon(const Error& reason) {
  const auto self = shared_from_this();
  if (conn_ != nullptr) {
    const ngtcp2_tstamp now = timestamp();
    ngtcp2_ccerr farewell;
    const std::string& text = leaving_ ? leaving_->reason : reason.message();
    ngtcp2_ccerr_set_application_error(&farewell, leaving_ ? leaving_->code : code_of(call::TransportCode::kDraining),
                                       reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (write_packets(now)) say_farewell(farewell, reason, now);
  }
  forget();
}

void ConnectionCore::nobody_listens() {
  if (state_ != State::kHandshaking || is_server_) return;
  drain(Error(call::CallError::kTransport, fmt::format("[quic] {}: nobody listens there", remote_.text())));
}

bool ConnectionCore::is_reset_token(std::span<const std::byte, NGTCP2_STATELESS_RESET_TOKENLEN> token) const {
  if (conn_ == nullptr) return false;
  std::vector<ngtcp2_cid_token> ids(ngtcp2_conn_get_active_dcid(conn_, nullptr));
  ids.resize(ngtcp2_conn_get_active_dcid(conn_, ids.data()));
  return std::any_of(ids.begin(), ids.end(), [&](const ngtcp2_cid_token& id) {
    return id.token_present != 0 && gnutls_memcmp(id.token, token.data(), token.size()) == 0;
  });
}

int ConnectionCore::guarded(FunctionRef<void()> tell) {
  try {
    tell();
    return 0;
  } catch (const std::exception& error) {
    user_threw_ = true;
    if (endpoint_ != nullptr)
      endpoint_->logger().error("the user of a connection threw", {{"peer", peer_.address}, {"error", error.what()}});
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
}

void ConnectionCore::update_keys() {
  new_keys_wanted_ = true;
  ask_to_flush();
}

Statistics ConnectionCore::statistics() const {
  Statistics all;
  all.queued_bytes = queued_bytes_;
  all.held_bytes = held_bytes_;
  all.streams = streams_.size();
  all.datagrams_sent = datagrams_sent_;
  all.datagrams_received = datagrams_received_;
  // ngtcp2 asks for the next keys when those in use are confirmed, the first time after the handshake.
  all.key_updates = key_updates_ > 0 ? key_updates_ - 1 : 0;
  if (conn_ != nullptr) {
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info(conn_, &info);
    all.bytes_in_flight = info.bytes_in_flight;
    all.congestion_window = info.cwnd;
    all.smoothed_rtt_ns = info.smoothed_rtt;
    all.datagram_bytes = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_);
  }
  return all;
}

}  // namespace alknet::net::quic
