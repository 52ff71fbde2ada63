#include "alknet/net/http/server.h"

#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/settler.h"
#include "alknet/net/http/server_connection.h"
#include "alknet/net/http/server_state.h"

namespace alknet::net {

namespace {

/// How often a draining server looks whether its requests have ended.
constexpr std::chrono::milliseconds kDrainStep{5};

}  // namespace

const HttpServer::State::Methods* HttpServer::State::find(const std::string& path) const {
  const auto exact = routes.find(path);
  if (exact != routes.end() && !path.ends_with("/*")) return &exact->second;
  for (auto slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/', slash - 1)) {
    const auto above = routes.find(path.substr(0, slash) + "/*");
    if (above != routes.end()) return &above->second;
    if (slash == 0) break;
  }
  return nullptr;
}

const UpgradeHandler* HttpServer::State::find_upgrade(const HttpRequest& request) const {
  if (request.method != "GET" || !request.headers.has_token("Connection", "upgrade")) return nullptr;
  for (const auto& [key, handler] : upgrades) {
    if (key.first == request.path && request.headers.has_token("Upgrade", key.second)) return &handler;
  }
  return nullptr;
}

void HttpServer::State::serve(std::unique_ptr<ByteStream> stream) {
  const auto connection = std::make_shared<ServerConnection>(shared_from_this(), std::move(stream));
  connections.insert(connection);
  start(loop, connection->run(connection),
        [weak = weak_from_this(), key = std::weak_ptr<ServerConnection>(connection)](Outcome<void> outcome) {
          const auto self = weak.lock();
          const auto ended = key.lock();
          if (self && ended) self->connections.erase(ended);
          if (!self || outcome.ok()) return;
          try {
            outcome.take();
          } catch (const std::exception& error) {
            self->options.logger.debug("an HTTP connection ended", {{"reason", error.what()}});
          }
        });
}

void HttpServer::State::close() {
  listeners.clear();
  for (const auto& connection : connections) connection->close();
  connections.clear();
}

HttpServer::HttpServer(Loop& loop, HttpServerOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

HttpServer::~HttpServer() {
  state_->close();
  // What routes captured goes with the server; connections that still unwind find nothing.
  state_->routes.clear();
  state_->upgrades.clear();
}

void HttpServer::route(std::string method, std::string path, HttpHandler handler) {
  state_->routes[std::move(path)][std::move(method)] = std::move(handler);
}

void HttpServer::route_upgrade(std::string path, std::string protocol, UpgradeHandler handler) {
  state_->upgrades[{std::move(path), std::move(protocol)}] = std::move(handler);
}

std::string HttpServer::listen(const std::string& address) {
  ListenOptions options;
  options.tls = state_->options.tls;
  options.max_connections = state_->options.max_connections;
  options.handshake_timeout = state_->options.header_timeout;
  options.logger = state_->options.logger;
  auto listener = Listener::tcp(state_->loop, address, std::move(options),
                                [weak = std::weak_ptr<State>(state_)](std::unique_ptr<ByteStream> stream) {
                                  if (const auto state = weak.lock()) state->serve(std::move(stream));
                                });
  state_->only_loopback = state_->only_loopback && listener->loopback();
  std::string bound = listener->address();
  state_->listeners.push_back(std::move(listener));
  return bound;
}

void HttpServer::serve(std::unique_ptr<ByteStream> stream) { state_->serve(std::move(stream)); }

Task<void> HttpServer::drain(std::chrono::milliseconds limit) {
  const auto state = state_;
  state->listeners.clear();
  state->draining = true;
  const auto all = state->connections;
  for (const auto& connection : all) connection->drain();
  const auto until = state->loop.now() + limit;
  while (!state->connections.empty() && state->loop.now() < until) co_await sleep_for(kDrainStep);
  state->close();
}

HttpServerStats HttpServer::stats() const {
  HttpServerStats stats = state_->stats;
  stats.connections = state_->connections.size();
  return stats;
}

}  // namespace alknet::net
