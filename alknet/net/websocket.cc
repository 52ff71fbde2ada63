#include "alknet/net/websocket.h"

#include <fmt/format.h>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/base/settler.h"
#include "alknet/net/abandon_unless_done.h"
#include "alknet/net/connect.h"
#include "alknet/net/error.h"
#include "alknet/net/http/url.h"
#include "alknet/net/websocket_state.h"

namespace alknet::net {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
namespace http = boost::beast::http;

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
  AbandonUnlessDone<WebSocketState> give_up(state);
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
  give_up.done();
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
