#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/address.h"
#include "alknet/net/node_state.h"
#include "alknet/net/websocket.h"

namespace alknet::net {

namespace {

using call::CallError;
using call::Owner;

constexpr std::string_view kMcpPath = "/mcp";

Task<HttpResponse> answer_mcp(std::shared_ptr<mcp::McpServer> endpoint, HttpRequest request, bool allow_plaintext) {
  if (request.bearer_token() && !request.peer.secure && !request.peer.loopback && !allow_plaintext) {
    co_return HttpResponse::error(403, "FORBIDDEN", "a token in plain text is refused: use https");
  }
  mcp::McpRequest asked{request.method, std::move(request.headers), std::move(request.body)};
  mcp::McpResponse given = co_await endpoint->handle(std::move(asked));
  HttpResponse response;
  response.status = given.status;
  response.headers = std::move(given.headers);
  response.body = std::move(given.body);
  co_return std::move(response);
}

/// Whether a request shows a token, which may be a guess.
bool shows_token(const HttpRequest& request) {
  return request.headers.has("Authorization") ||
         request.headers.joined("Sec-WebSocket-Protocol").find(kWebSocketBearer) != std::string::npos;
}

}  // namespace

std::string Node::State::listen_quic(const std::string& place) {
  quic::Endpoint::Config config;
  config.credentials = options.credentials;
  config.options = options.quic;
  config.logger = options.logger;
  config.client_authorities_pem = options.client_authorities_pem;
  config.admission = [this](const call::PeerCredentials& peer) {
    try {
      admit(peer);
    } catch (const Error&) {
      count_refusal("quic");
      throw;
    }
  };
  const SocketAddress address = SocketAddress::of(parse_host_port(place));
  auto listener = std::make_unique<quic::Listener>(
      loop, address, std::move(config), [this](std::unique_ptr<call::Transport> transport) {
        std::optional<call::Identity> identity = admit(transport->peer());
        serve(std::move(transport), std::move(identity), Owner::Kind::kConnection);
      });
  if (options.on_quic_endpoint) options.on_quic_endpoint(listener->endpoint());
  std::string bound = listener->address().text();
  quic_listeners.push_back(std::move(listener));
  return bound;
}

void Node::State::accept_stream(std::string_view scheme, std::unique_ptr<call::Transport> transport) {
  try {
    call::Identity identity = admit(transport->peer());
    const auto kind = identity.unrestricted ? Owner::Kind::kProgram : Owner::Kind::kConnection;
    serve(std::move(transport), std::move(identity), kind);
  } catch (const Error& error) {
    count_refusal(scheme);
    options.logger.info("refused", {{"address", transport->peer().address}, {"reason", error.message()}});
    transport->close(call::TransportCode::kUnauthorized, error.message());
  }
}

ListenOptions Node::State::listening() const {
  ListenOptions made;
  made.logger = options.logger;
  return made;
}

std::string Node::State::listen_tls(const std::string& place) {
  listeners.push_back(net::listen_tls(loop, place, options.tls, listening(),
                                      [this](auto transport) { accept_stream("tls", std::move(transport)); }));
  return listeners.back()->address();
}

std::string Node::State::listen_unix(const std::string& path) {
  listeners.push_back(net::listen_unix(loop, path, listening(),
                                       [this](auto transport) { accept_stream("unix", std::move(transport)); }));
  return path;
}

bool Node::State::counts_tokens(const HttpRequest& request) const {
  return options.limit_local_tokens || (!request.peer.loopback && !options.allow_plaintext_credentials);
}

std::optional<HttpResponse> Node::State::refuse_guesses(const HttpRequest& request) const {
  if (!shows_token(request) || !counts_tokens(request)) return std::nullopt;
  if (!failed_tokens.blocked(request.peer.address, loop.now())) return std::nullopt;
  call::WireError error{"RESOURCE_EXHAUSTED", "too many wrong tokens came from this address: try again later", true,
                        JsonObject{{"limit", "wrong_tokens"}}};
  return GatewayFailure{429, std::move(error)}.response();
}

void Node::State::note_answer(const HttpRequest& request, int status) {
  if (status != 401 || !shows_token(request)) return;
  count_refusal("http");
  if (!counts_tokens(request)) return;
  failed_tokens.note(request.peer.address, loop.now());
  if (failed_tokens.blocked(request.peer.address, loop.now())) {
    options.logger.warning("too many wrong tokens", {{"address", request.peer.address}});
  }
}

std::string Node::State::listen_http(const std::string& place) { return listen_web(place, nullptr); }

std::string Node::State::listen_https(const std::string& place) {
  return listen_web(place, TlsContext::server(options.tls));
}

std::string Node::State::listen_web(const std::string& place, std::shared_ptr<const TlsContext> tls) {
  HttpServerOptions serving;
  serving.tls = std::move(tls);
  serving.cors.origins = options.allowed_origins;
  serving.logger = options.logger;
  serving.refuse = [weak = weak_from_this()](const HttpRequest& request) {
    const auto state = weak.lock();
    return state ? state->refuse_guesses(request) : std::nullopt;
  };
  serving.answered = [weak = weak_from_this()](const HttpRequest& request, int status) {
    if (const auto state = weak.lock()) state->note_answer(request, status);
  };
  auto server = std::make_unique<HttpServer>(loop, std::move(serving));
  WebSocketServerOptions sockets;
  sockets.authenticate = [this](const std::optional<std::string>& token) {
    return token ? authenticate(*token).has_value() : anonymous().has_value();
  };
  sockets.allowed_origins = options.allowed_origins;
  sockets.allow_plaintext_credentials = options.allow_plaintext_credentials;
  sockets.logger = options.logger;
  server->route_upgrade(kWebSocketPath, "websocket",
                        accept_websockets(loop, std::move(sockets), [this](auto transport) {
                          const auto& token = transport->peer().bearer_token;
                          auto identity = token ? authenticate(*token) : anonymous();
                          serve(std::move(transport), std::move(identity), Owner::Kind::kConnection);
                        }));
  GatewayOptions gateway;
  gateway.owners.limits = options.owner_limits;
  gateway.owners.anonymous = anonymous();
  gateway.owners.layers = {linked.overlay()};
  gateway.owners.allow_plaintext_credentials = options.allow_plaintext_credentials;
  gateway.version = options.version;
  gateway.metrics = &metrics;
  gateways.push_back(std::make_unique<Gateway>(*server, *dispatcher, std::move(gateway)));
  route_mcp(*server);
  std::string bound = server->listen(place);
  web_servers.push_back(std::move(server));
  return bound;
}

void Node::State::route_mcp(HttpServer& server) {
  mcp::McpServerOptions serving;
  serving.version = options.version;
  serving.allowed_origins = options.allowed_origins;
  serving.anonymous = anonymous();
  serving.limits = options.owner_limits;
  serving.layers = {linked.overlay()};
  const auto endpoint = std::make_shared<mcp::McpServer>(*dispatcher, std::move(serving));
  mcp_servers.push_back(endpoint);
  for (const char* method : {"GET", "POST", "DELETE"}) {
    server.route(method, std::string(kMcpPath),
                 [endpoint, allow = options.allow_plaintext_credentials](HttpRequest request) {
                   return answer_mcp(endpoint, std::move(request), allow);
                 });
  }
}

}  // namespace alknet::net
