#include "alknet/net/websocket.h"

#include <fmt/format.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/call/error.h"
#include "alknet/net/beast_stream.h"
#include "alknet/net/connect.h"
#include "alknet/net/deadline.h"
#include "alknet/net/error.h"
#include "alknet/net/http/url.h"
#include "alknet/net/settler.h"

namespace alknet::net {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
namespace http = boost::beast::http;
using call::CallError;
using call::TransportCode;

/// The close code (RFC 6455 section 7.4) that says why a connection ends.
websocket::close_code close_code_of(TransportCode code) {
  switch (code) {
    case TransportCode::kNone:
    case TransportCode::kAborted: return websocket::close_code::normal;
    case TransportCode::kProtocolError: return websocket::close_code::protocol_error;
    case TransportCode::kLimitExceeded:
    case TransportCode::kUnauthorized: return websocket::close_code::policy_error;
    case TransportCode::kInternalError: return websocket::close_code::internal_error;
    case TransportCode::kDraining: return websocket::close_code::going_away;
  }
  return websocket::close_code::normal;
}

/// What the handlers in flight may still look at.
class WebSocketState : public std::enable_shared_from_this<WebSocketState> {
 public:
  WebSocketState(Loop& loop, std::unique_ptr<ByteStream> stream, const WebSocketOptions& options)
      : loop_(loop), options_(options), socket_(BeastStream(loop, std::move(stream))) {
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = options.handshake_timeout;
    limits.idle_timeout = options.idle_timeout;
    limits.keep_alive_pings = true;
    socket_.set_option(limits);
    socket_.read_message_max(options.max_message_bytes);
    socket_.write_buffer_bytes(64U << 10U);
    socket_.auto_fragment(false);
    socket_.binary(true);
  }

  websocket::stream<BeastStream, false>& socket() { return socket_; }

  void start(call::TransportEvents& events) {
    events_ = &events;
    read();
    write_next();
  }

  /// The transport is destroyed: no more events.
  void abandon() {
    events_ = nullptr;
    end_.cancel();
    socket_.next_layer().close();
  }

  bool write(SharedBytes bytes) {
    if (closing_ || ended_) return true;
    waiting_bytes_ += bytes.size();
    queue_.push_back(std::move(bytes));
    write_next();
    full_ = full_ || waiting_bytes_ > options_.high_water;
    return !full_;
  }

  void set_reading(bool reading) {
    if (reading_ == reading) return;
    reading_ = reading;
    if (reading_) {
      loop_.post([self = shared_from_this()] { self->read(); });
    }
  }

  void close(websocket::close_code code, std::string_view reason) {
    if (closing_ || ended_) return;
    closing_ = true;
    reason_ = reason;
    code_ = code;
    end_ = Deadline(loop_, options_.close_timeout, [this] { end(reason_); });
    if (!writing_) send_close();
  }

 private:
  void read() {
    if (reading_now_ || !reading_ || ended_ || events_ == nullptr) return;
    if (std::exchange(holds_message_, false)) {
      deliver();
      if (events_ == nullptr || ended_ || !reading_) return;
    }
    reading_now_ = true;
    socket_.async_read(buffer_, [self = shared_from_this()](const beast::error_code& error, std::size_t) {
      self->reading_now_ = false;
      self->take(error);
    });
  }

  void take(const beast::error_code& error) {
    if (ended_ || events_ == nullptr) return;
    if (error == websocket::error::closed) {
      return end(closing_ ? reason_ : fmt::format("the peer closed it ({})", static_cast<int>(socket_.reason().code)));
    }
    if (error) return end("connection lost: " + error.message());
    if (socket_.got_text()) return close(websocket::close_code::protocol_error, "text messages are not allowed");
    if (closing_) {
      buffer_.clear();
      return read();
    }
    holds_message_ = true;
    read();
  }

  void deliver() {
    const auto data = buffer_.cdata();
    events_->received(0, std::span(static_cast<const std::byte*>(data.data()), data.size()));
    buffer_.clear();
  }

  void write_next() {
    if (writing_ || ended_ || queue_.empty() || events_ == nullptr) return;
    writing_ = true;
    const SharedBytes bytes = queue_.front();
    queue_.pop_front();
    socket_.async_write(boost::asio::const_buffer(bytes.data(), bytes.size()),
                        [self = shared_from_this(), bytes](const beast::error_code& error, std::size_t) {
                          self->writing_ = false;
                          self->wrote(bytes.size(), error);
                        });
  }

  void wrote(std::size_t size, const beast::error_code& error) {
    if (ended_ || events_ == nullptr) return;
    if (error) return end("connection lost: " + error.message());
    waiting_bytes_ -= size;
    write_next();
    if (closing_ && !writing_) return send_close();
    if (full_ && waiting_bytes_ <= options_.high_water / 2) {
      full_ = false;
      events_->writable(0);
    }
  }

  void send_close() {
    websocket::close_reason reason(code_);
    const std::string text = reason_.substr(0, 100);
    reason.reason = beast::string_view(text.data(), text.size());
    socket_.async_close(reason, [self = shared_from_this()](const beast::error_code&) {
      if (!self->ended_) self->end(self->reason_);
    });
  }

  void end(const std::string& reason) {
    ended_ = true;
    queue_.clear();
    end_.cancel();
    socket_.next_layer().close();
    loop_.post([self = shared_from_this(), reason] {
      if (auto* events = std::exchange(self->events_, nullptr)) {
        events->closed(Error(CallError::kTransport, fmt::format("[websocket] {}", reason)));
      }
    });
  }

  Loop& loop_;
  WebSocketOptions options_;
  websocket::stream<BeastStream, false> socket_;
  beast::flat_buffer buffer_;
  call::TransportEvents* events_ = nullptr;
  std::deque<SharedBytes> queue_;
  std::size_t waiting_bytes_ = 0;
  Deadline end_;
  std::string reason_;
  websocket::close_code code_ = websocket::close_code::normal;
  bool reading_ = true;
  bool reading_now_ = false;
  bool holds_message_ = false;  // in buffer_, read and not wanted yet
  bool writing_ = false;
  bool full_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

class WebSocketTransport final : public call::Transport {
 public:
  WebSocketTransport(std::shared_ptr<WebSocketState> state, call::PeerCredentials peer)
      : state_(std::move(state)), peer_(std::move(peer)) {}
  ~WebSocketTransport() override { state_->abandon(); }

  call::Framing framing() const override { return call::Framing::kMessage; }
  bool multiplexed() const override { return false; }
  const call::PeerCredentials& peer() const override { return peer_; }
  void start(call::TransportEvents& events) override { state_->start(events); }
  call::StreamId open_stream() override { return 0; }
  bool write(call::StreamId, SharedBytes bytes) override { return state_->write(std::move(bytes)); }
  void finish(call::StreamId) override {}
  void reset(call::StreamId, TransportCode code) override {
    state_->close(close_code_of(code), "the stream was reset");
  }
  void set_reading(call::StreamId, bool reading) override { state_->set_reading(reading); }
  void close(TransportCode code, std::string_view reason) override { state_->close(close_code_of(code), reason); }

 private:
  std::shared_ptr<WebSocketState> state_;
  call::PeerCredentials peer_;
};

/// Closes a socket whose handshake is given up.
struct GiveUp {
  explicit GiveUp(std::shared_ptr<WebSocketState> held) : state(std::move(held)) {}
  GiveUp(const GiveUp&) = delete;
  GiveUp& operator=(const GiveUp&) = delete;
  ~GiveUp() {
    if (state) state->abandon();
  }
  std::shared_ptr<WebSocketState> state;
};

Error handshake_failed(const Url& url, const beast::error_code& error, unsigned status) {
  if (error == websocket::error::upgrade_declined) {
    if (status == 401) {
      return {NetError::kUnauthorized, fmt::format("[{}] the server wants a bearer token that it knows", url.text()),
              JsonObject{{"status", status}}};
    }
    return {NetError::kRefused, fmt::format("[{}] the server answers {} instead of a WebSocket", url.text(), status),
            JsonObject{{"status", status}}};
  }
  if (error == beast::error::timeout) {
    return {NetError::kTimeout, fmt::format("[{}] no WebSocket within the time limit", url.text())};
  }
  return {NetError::kRefused, fmt::format("[{}] no WebSocket there: {}", url.text(), error.message())};
}

/// What a request to upgrade is refused with; nothing when it may go on.
std::optional<HttpResponse> refuse_upgrade(const WebSocketServerOptions& options, const HttpRequest& request,
                                           const std::optional<std::string>& token) {
  const auto origin = request.headers.get("Origin");
  if (origin) {
    const std::string host(request.headers.get("Host").value_or(""));
    const auto& allowed = options.allowed_origins;
    const bool named = std::find(allowed.begin(), allowed.end(), *origin) != allowed.end() ||
                       std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
    if (!named && *origin != "http://" + host && *origin != "https://" + host) {
      return HttpResponse::error(403, "FORBIDDEN", "pages of this origin may not connect");
    }
  }
  if (token && !request.peer.secure && !request.peer.loopback && !options.allow_plaintext_credentials) {
    return HttpResponse::error(403, "FORBIDDEN", "a token in plain text is refused: connect with wss");
  }
  if (options.authenticate && !options.authenticate(token)) {
    HttpResponse response = HttpResponse::error(401, "FORBIDDEN", "authentication required: send a bearer token");
    response.headers.set("WWW-Authenticate", "Bearer");
    return response;
  }
  return std::nullopt;
}

/// The token of the Authorization field, or of a subprotocol.
std::optional<std::string> offered_token(const HttpRequest& request) {
  if (auto token = request.bearer_token()) return token;
  const std::string offered = request.headers.joined("Sec-WebSocket-Protocol");
  const auto at = offered.find(kWebSocketBearer);
  if (at == std::string::npos || (at > 0 && offered[at - 1] != ' ' && offered[at - 1] != ',')) return std::nullopt;
  const auto first = at + kWebSocketBearer.size();
  return offered.substr(first, offered.find_first_of(", ", first) - first);
}

void accept_one(Loop& loop, const WebSocketServerOptions& options, const HttpRequest& request,
                std::unique_ptr<ByteStream> stream, std::optional<std::string> token,
                const TransportAccepted& accepted) {
  call::PeerCredentials peer = peer_credentials(stream->peer(), stream->peer().secure ? "wss:" : "ws:");
  peer.bearer_token = std::move(token);
  auto state = std::make_shared<WebSocketState>(loop, std::move(stream), options);
  http::request<http::empty_body> handshake(http::verb::get, "/", 11);
  for (const auto& [name, value] : request.headers.fields()) handshake.insert(name, value);
  if (request.headers.has_token("Sec-WebSocket-Protocol", kWebSocketProtocol)) {
    state->socket().set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol,
                   beast::string_view(kWebSocketProtocol.data(), kWebSocketProtocol.size()));
    }));
  }
  auto& socket = state->socket();
  socket.async_accept(handshake, [state, peer = std::move(peer), accepted,
                                  logger = options.logger](const beast::error_code& error) mutable {
    if (error) {
      logger.info("a WebSocket handshake failed", {{"peer", peer.address}, {"reason", error.message()}});
      state->abandon();
      return;
    }
    accepted(std::make_unique<WebSocketTransport>(std::move(state), std::move(peer)));
  });
}

}  // namespace

WebSocketClientOptions::WebSocketClientOptions() = default;

Task<std::unique_ptr<call::Transport>> connect_websocket(Loop& loop, std::string text, WebSocketClientOptions options) {
  Url url = Url::parse(text);
  if (url.scheme != "ws" && url.scheme != "wss") {
    throw Error(NetError::kInvalidUrl, fmt::format("[{}] a WebSocket has the scheme ws or wss", url.text()));
  }
  if (url.target == "/") url.target = kWebSocketPath;
  if (!options.bearer_token.empty() && !url.secure() && !is_loopback_host(url.host) &&
      !options.allow_plaintext_credentials) {
    throw Error(NetError::kInsecureCredentials,
                fmt::format("[{}] the token would travel in plain text: use wss, or allow it explicitly", url.text()));
  }
  ConnectOptions connect;
  connect.timeout = options.handshake_timeout;
  if (url.secure()) connect.tls = options.tls ? options.tls : TlsContext::client({});
  std::unique_ptr<ByteStream> stream = co_await connect_tcp(loop, url.host, url.port, std::move(connect));
  call::PeerCredentials peer = peer_credentials(stream->peer(), url.scheme + ":");
  auto state = std::make_shared<WebSocketState>(loop, std::move(stream), options);
  GiveUp give_up(state);
  const HttpHeaders checked{{"Authorization", "Bearer " + options.bearer_token}};  // refuses control characters
  state->socket().set_option(
      websocket::stream_base::decorator([token = options.bearer_token](websocket::request_type& request) {
        request.set(http::field::user_agent, "alknet");
        request.set(http::field::sec_websocket_protocol,
                    beast::string_view(kWebSocketProtocol.data(), kWebSocketProtocol.size()));
        if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
      }));
  const auto response = std::make_shared<websocket::response_type>();
  Completion<beast::error_code> done;
  auto& socket = state->socket();
  socket.async_handshake(
      *response, url.authority(), url.target,
      [settler = Settler(done), response, state](const beast::error_code& error) { settler.set_value(error); });
  const beast::error_code error = co_await done.wait();
  if (error) throw handshake_failed(url, error, response->result_int());
  give_up.state = nullptr;
  co_return std::make_unique<WebSocketTransport>(std::move(state), std::move(peer));
}

UpgradeHandler accept_websockets(Loop& loop, WebSocketServerOptions options, TransportAccepted accepted) {
  const auto shared = std::make_shared<const WebSocketServerOptions>(std::move(options));
  return [&loop, shared, accepted = std::move(accepted)](
             const HttpRequest& request, std::unique_ptr<ByteStream>& stream) -> std::optional<HttpResponse> {
    std::optional<std::string> token = offered_token(request);
    if (auto refused = refuse_upgrade(*shared, request, token)) return refused;
    accept_one(loop, *shared, request, std::move(stream), std::move(token), accepted);
    return std::nullopt;
  };
}

}  // namespace alknet::net
