#include "alknet/net/quic/endpoint_state.h"

#include <fmt/format.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <utility>

namespace alknet::net::quic {

namespace {

constexpr ngtcp2_duration kRetryTokenLife = 10 * NGTCP2_SECONDS;
constexpr std::size_t kMostStraysASecond = 100;
constexpr std::size_t kMostBatchesATurn = 8;
constexpr std::uint64_t kConnectionRefused = 0x2;  // RFC 9000 section 20.1

}  // namespace

std::size_t EndpointState::IdHash::operator()(const ngtcp2_cid& id) const {
  // Clients choose the id of their first packet, so the hash has a secret seed.
  std::uint64_t hash = seed;
  for (std::size_t at = 0; at < id.datalen; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, id.data + at, std::min<std::size_t>(8, id.datalen - at));
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32U;
  }
  return hash;
}

EndpointState::EndpointState(Loop& loop, const SocketAddress& address, Endpoint::Config config)
    : loop_(loop),
      config_(std::move(config)),
      tls_(config_.credentials, config_.client_authorities_pem),
      socket_(std::make_unique<UdpSocket>(loop, address)) {
  std::uint64_t seed = 0;
  random_bytes({reinterpret_cast<std::uint8_t*>(&seed), sizeof seed});
  routes_ = decltype(routes_)(16, IdHash{seed});
  if (config_.credentials.key) {
    // Tokens and stateless resets hold over a restart of the node.
    const auto derived = config_.credentials.key->derive("alknet quic endpoint");
    std::memcpy(secret_.data(), derived.data(), derived.size());
  } else {
    random_bytes(secret_);
  }
}

void EndpointState::wait() {
  socket_->wait_receivable([self = shared_from_this(), socket = socket_.get()] {
    if (self->socket_.get() == socket) self->readable();
  });
}

void EndpointState::shut_down(const Error& reason) {
  if (in_turn_) {
    // Called by one of our own events: ngtcp2 is at work further up.
    loop_.post([self = shared_from_this(), reason] { self->shut_down(reason); });
    return;
  }
  const auto cores = std::exchange(cores_, {});
  for (const auto& [key, core] : cores) core->abandon(reason);
  if (socket_) socket_->flush();
  socket_.reset();
}

std::shared_ptr<ConnectionCore> EndpointState::dial(const SocketAddress& remote, const std::string& alpn,
                                                    ExpectedServer expected) {
  if (!socket_) throw Error(call::CallError::kTransport, "[quic] the endpoint has ended");
  if (release_when_idle && cores_.empty() && acceptors.empty()) socket_->connect(remote);
  auto core = ConnectionCore::dial(*this, remote, alpn, std::move(expected));
  cores_.emplace(core.get(), core);
  flush_later(*core);
  loop_.post_after(options().handshake_timeout, [weak = core->weak_from_this()] {
    if (const auto dialled = weak.lock()) dialled->give_up_handshake();
  });
  return core;
}

std::vector<std::string> EndpointState::alpns() const {
  std::vector<std::string> names;
  for (const auto& [name, acceptor] : acceptors) names.push_back(name);
  return names;
}

void EndpointState::route(const ngtcp2_cid& id, ConnectionCore& core) { routes_[id] = &core; }

void EndpointState::unroute(const ngtcp2_cid& id) { routes_.erase(id); }

void EndpointState::flush_later(ConnectionCore& core) {
  core.asked_to_flush = true;
  to_flush_.push_back(core.shared_from_this());
  if (in_turn_ || std::exchange(flush_posted_, true)) return;
  loop_.post([self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void EndpointState::flush() {
  if (!socket_) return;
  const bool outermost = !std::exchange(in_turn_, true);
  std::vector<std::shared_ptr<ConnectionCore>> cores;
  cores.swap(to_flush_);
  for (const auto& core : cores) {
    core->asked_to_flush = false;
    core->flush(timestamp());
  }
  socket_->flush();
  if (outermost) in_turn_ = false;
  if (socket_->is_full() && !std::exchange(waits_for_room_, true)) {
    socket_->wait_sendable([self = shared_from_this(), socket = socket_.get()] {
      self->waits_for_room_ = false;
      if (self->socket_.get() != socket) return;
      socket->set_room();
      socket->flush();
      for (const auto& [key, core] : self->cores_) {
        if (!core->asked_to_flush) self->flush_later(*core);
      }
    });
  }
  // What users wrote when they were told `writable` leaves in the next turn.
  if (!to_flush_.empty() && !std::exchange(flush_posted_, true)) {
    loop_.post([self = shared_from_this()] {
      self->flush_posted_ = false;
      self->flush();
    });
  }
}

void EndpointState::readable() {
  in_turn_ = true;
  for (std::size_t batch = 0; batch < kMostBatchesATurn; ++batch) {
    const bool more = socket_->receive([&](const UdpSocket::Datagram& datagram) { take(datagram); },
                                       [this] {
                                         const auto cores = cores_;
                                         for (const auto& [key, core] : cores) core->nobody_listens();
                                       });
    if (!more) break;
  }
  flush();
  in_turn_ = false;
  end_when_idle();
  if (socket_) wait();
}

void EndpointState::take(const UdpSocket::Datagram& datagram) {
  const ngtcp2_tstamp now = timestamp();
  ngtcp2_version_cid ids;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(datagram.bytes.data());
  const int result = ngtcp2_pkt_decode_version_cid(&ids, bytes, datagram.bytes.size(), kLocalIdBytes);
  if (result == NGTCP2_ERR_VERSION_NEGOTIATION) return send_version_negotiation(ids, datagram.from);
  if (result != 0 || ids.dcidlen > NGTCP2_MAX_CIDLEN) return;
  ngtcp2_cid id;
  ngtcp2_cid_init(&id, ids.dcid, ids.dcidlen);
  const auto found = routes_.find(id);
  if (found == routes_.end()) {
    if (ids.version == 0) return take_stray(datagram, ids, now);
    return take_first(datagram, now);
  }
  const auto core = found->second->shared_from_this();
  core->read(datagram.from, datagram.bytes, now);
}

void EndpointState::take_first(const UdpSocket::Datagram& datagram, ngtcp2_tstamp now) {
  if (acceptors.empty() || !accepting) return;
  ConnectionCore::Arrival arrival{};
  if (ngtcp2_accept(&arrival.header, reinterpret_cast<const std::uint8_t*>(datagram.bytes.data()),
                    datagram.bytes.size()) != 0) {
    return;
  }
  const ngtcp2_pkt_hd& header = arrival.header;
  if (header.tokenlen > 0 && header.token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2) {
    ngtcp2_cid original;
    if (ngtcp2_crypto_verify_retry_token2(&original, header.token, header.tokenlen, secret_.data(), secret_.size(),
                                          header.version, static_cast<const ngtcp2_sockaddr*>(datagram.from.data()),
                                          static_cast<ngtcp2_socklen>(datagram.from.size()), &header.dcid,
                                          kRetryTokenLife, now) != 0) {
      return send_refusal(header, datagram.from, NGTCP2_INVALID_TOKEN);
    }
    arrival.original_dcid = original;
  } else if (retry_wanted()) {
    return send_retry(header, datagram.from, now);
  }
  if (handshakes_ >= options().max_handshakes || cores_.size() >= options().max_connections) {
    logger().warning("connection refused: too many", {{"peer", datagram.from.text()}});
    return send_refusal(header, datagram.from, kConnectionRefused);
  }
  try {
    const auto core = ConnectionCore::accept(*this, datagram.from, arrival);
    cores_.emplace(core.get(), core);
    ++handshakes_;
    core->read(datagram.from, datagram.bytes, timestamp());
  } catch (const Error& error) {
    logger().warning("no connection", {{"peer", datagram.from.text()}, {"error", error.what()}});
  }
}

bool EndpointState::retry_wanted() const {
  switch (options().retry) {
    case RetryPolicy::kAlways: return true;
    case RetryPolicy::kNever: return false;
    case RetryPolicy::kUnderLoad: return handshakes_ >= options().retry_above;
  }
  return true;
}

void EndpointState::send_version_negotiation(const ngtcp2_version_cid& ids, const SocketAddress& to) {
  if (acceptors.empty()) return;
  constexpr std::uint32_t kVersion = NGTCP2_PROTO_VER_V1;
  std::uint8_t random = 0;
  random_bytes({&random, 1});
  const auto space = socket_->space(1'200);
  const ngtcp2_ssize size = ngtcp2_pkt_write_version_negotiation(space.data(), space.size(), random, ids.scid,
                                                                 ids.scidlen, ids.dcid, ids.dcidlen, &kVersion, 1);
  if (size > 0) socket_->queue(static_cast<std::size_t>(size), to);
}

void EndpointState::send_retry(const ngtcp2_pkt_hd& header, const SocketAddress& to, ngtcp2_tstamp now) {
  ngtcp2_cid id{};
  id.datalen = kLocalIdBytes;
  random_bytes({id.data, id.datalen});
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token{};
  const ngtcp2_ssize token_size = ngtcp2_crypto_generate_retry_token2(
      token.data(), secret_.data(), secret_.size(), header.version, static_cast<const ngtcp2_sockaddr*>(to.data()),
      static_cast<ngtcp2_socklen>(to.size()), &id, &header.dcid, now);
  if (token_size < 0) return;
  const auto space = socket_->space(1'200);
  const ngtcp2_ssize size = ngtcp2_crypto_write_retry(space.data(), space.size(), header.version, &header.scid, &id,
                                                      &header.dcid, token.data(), static_cast<std::size_t>(token_size));
  if (size > 0) socket_->queue(static_cast<std::size_t>(size), to);
}

void EndpointState::send_refusal(const ngtcp2_pkt_hd& header, const SocketAddress& to, std::uint64_t code) {
  const auto space = socket_->space(1'200);
  const ngtcp2_ssize size = ngtcp2_crypto_write_connection_close(space.data(), space.size(), header.version,
                                                                 &header.scid, &header.dcid, code, nullptr, 0);
  if (size > 0) socket_->queue(static_cast<std::size_t>(size), to);
}

void EndpointState::take_stray(const UdpSocket::Datagram& datagram, const ngtcp2_version_cid& ids, ngtcp2_tstamp now) {
  // Both looking for the sender of a stateless reset and answering with one cost something, so strays are counted.
  if (now - strays_since_ > NGTCP2_SECONDS) {
    strays_since_ = now;
    strays_ = 0;
  }
  if (++strays_ > kMostStraysASecond || datagram.bytes.size() < NGTCP2_STATELESS_RESET_TOKENLEN) return;
  const auto token = datagram.bytes.last<NGTCP2_STATELESS_RESET_TOKENLEN>();
  for (const auto& [key, core] : cores_) {
    if (!core->is_reset_token(token)) continue;
    const auto reset = core;
    return reset->read(datagram.from, datagram.bytes, now);
  }
  send_stateless_reset(datagram, ids);
}

void EndpointState::send_stateless_reset(const UdpSocket::Datagram& datagram, const ngtcp2_version_cid& ids) {
  // RFC 9000 section 10.3: smaller than what caused it, so that two endpoints cannot keep each other busy.
  constexpr std::size_t kSmallest = 41;
  if (datagram.bytes.size() <= kSmallest || acceptors.empty()) return;
  ngtcp2_cid id;
  ngtcp2_cid_init(&id, ids.dcid, ids.dcidlen);
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token{};
  if (ngtcp2_crypto_generate_stateless_reset_token(token.data(), secret_.data(), secret_.size(), &id) != 0) return;
  std::array<std::uint8_t, 24> random{};
  random_bytes(random);
  const auto space = socket_->space(1'200);
  const ngtcp2_ssize size =
      ngtcp2_pkt_write_stateless_reset(space.data(), space.size(), token.data(), random.data(), random.size());
  if (size > 0) socket_->queue(static_cast<std::size_t>(size), datagram.from);
}

void EndpointState::handshake_ended() { --handshakes_; }

void EndpointState::handed_out(std::shared_ptr<ConnectionCore> core) {
  const auto found = acceptors.find(core->alpn());
  auto connection = std::make_unique<Connection>(std::move(core));
  if (found == acceptors.end() || !accepting) {
    connection->close(static_cast<std::uint64_t>(call::TransportCode::kDraining), "this node accepts no connections");
    return;
  }
  // The acceptor may be replaced while it runs.
  const Acceptor acceptor = found->second;
  try {
    acceptor(std::move(connection));
  } catch (const std::exception& error) {
    logger().error("the acceptor of a connection threw", {{"error", error.what()}});
  }
}

void EndpointState::forget(ConnectionCore& core) {
  for (const auto& id : core.local_ids()) unroute(id);
  cores_.erase(&core);
  if (!in_turn_) end_when_idle();
}

void EndpointState::end_when_idle() {
  if (release_when_idle && cores_.empty()) socket_.reset();
}

bool EndpointState::rebind() {
  const bool all_dialled =
      std::all_of(cores_.begin(), cores_.end(), [](const auto& entry) { return !entry.second->is_server(); });
  if (!all_dialled || !socket_) return false;
  if (in_turn_) {
    loop_.post([self = shared_from_this()] { self->rebind(); });
    return true;
  }
  socket_->flush();
  SocketAddress any = SocketAddress::of(HostPort{socket_->address().is_ipv6() ? "::" : "0.0.0.0", 0});
  if (socket_->address().is_loopback()) {
    any = SocketAddress::of(HostPort{socket_->address().is_ipv6() ? "::1" : "127.0.0.1", 0});
  }
  socket_ = std::make_unique<UdpSocket>(loop_, any);
  waits_for_room_ = false;
  wait();
  const ngtcp2_tstamp now = timestamp();
  for (const auto& [key, core] : cores_) core->path_changed(now);
  return true;
}

}  // namespace alknet::net::quic
