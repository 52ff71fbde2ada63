#include <fmt/format.h>

#include <utility>

#include "alknet/base/loop_asio.h"
#include "alknet/net/quic/connection_core.h"
#include "alknet/net/quic/endpoint_state.h"

// How connections end: by either side, by an error, by silence.

namespace alknet::net::quic {

namespace {

/// QUIC's transport error codes of failed handshakes are this and TLS's alert (RFC 9001 section 4.8).
constexpr std::uint64_t kCryptoError = 0x100;
constexpr std::uint64_t kAlertNoApplicationProtocol = 120;

std::string alert_name(std::uint64_t alert) {
  const char* name = gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
  return name == nullptr ? fmt::format("alert {}", alert) : name;
}

/// Alerts that mean: I do not accept who you are.
bool is_about_identity(std::uint64_t alert) { return (alert >= 41 && alert <= 49) || alert == 116; }

}  // namespace

Error ConnectionCore::peer_close_error() const {
  if (was_stateless_reset_) {
    return {call::CallError::kTransport, "[quic] the peer no longer knows the connection (stateless reset)",
            JsonObject{{"by_peer", true}, {"application", false}, {"code", 0}, {"reason", ""}}};
  }
  const ngtcp2_ccerr& close = *ngtcp2_conn_get_ccerr(conn_);
  const bool application = close.type == NGTCP2_CCERR_TYPE_APPLICATION;
  const std::string reason(reinterpret_cast<const char*>(close.reason), close.reasonlen);
  const JsonObject details{
      {"code", close.error_code}, {"application", application}, {"by_peer", true}, {"reason", reason}};
  const std::string why = reason.empty() ? "" : ": " + reason;
  if (application) {
    const bool refused = close.error_code == static_cast<std::uint64_t>(call::TransportCode::kUnauthorized);
    return {refused ? call::CallError::kUnauthorized : call::CallError::kTransport,
            fmt::format("[quic] the peer {} the connection (code {}){}", refused ? "refused" : "closed",
                        close.error_code, why),
            details};
  }
  const std::uint64_t alert = close.error_code - kCryptoError;
  if (close.error_code >= kCryptoError && alert <= 0xFF) {
    if (alert == kAlertNoApplicationProtocol) {
      return {call::CallError::kTransport, "[quic] the peer does not speak this application protocol" + why, details};
    }
    return {is_about_identity(alert) ? call::CallError::kUnauthorized : call::CallError::kTransport,
            fmt::format("[quic] the peer refused the handshake ({}){}", alert_name(alert), why), details};
  }
  return {call::CallError::kTransport,
          fmt::format("[quic] the peer closed the connection (QUIC error {:#x}){}", close.error_code, why), details};
}

void ConnectionCore::fail(int problem, ngtcp2_tstamp now) {
  const auto self = shared_from_this();
  const auto reason_bytes = [](const std::string& text) { return reinterpret_cast<const std::uint8_t*>(text.data()); };
  ngtcp2_ccerr reason;
  ngtcp2_ccerr_default(&reason);
  switch (problem) {
    case NGTCP2_ERR_DRAINING: return drain(peer_close_error());
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:  // a client whose first packets are that odd may try again
      end(Error(call::CallError::kTransport, "[quic] the first packet was no handshake"));
      return forget();
    case NGTCP2_ERR_IDLE_CLOSE:
      end(Error(call::CallError::kTransport, "[quic] nothing came from the peer for the idle timeout"));
      return forget();
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      end(Error(call::CallError::kTransport, fmt::format("[quic] {}: no answer within {} ms", remote_.text(),
                                                         endpoint_->options().handshake_timeout.count())));
      return forget();
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      end(Error(call::CallError::kTransport, "[quic] the peer does not speak QUIC version 1"));
      return forget();
    case NGTCP2_ERR_CRYPTO: {
      const std::uint8_t alert = ngtcp2_conn_get_tls_alert(conn_);
      if (refusal_.empty() && alert == kAlertNoApplicationProtocol) {
        refusal_ = "the client asks for an application protocol that is not served here";
      }
      std::string text = refusal_.empty() ? "TLS: " + alert_name(alert) : refusal_;
      ngtcp2_ccerr_set_tls_alert(&reason, alert, reason_bytes(text), text.size());
      const bool identity = is_about_identity(alert);
      endpoint_->logger().info("handshake failed", {{"peer", peer_.address}, {"reason", text}});
      return say_farewell(
          reason,
          Error(
              identity ? call::CallError::kUnauthorized : call::CallError::kTransport,
              "[quic] the handshake failed: " + text,
              JsonObject{{"code", kCryptoError + alert}, {"application", false}, {"by_peer", false}, {"reason", text}}),
          now);
    }
    default: {
      const std::string text = user_threw_ ? "internal error" : ngtcp2_strerror(problem);
      if (user_threw_) {
        ngtcp2_ccerr_set_application_error(&reason, static_cast<std::uint64_t>(call::TransportCode::kInternalError),
                                           reason_bytes(text), text.size());
      } else {
        ngtcp2_ccerr_set_liberr(&reason, problem, reason_bytes(text), text.size());
      }
      endpoint_->logger().warning("connection failed", {{"peer", peer_.address}, {"reason", text}});
      return say_farewell(
          reason,
          Error(call::CallError::kTransport, "[quic] the connection failed: " + text,
                JsonObject{
                    {"code", reason.error_code}, {"application", user_threw_}, {"by_peer", false}, {"reason", text}}),
          now);
    }
  }
}

void ConnectionCore::give_up_handshake() {
  // ngtcp2's own limit ends with the client's side of the handshake; ours when the server has confirmed it.
  if (state_ == State::kHandshaking && conn_ != nullptr) fail(NGTCP2_ERR_HANDSHAKE_TIMEOUT, timestamp());
}

void ConnectionCore::say_farewell(const ngtcp2_ccerr& farewell, const Error& reason, ngtcp2_tstamp now) {
  const auto self = shared_from_this();
  UdpSocket& socket = endpoint_->socket();
  ngtcp2_path_storage route;
  ngtcp2_path_storage_zero(&route);
  const auto space = socket.space(1'200);
  const ngtcp2_ssize size =
      ngtcp2_conn_write_connection_close(conn_, &route.path, nullptr, space.data(), space.size(), &farewell, now);
  if (size > 0) {
    remote_ = SocketAddress::of(route.path.remote.addr, route.path.remote.addrlen);
    close_packet_.assign(space.begin(), space.begin() + size);
    socket.queue(static_cast<std::size_t>(size), remote_);
    socket.flush();
  }
  linger(size > 0 ? State::kClosing : State::kDraining);
  end(reason);
}

void ConnectionCore::drain(const Error& reason) {
  const auto self = shared_from_this();
  linger(State::kDraining);
  end(reason);
}

void ConnectionCore::linger(State state) {
  // RFC 9000 section 10.2: three times the probe timeout. Only the ids and the last packet are needed for that.
  const auto time = std::chrono::nanoseconds(3 * ngtcp2_conn_get_pto(conn_));
  if (state_ == State::kHandshaking && is_server_) endpoint_->handshake_ended();
  state_ = state;
  timer_.cancel();
  streams_.clear();
  ngtcp2_conn_del(std::exchange(conn_, nullptr));
  tls_.reset();
  loop_.post_after(time, [weak = weak_from_this()] {
    if (const auto core = weak.lock()) core->forget();
  });
}

void ConnectionCore::end(const Error& reason) {
  if (std::exchange(ended_, true)) return;
  end_reason_ = reason;
  confirmed_.set_error(std::make_exception_ptr(reason));
  if (started_ && events_ != nullptr) std::exchange(events_, nullptr)->closed(reason);
}

void ConnectionCore::forget() {
  if (state_ == State::kGone) return;
  const auto self = shared_from_this();
  if (state_ == State::kHandshaking && is_server_) endpoint_->handshake_ended();
  state_ = State::kGone;
  timer_.cancel();
  streams_.clear();
  if (conn_ != nullptr) ngtcp2_conn_del(std::exchange(conn_, nullptr));
  tls_.reset();
  if (endpoint_ != nullptr) std::exchange(endpoint_, nullptr)->forget(*this);
}

}  // namespace alknet::net::quic
