#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alknet/net/http/server.h"
#include "alknet/net/listener.h"

namespace alknet::net {

class ServerConnection;

/// What the connections of a server share.
class HttpServer::State : public std::enable_shared_from_this<State> {
 public:
  State(Loop& made_on, HttpServerOptions given) : loop(made_on), options(std::move(given)) {}

  /// The handlers of one path by method.
  using Methods = std::map<std::string, HttpHandler, std::less<>>;

  /// The handlers for `path`: of itself, or of the longest "/*" above it. Null when there are none.
  const Methods* find(const std::string& path) const;
  const UpgradeHandler* find_upgrade(const HttpRequest& request) const;

  void serve(std::unique_ptr<ByteStream> stream);
  void close();

  Loop& loop;
  HttpServerOptions options;
  std::map<std::string, Methods, std::less<>> routes;
  std::map<std::pair<std::string, std::string>, UpgradeHandler> upgrades;  ///< by path and protocol
  std::vector<std::unique_ptr<Listener>> listeners;
  std::set<std::shared_ptr<ServerConnection>> connections;
  HttpServerStats stats;
  bool only_loopback = true;
  bool draining = false;
};

/// What CORS adds to an answer to a request from `origin`; nothing when that is not allowed.
void add_cors(const CorsOptions& cors, const HttpRequest& request, HttpHeaders& headers);

/// The answer to OPTIONS, also as CORS asks it before a request.
HttpResponse answer_options(const CorsOptions& cors, const HttpRequest& request,
                            const HttpServer::State::Methods& methods);

/// The methods of a path, for Allow.
std::string allowed_methods(const HttpServer::State::Methods& methods);

/// Compresses the body when that pays and the client accepts it.
void compress_answer(const HttpRequest& request, std::size_t above, HttpResponse& response);

/// The phrase of a status, "Not Found".
std::string_view status_phrase(int status);

}  // namespace alknet::net
