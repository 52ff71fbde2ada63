#include "alknet/stream/tensor_server.h"

#include <utility>

#include "alknet/stream/server_connection.h"

namespace alknet::stream {

TensorServer::TensorServer(Executor& executor, std::shared_ptr<TokenIssuer> tokens, Logger logger,
                           ServerOptions options)
    : executor_(executor),
      tokens_(std::move(tokens)),
      logger_(std::move(logger)),
      options_(options),
      alive_(std::make_shared<TensorServer*>(this)) {}

TensorServer::~TensorServer() = default;

void TensorServer::serve(std::unique_ptr<StreamConnection> connection, std::optional<std::string> identity) {
  // A connection that ended is destroyed in a turn of its own, not inside the event that said so.
  const auto on_closed = [this, alive = std::weak_ptr(alive_)](const ServerConnection& ended) {
    executor_.post([alive, key = &ended] {
      if (const auto server = alive.lock()) (*server)->connections_.erase(key);
    });
  };
  const auto served = std::make_shared<ServerConnection>(
      ServerConnection::Setup{executor_, tokens_, std::move(identity), logger_, options_, on_closed},
      std::move(connection));
  connections_.emplace(served.get(), served);
  served->start();
}

}  // namespace alknet::stream
