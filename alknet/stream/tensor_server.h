#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "alknet/base/executor.h"
#include "alknet/base/log.h"
#include "alknet/stream/connection.h"
#include "alknet/stream/limits.h"
#include "alknet/stream/token_issuer.h"

namespace alknet::stream {

class ServerConnection;

struct ServerOptions {
  std::size_t max_open_streams = kMaxOpenStreams;    ///< Of one connection: written and not yet delivered.
  std::size_t max_unsent_streams = 4;                ///< Of those, the ones that still have something to write.
  std::size_t max_requests = kMaxRequests;           ///< Of one connection, open at a time.
  std::size_t max_refusals = 8;                      ///< Tokens that a connection may get wrong before it is closed.
  std::size_t piece_bytes = std::size_t{512} << 10;  ///< Handed to the connection at a time.
  std::chrono::seconds request_timeout{10};          ///< For a request to come whole.
  int compression_level = 1;                         ///< Of zstd, where the client asks for it; 0 never compresses.
};

/// Serves `alknet/tensor` connections: models whose tokens `tokens` gave out. Bytes of a mapped file go to the
/// connection without being copied; a model that is itself still coming is passed on as it arrives.
///
/// One thread, that of `executor`, on which the connections live; it reads mapped files, so a cold disk holds it up.
/// Destroying the server closes its connections.
class TensorServer {
 public:
  TensorServer(Executor& executor, std::shared_ptr<TokenIssuer> tokens, Logger logger = {}, ServerOptions options = {});
  ~TensorServer();
  TensorServer(const TensorServer&) = delete;
  TensorServer& operator=(const TensorServer&) = delete;

  /// Serves a connection of `identity` (nothing: it proved none) until it ends.
  void serve(std::unique_ptr<StreamConnection> connection, std::optional<std::string> identity);

  std::size_t connections() const { return connections_.size(); }

 private:
  Executor& executor_;
  std::shared_ptr<TokenIssuer> tokens_;
  Logger logger_;
  const ServerOptions options_;
  std::map<const ServerConnection*, std::shared_ptr<ServerConnection>> connections_;
  std::shared_ptr<TensorServer*> alive_;  // for what is posted
};

}  // namespace alknet::stream
