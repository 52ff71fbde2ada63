#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/http/headers.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// A request as a handler sees it, with its whole body.
struct HttpRequest {
  std::string method;
  std::string path;   ///< without the query, as it was sent
  std::string query;  ///< behind the question mark, as it was sent
  HttpHeaders headers;
  SharedBytes body;
  StreamPeer peer;
  std::function<void()> hang_up;  ///< ends the connection at once, and with it what answers; empty outside a server

  /// The first value of that name in the query, decoded.
  std::optional<std::string> query_value(std::string_view name) const;

  /// The token of "Authorization: Bearer TOKEN".
  std::optional<std::string> bearer_token() const;
};

/// An answer. With `stream`, whose pieces leave as they come, `body` is not sent; the generator is destroyed when the
/// client leaves.
struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  SharedBytes body;
  std::optional<AsyncGenerator<SharedBytes>> stream;

  static HttpResponse text(int status, std::string_view body, std::string_view type = "text/plain; charset=utf-8");
  static HttpResponse json(int status, const Json& body);

  /// {"error": {"code", "message"}}, the form of all errors that the server itself answers.
  static HttpResponse error(int status, std::string_view code, std::string_view message);
};

/// Runs on the server's loop. When the client leaves, the handler is stopped: its next `co_await` throws `aborted`. An
/// exception is logged and answered with status 500 without its text.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest request)>;

/// Takes a connection over, by moving `stream` away, after a request with an Upgrade field, which is not answered yet;
/// or leaves it and returns the answer that refuses.
using UpgradeHandler =
    std::function<std::optional<HttpResponse>(const HttpRequest& request, std::unique_ptr<ByteStream>& stream)>;

/// Which web pages of other origins may read the answers (the CORS protocol of the Fetch standard).
struct CorsOptions {
  std::vector<std::string> origins;  ///< "https://example.com", or "*" for all; empty: none
  std::vector<std::string> request_headers{"Authorization", "Content-Type", "Alknet-Session", "Last-Event-ID"};
  std::vector<std::string> exposed_headers;
  std::chrono::seconds max_age{600};
};

struct HttpServerOptions {
  std::shared_ptr<const TlsContext> tls;
  CorsOptions cors;

  std::size_t max_header_bytes = 32U << 10U;
  std::size_t max_header_fields = 100;
  std::uint64_t max_body_bytes = 16U << 20U;
  std::size_t max_connections = 4096;

  std::chrono::milliseconds header_timeout{10'000};  ///< from the first byte of a request to the end of its header
  std::chrono::milliseconds body_timeout{120'000};   ///< for the whole body
  std::chrono::milliseconds idle_timeout{60'000};    ///< between requests, and between two pieces of a body
  std::chrono::milliseconds write_timeout{60'000};   ///< for each piece of an answer: a client that does not read

  std::size_t compress_above = 1024;  ///< bytes of text from which on an answer is compressed for who accepts it

  /// Besides names of this machine, which names a Host field may have while the server listens on this machine only: a
  /// page that points its own name at 127.0.0.1 gets no further. On other addresses every name is taken.
  std::vector<std::string> allowed_hosts;

  /// Asked when the head of a request was read: an answer refuses the request, whose body is not read then.
  std::function<std::optional<HttpResponse>(const HttpRequest& request)> refuse;

  /// Told of each answer before it leaves.
  std::function<void(const HttpRequest& request, int status)> answered;

  Logger logger;
};

struct HttpServerStats {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;  ///< answers of status 500 and above
  std::size_t connections = 0;
  std::size_t running = 0;  ///< requests being handled
};

/// An HTTP/1.1 server. Used on the loop's thread, where its handlers run; the loop must outlive it. Destroying it
/// closes every connection.
///
/// It answers HEAD by GET's handler, OPTIONS by the methods there are, 404 and 405 in JSON, 408 to a request that stays
/// unfinished, 413 and 431 at the limits, and 400 for what is malformed; after these the connection is closed, as it is
/// without an answer when no request begins in time. "Expect: 100-continue" is honoured.
class HttpServer {
 public:
  HttpServer(Loop& loop, HttpServerOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Handles `method` on `path`, which is exact, or with "/*" at its end all paths below. The longest path wins.
  void route(std::string method, std::string path, HttpHandler handler);

  /// Hands requests to upgrade to `protocol` ("websocket") on exactly `path` over.
  void route_upgrade(std::string path, std::string protocol, UpgradeHandler handler);

  /// Begins to listen; may be called for several addresses. Returns "127.0.0.1:8080" with the port that was chosen.
  /// Throws `listen_failed`.
  std::string listen(const std::string& address);

  /// Serves a connection that came another way.
  void serve(std::unique_ptr<ByteStream> stream);

  /// Stops to listen, ends idle connections, lets running requests end, and closes after `limit` what is left.
  Task<void> drain(std::chrono::milliseconds limit);

  HttpServerStats stats() const;

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
