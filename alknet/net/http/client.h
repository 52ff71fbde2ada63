#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"
#include "alknet/net/http/headers.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// What to do with an answer that points elsewhere.
enum class Redirects {
  kFollow,
  kRefuse,  ///< fail with `too_many_redirects`
  kReturn,  ///< give the redirecting answer itself
};

/// Time limits of one fetch; zero means none. `timeout` says which one passed.
struct FetchTimeouts {
  std::chrono::milliseconds connect{10'000};  ///< finding the name, connecting and TLS
  std::chrono::milliseconds idle{60'000};     ///< between two pieces in either direction
  std::chrono::milliseconds total{0};         ///< from the call to the last byte of the body
};

/// One HTTP request.
struct FetchRequest {
  FetchRequest();  // in the source: GCC 12 destroys an aggregate made inside a co_await twice
  ~FetchRequest();
  FetchRequest(FetchRequest&&) noexcept;
  FetchRequest& operator=(FetchRequest&&) noexcept;

  std::string method = "GET";
  std::string url;  ///< http or https

  /// Besides these the client sends Host, User-Agent, Accept, Accept-Encoding (unless given) and what frames the body,
  /// which may not be given.
  HttpHeaders headers;

  /// The body; for a body that is made while it is sent, `stream`, whose pieces leave as chunks and whose code runs on
  /// the client's loop. A stream cannot be sent twice: a redirect that would need it fails.
  SharedBytes body;
  std::optional<AsyncGenerator<SharedBytes>> stream;

  Redirects redirects = Redirects::kFollow;
  unsigned max_redirects = 20;
  FetchTimeouts timeouts;

  /// Decompress gzip, deflate and zstd. The answer's header fields stay as they were received.
  bool decode = true;
  std::uint64_t max_header_bytes = 64U << 10U;
  std::uint64_t max_body_bytes = 1ULL << 30U;  ///< as received, and again as decompressed

  /// Send Authorization, Cookie and the like in plain text to other machines as well.
  bool allow_plaintext_credentials = false;
};

/// The body of an answer, read piece by piece; what is not read holds the server back. Destroying it early ends the
/// connection. May be used on any executor, one call at a time.
class FetchBody {
 public:
  FetchBody();
  ~FetchBody();
  FetchBody(FetchBody&&) noexcept;
  FetchBody& operator=(FetchBody&&) noexcept;

  /// The next piece, at most 64 KiB; nothing at the end.
  /// Throws `connection_lost`, `timeout`, `too_large`, `malformed`, `decoding_failed`.
  Task<std::optional<SharedBytes>> next();

  /// All that is left, in one piece.
  Task<SharedBytes> read_all();

  class Source;
  explicit FetchBody(std::unique_ptr<Source> source);

 private:
  std::unique_ptr<Source> source_;
};

struct FetchResponse {
  int status = 0;
  std::string reason;
  HttpHeaders headers;
  std::string url;  ///< after redirects
  bool redirected = false;
  FetchBody body;
};

struct HttpClientOptions {
  /// Whom to believe; null: the system's CAs.
  std::shared_ptr<const TlsContext> tls;
  std::string user_agent = "alknet";

  /// Connections kept for the next request: of one origin, of all, and for how long.
  std::size_t idle_per_origin = 6;
  std::size_t idle_connections = 64;
  std::chrono::milliseconds idle_time{30'000};
  Logger logger;
};

/// An HTTP/1.1 client with TLS, redirects, decompression and a pool of connections. `fetch` may be called on any
/// executor; the work is done on the loop, which must outlive the client and its bodies.
class HttpClient {
 public:
  HttpClient(Loop& loop, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends `request` and returns when the head of the answer is there; an answer of any status is no error.
  ///
  /// Redirects: 301 and 302 turn POST into GET, 303 everything but HEAD; 307 and 308 keep the method and the body.
  /// Credentials (Authorization, Cookie, Proxy-Authorization) do not follow to another origin. A request on a kept
  /// connection that the server has closed meanwhile is sent once more when its method is idempotent.
  /// Throws the errors of NetError; `aborted` after a stop, which ends the connection.
  Task<FetchResponse> fetch(FetchRequest request);

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
