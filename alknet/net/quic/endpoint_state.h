#pragma once

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "alknet/net/quic/connection_core.h"
#include "alknet/net/quic/udp_socket.h"

namespace alknet::net::quic {

/// What an Endpoint is made of: the socket, and which connection a datagram is for. Kept alive by the wait for its
/// socket, so it may outlive the Endpoint while connections end.
class EndpointState : public std::enable_shared_from_this<EndpointState> {
 public:
  EndpointState(Loop& loop, const SocketAddress& address, Endpoint::Config config);

  void wait();
  void shut_down(const Error& reason);
  std::shared_ptr<ConnectionCore> dial(const SocketAddress& remote, const std::string& alpn, ExpectedServer expected);

  // For ConnectionCore.
  Loop& loop() { return loop_; }
  UdpSocket& socket() { return *socket_; }
  const Endpoint::Config& config() const { return config_; }
  const Options& options() const { return config_.options; }
  const Logger& logger() const { return config_.logger; }
  const TlsContext& tls() const { return tls_; }
  std::vector<std::string> alpns() const;
  std::span<const std::uint8_t> secret() const { return secret_; }
  void route(const ngtcp2_cid& id, ConnectionCore& core);
  void unroute(const ngtcp2_cid& id);
  void flush_later(ConnectionCore& core);
  void handshake_ended();
  void handed_out(std::shared_ptr<ConnectionCore> core);
  void forget(ConnectionCore& core);
  bool rebind();

  std::map<std::string, Acceptor> acceptors;
  bool accepting = true;
  bool release_when_idle = false;
  std::size_t connections() const { return cores_.size(); }
  std::size_t handshakes() const { return handshakes_; }

 private:
  struct IdHash {
    std::uint64_t seed;
    std::size_t operator()(const ngtcp2_cid& id) const;
  };
  struct IdEqual {
    bool operator()(const ngtcp2_cid& a, const ngtcp2_cid& b) const { return ngtcp2_cid_eq(&a, &b) != 0; }
  };

  void readable();
  void take(const UdpSocket::Datagram& datagram);
  void take_first(const UdpSocket::Datagram& datagram, ngtcp2_tstamp now);
  void send_version_negotiation(const ngtcp2_version_cid& ids, const SocketAddress& to);
  void send_retry(const ngtcp2_pkt_hd& header, const SocketAddress& to, ngtcp2_tstamp now);
  void send_refusal(const ngtcp2_pkt_hd& header, const SocketAddress& to, std::uint64_t code);
  void take_stray(const UdpSocket::Datagram& datagram, const ngtcp2_version_cid& ids, ngtcp2_tstamp now);
  void send_stateless_reset(const UdpSocket::Datagram& datagram, const ngtcp2_version_cid& ids);
  bool retry_wanted() const;
  void flush();
  void end_when_idle();

  Loop& loop_;
  Endpoint::Config config_;
  TlsContext tls_;
  std::array<std::uint8_t, 32> secret_{};
  std::unique_ptr<UdpSocket> socket_;
  std::unordered_map<ngtcp2_cid, ConnectionCore*, IdHash, IdEqual> routes_;
  std::unordered_map<const ConnectionCore*, std::shared_ptr<ConnectionCore>> cores_;
  std::vector<std::shared_ptr<ConnectionCore>> to_flush_;
  bool flush_posted_ = false;
  bool in_turn_ = false;
  bool waits_for_room_ = false;
  std::size_t handshakes_ = 0;
  ngtcp2_tstamp strays_since_ = 0;
  std::size_t strays_ = 0;
};

}  // namespace alknet::net::quic
