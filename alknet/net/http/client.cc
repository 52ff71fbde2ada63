#include "alknet/net/http/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/base/on_executor.h"
#include "alknet/net/connect.h"
#include "alknet/net/error.h"
#include "alknet/net/http/exchange.h"

namespace alknet::net {

namespace {

constexpr std::array<std::string_view, 6> kIdempotent{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
constexpr std::array<std::string_view, 3> kCredentials{"Authorization", "Cookie", "Proxy-Authorization"};

/// What frames a message is the client's business: given by a caller it could smuggle a second request in.
constexpr std::array<std::string_view, 5> kFraming{"Content-Length", "Transfer-Encoding", "Connection", "Upgrade",
                                                   "Expect"};

/// What a redirecting answer may have for a body before its connection is given up instead of read to the end.
constexpr std::size_t kRedirectBody = 64U << 10U;

bool redirects(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

void check_request(const FetchRequest& request) {
  if (!is_token(request.method) || request.method == "CONNECT" || request.method == "TRACE") {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[fetch] {:.40} is not a method that can be fetched with", request.method));
  }
  for (const auto name : kFraming) {
    if (!request.headers.has(name)) continue;
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[fetch] the header {} is the client's own: leave it out, give a body instead", name));
  }
}

void check_credentials(const FetchRequest& request, const Url& url, const HttpHeaders& headers) {
  if (url.secure() || request.allow_plaintext_credentials || is_loopback_host(url.host)) return;
  for (const auto name : kCredentials) {
    if (!headers.has(name)) continue;
    throw Error(
        NetError::kInsecureCredentials,
        fmt::format("[{}] {} would travel in plain text: use https, or allow it explicitly", url.origin(), name));
  }
}

std::string request_head(const FetchRequest& request, const Url& url, const HttpHeaders& given,
                         const std::string& user_agent) {
  HttpHeaders headers;
  if (!given.has("Host")) headers.add("Host", url.authority());
  for (const auto& [name, value] : given.fields()) headers.add(name, value);
  const auto add_default = [&](std::string_view name, std::string_view value) {
    if (!headers.has(name)) headers.add(name, value);
  };
  add_default("User-Agent", user_agent);
  add_default("Accept", "*/*");
  if (request.decode) add_default("Accept-Encoding", "gzip, deflate, zstd");
  const bool usually_has_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.stream) {
    headers.add("Transfer-Encoding", "chunked");
  } else if (!request.body.empty() || usually_has_body) {
    headers.add("Content-Length", std::to_string(request.body.size()));
  }
  return fmt::format("{} {} HTTP/1.1\r\n{}\r\n", request.method, url.target, headers.wire());
}

/// The request that follows a redirect of that status to `target`.
void follow(FetchRequest& request, int status, const Url& from, const Url& target) {
  const bool to_get =
      (status == 303 && request.method != "HEAD") || ((status == 301 || status == 302) && request.method == "POST");
  if (to_get) {
    request.method = "GET";
    request.body = {};
    request.stream.reset();
    for (const auto name : {"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"}) {
      request.headers.remove(name);
    }
  }
  if (from.origin() == target.origin()) return;
  for (const auto name : kCredentials) request.headers.remove(name);
  request.headers.remove("Host");
}

}  // namespace

/// A body in the hands of its reader; gone, it ends the exchange, on the loop.
class FetchBody::Source {
 public:
  Source(Loop& loop, std::shared_ptr<Exchange> exchange, std::weak_ptr<HttpClient::State> client, Deadline total,
         std::string origin)
      : loop_(loop),
        shared_(std::make_shared<Shared>(
            Shared{std::move(exchange), std::move(client), std::move(total), std::move(origin)})) {}
  ~Source() {
    loop_.post([shared = std::move(shared_)] {
      if (shared->exchange) shared->exchange->fail(Error(BaseError::kAborted, "[fetch] the body was given up"));
    });
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  Task<std::optional<SharedBytes>> next() { return on_executor(loop_, next_on_loop(shared_)); }

 private:
  struct Shared {
    std::shared_ptr<Exchange> exchange;
    std::weak_ptr<HttpClient::State> client;
    Deadline total;
    std::string origin;
  };
  static Task<std::optional<SharedBytes>> next_on_loop(std::shared_ptr<Shared> shared);

  Loop& loop_;
  std::shared_ptr<Shared> shared_;
};

/// The client's side on the loop.
class HttpClient::State : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, HttpClientOptions options) : loop_(loop), options_(std::move(options)) {}

  Loop& loop() { return loop_; }

  void close() {
    closed_ = true;
    idle_.clear();
  }

  void give_back(const std::string& origin, std::unique_ptr<ClientConnection> connection) {
    if (closed_ || options_.idle_connections == 0) return;
    const auto same = [&](const Idle& idle) { return idle.origin == origin; };
    if (static_cast<std::size_t>(std::count_if(idle_.begin(), idle_.end(), same)) >= options_.idle_per_origin) {
      idle_.erase(std::find_if(idle_.begin(), idle_.end(), same));
    }
    if (idle_.size() >= options_.idle_connections) idle_.pop_front();
    const std::uint64_t id = ++last_idle_;
    connection->used_before = true;
    // Whatever comes while nobody asked, an end above all, makes the connection useless.
    const auto drop = [weak = weak_from_this(), id] {
      if (const auto self = weak.lock()) self->drop(id);
    };
    connection->reader.prefetch(drop);
    idle_.push_back(Idle{id, origin, std::move(connection), Deadline(loop_, options_.idle_time, drop)});
  }

  static Task<FetchResponse> fetch(std::shared_ptr<State> self, FetchRequest request) {
    check_request(request);
    Url url = Url::parse(request.url);
    const auto current = std::make_shared<std::weak_ptr<Exchange>>();
    const auto expired = std::make_shared<bool>(false);
    std::stop_source give_up;
    const auto stop = (co_await current_context()).stop;
    const std::stop_callback on_stop(stop, [&give_up] { give_up.request_stop(); });
    const auto limit = request.timeouts.total;
    const Error too_late(NetError::kTimeout, fmt::format("[{}] not done within {} ms", url.text(), limit.count()),
                         JsonObject{{"limit", limit.count()}});
    Deadline total;
    if (limit.count() > 0) {
      total = Deadline(self->loop_, limit, [current, expired, give_up, too_late]() mutable {
        *expired = true;
        if (const auto exchange = current->lock()) exchange->fail(too_late);
        give_up.request_stop();
      });
    }
    std::exception_ptr failure;
    try {
      Found found = co_await on_executor(self->loop_, follow_redirects(self, std::move(request), url, current),
                                         give_up.get_token());
      FetchResponse response;
      const HttpHead& head = found.exchange->head();
      response.status = head.status;
      response.reason = head.reason;
      response.headers = head.headers;
      response.url = found.url.text();
      response.redirected = found.redirected;
      response.body = FetchBody(std::make_unique<FetchBody::Source>(
          self->loop_, std::move(found.exchange), std::weak_ptr<State>(self), std::move(total), found.url.origin()));
      co_return response;
    } catch (const Error&) {
      failure = std::current_exception();
    }
    if (*expired) throw too_late;
    std::rethrow_exception(failure);
  }

 private:
  struct Idle {
    std::uint64_t id;
    std::string origin;
    std::unique_ptr<ClientConnection> connection;
    Deadline deadline;
  };
  struct Found {
    std::shared_ptr<Exchange> exchange;
    Url url;
    bool redirected = false;
  };

  void drop(std::uint64_t id) {
    idle_.remove_if([&](const Idle& idle) { return idle.id == id; });
  }

  std::unique_ptr<ClientConnection> take_idle(const std::string& origin) {
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) { return idle.origin == origin; });
    if (found == idle_.rend()) return nullptr;
    auto connection = std::move(found->connection);
    idle_.erase(std::next(found).base());
    connection->reader.disarm();
    return connection;
  }

  Task<std::unique_ptr<ClientConnection>> connect(const Url& url, std::chrono::milliseconds timeout) {
    ConnectOptions options;
    if (timeout.count() > 0) options.timeout = timeout;
    if (url.secure()) {
      if (!options_.tls) options_.tls = TlsContext::client({});
      options.tls = options_.tls;
    }
    std::unique_ptr<ByteStream> stream = co_await connect_tcp(loop_, url.host, url.port, std::move(options));
    co_return std::make_unique<ClientConnection>(std::move(stream));
  }

  /// Gives an exchange up unless it was handed on.
  struct Guard {
    explicit Guard(std::shared_ptr<Exchange> held) : exchange(std::move(held)) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      if (exchange) exchange->fail(Error(BaseError::kAborted, "[fetch] the request was given up"));
    }
    std::shared_ptr<Exchange> exchange;
  };

  Task<std::shared_ptr<Exchange>> send(FetchRequest& request, const Url& url,
                                       std::shared_ptr<std::weak_ptr<Exchange>> current) {
    const bool again =
        std::find(kIdempotent.begin(), kIdempotent.end(), request.method) != kIdempotent.end() && !request.stream;
    std::shared_ptr<AsyncGenerator<SharedBytes>> stream;
    const std::string head = request_head(request, url, request.headers, options_.user_agent);
    if (request.stream) stream = std::make_shared<AsyncGenerator<SharedBytes>>(std::move(*request.stream));
    while (true) {
      std::unique_ptr<ClientConnection> connection = take_idle(url.origin());
      if (!connection) connection = co_await connect(url, request.timeouts.connect);
      const bool kept = connection->used_before;
      HttpLimits limits;
      limits.header_bytes = request.max_header_bytes;
      limits.body_bytes = request.max_body_bytes;
      Guard guard(std::make_shared<Exchange>(
          loop_, std::move(connection),
          ExchangePlan{url, request.method, head, request.body, stream, request.timeouts, limits, request.decode}));
      *current = guard.exchange;
      try {
        co_await guard.exchange->begin();
        co_return std::exchange(guard.exchange, nullptr);
      } catch (const Error&) {
        if (!kept || !again || !guard.exchange->lost_before_answer()) throw;
      }
    }
  }

  static Task<Found> follow_redirects(std::shared_ptr<State> self, FetchRequest request, Url url,
                                      std::shared_ptr<std::weak_ptr<Exchange>> current) {
    if (url.scheme != "http" && url.scheme != "https") {
      throw Error(NetError::kInvalidUrl, fmt::format("[fetch] {} is not an http or https URL", url.text()));
    }
    for (unsigned redirected = 0;; ++redirected) {
      check_credentials(request, url, request.headers);
      const bool streams = request.stream.has_value();
      // In two steps: GCC 12 destroys what is awaited inside an initializer twice.
      std::shared_ptr<Exchange> sent = co_await self->send(request, url, current);
      Guard guard(std::move(sent));
      const HttpHead& head = guard.exchange->head();
      const auto location = head.headers.get("Location");
      if (!redirects(head.status) || !location || request.redirects == Redirects::kReturn) {
        co_return Found{std::exchange(guard.exchange, nullptr), std::move(url), redirected > 0};
      }
      if (request.redirects == Redirects::kRefuse || redirected >= request.max_redirects) {
        throw Error(NetError::kTooManyRedirects,
                    fmt::format("[{}] redirected to {:.200}, after {} redirects that were allowed", url.text(),
                                *location, redirected),
                    JsonObject{{"limit", request.max_redirects}, {"location", *location}});
      }
      const int status = head.status;
      Url target = url.resolve(*location);
      if (target.scheme != "http" && target.scheme != "https") {
        throw Error(NetError::kInvalidUrl,
                    fmt::format("[{}] redirected to {}, which cannot be fetched", url.text(), target.text()));
      }
      follow(request, status, url, target);
      if (streams && request.method != "GET") {
        throw Error(
            NetError::kTooManyRedirects,
            fmt::format("[{}] a redirect asks for the body again, which was streamed: give it as bytes", url.text()));
      }
      co_await self->finish_redirect(*guard.exchange, url);
      url = std::move(target);
    }
  }

  /// Reads the rest of a redirecting answer, so that its connection can be used again, when that is short.
  Task<void> finish_redirect(Exchange& exchange, const Url& url) {
    std::size_t read = 0;
    try {
      while (const std::optional<SharedBytes> piece = co_await exchange.next()) {
        read += piece->size();
        if (read > kRedirectBody) co_return;
      }
    } catch (const Error& error) {
      if (error.code() == BaseError::kAborted) throw;
      co_return;  // the answer itself was good enough to follow
    }
    if (auto connection = exchange.take_connection()) give_back(url.origin(), std::move(connection));
  }

  Loop& loop_;
  HttpClientOptions options_;
  std::list<Idle> idle_;
  std::uint64_t last_idle_ = 0;
  bool closed_ = false;
};

Task<std::optional<SharedBytes>> FetchBody::Source::next_on_loop(std::shared_ptr<Shared> shared) {
  if (!shared->exchange) co_return std::nullopt;
  std::optional<SharedBytes> piece = co_await shared->exchange->next();
  if (piece) co_return piece;
  const auto exchange = std::exchange(shared->exchange, nullptr);
  shared->total = {};
  if (auto connection = exchange->take_connection()) {
    if (const auto client = shared->client.lock()) client->give_back(shared->origin, std::move(connection));
  }
  co_return std::nullopt;
}

FetchRequest::FetchRequest() = default;
FetchRequest::~FetchRequest() = default;
FetchRequest::FetchRequest(FetchRequest&&) noexcept = default;
FetchRequest& FetchRequest::operator=(FetchRequest&&) noexcept = default;

FetchBody::FetchBody() = default;
FetchBody::~FetchBody() = default;
FetchBody::FetchBody(FetchBody&&) noexcept = default;
FetchBody& FetchBody::operator=(FetchBody&&) noexcept = default;
FetchBody::FetchBody(std::unique_ptr<Source> source) : source_(std::move(source)) {}

Task<std::optional<SharedBytes>> FetchBody::next() {
  if (!source_) co_return std::nullopt;
  co_return co_await source_->next();
}

Task<SharedBytes> FetchBody::read_all() {
  std::vector<std::byte> all;
  std::optional<SharedBytes> first = co_await next();
  if (!first) co_return SharedBytes();
  std::optional<SharedBytes> piece = co_await next();
  if (!piece) co_return *first;
  all.assign(first->span().begin(), first->span().end());
  while (piece) {
    all.insert(all.end(), piece->span().begin(), piece->span().end());
    piece = co_await next();
  }
  co_return SharedBytes::take(std::move(all));
}

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

HttpClient::~HttpClient() {
  Loop& loop = state_->loop();
  loop.post([state = std::move(state_)] { state->close(); });
}

Task<FetchResponse> HttpClient::fetch(FetchRequest request) {
  const auto state = state_;
  co_return co_await on_executor(state->loop(), State::fetch(state, std::move(request)));
}

}  // namespace alknet::net
