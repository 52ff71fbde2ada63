#include "alknet/net/http/server_connection.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "alknet/net/connect.h"
#include "alknet/net/error.h"
#include "alknet/net/http/url.h"

namespace alknet::net {

namespace {

/// After the last answer: how long and how much to read before closing, so that the client gets to see it.
constexpr std::chrono::milliseconds kLinger{1000};
constexpr std::size_t kLingerBytes = 1U << 20U;

std::string http_date() { return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))); }

/// The answer to a request that could not be read.
HttpResponse refusal(const Error& error, bool in_head) {
  if (error.code() == NetError::kTooLarge) {
    return in_head ? HttpResponse::error(431, "TOO_LARGE", error.message())
                   : HttpResponse::error(413, "TOO_LARGE", error.message());
  }
  return HttpResponse::error(400, "INVALID_INPUT", error.message());
}

}  // namespace

ServerConnection::ServerConnection(std::shared_ptr<HttpServer::State> server, std::unique_ptr<ByteStream> stream)
    : server_(std::move(server)), stream_(std::move(stream)), reader_(*stream_) {}

void ServerConnection::close() {
  stop_handler_.request_stop();
  if (stream_) stream_->close();
}

void ServerConnection::drain() {
  if (idle_) close();
}

Task<void> ServerConnection::run(std::shared_ptr<ServerConnection> /*self*/) {
  while (true) {
    const Next next = co_await serve_one();
    if (next == Next::kHandedOver) co_return;
    if (next == Next::kClose || server_->draining) break;
  }
  co_await linger();
}

Task<ServerConnection::Next> ServerConnection::serve_one() {
  HttpLimits limits;
  limits.header_bytes = server_->options.max_header_bytes;
  limits.header_fields = server_->options.max_header_fields;
  limits.body_bytes = server_->options.max_body_bytes;
  parser_.emplace(HttpParser::Kind::kRequest, limits);
  std::optional<HttpResponse> refused;
  HttpRequest request;
  try {
    if (!co_await read_head()) co_return Next::kClose;
    request = make_request();
    refused = refuse_head(request);
    if (!refused) {
      if (const auto* upgrade = server_->find_upgrade(request)) {
        refused = (*upgrade)(request, stream_);
        if (!refused) co_return Next::kHandedOver;
      }
      if (!refused) co_await read_body(request);
    }
  } catch (const Error& error) {
    if (timed_out_ || error.code() == NetError::kConnectionLost || error.code() == BaseError::kAborted) {
      co_return Next::kClose;
    }
    refused = refusal(error, !parser_->head_complete());
  }
  deadline_.cancel();
  ++server_->stats.requests;
  bool keeps = false;
  if (refused) {
    refused->headers.set("Connection", "close");
    keeps = co_await write_answer(request, std::move(*refused));
  } else {
    keeps = co_await answer(std::move(request));
  }
  co_return keeps ? Next::kGoOn : Next::kClose;
}

/// A request did not come in time. Nobody writes now: it is being read.
void ServerConnection::time_out() {
  if (std::exchange(timed_out_, true)) return;
  if (idle_) return stream_->close();
  HttpResponse late = HttpResponse::error(408, "TIMEOUT", "the request took too long to arrive");
  late.headers.set("Connection", "close");
  late.headers.set("Date", http_date());
  late.headers.set("Content-Length", std::to_string(late.body.size()));
  std::vector<SharedBytes> bytes;
  bytes.push_back(
      SharedBytes::copy(fmt::format("HTTP/1.1 408 {}\r\n{}\r\n", status_phrase(late.status), late.headers.wire())));
  bytes.push_back(late.body);
  deadline_ = Deadline(server_->loop, kLinger, [this] { stream_->close(); });
  stream_->write(std::move(bytes), [weak = weak_from_this()](const std::error_code&) {
    // Ends the read that waits, and with it the connection.
    if (const auto self = weak.lock(); self && self->stream_) self->stream_->close();
  });
}

Task<bool> ServerConnection::read_head() {
  const auto& options = server_->options;
  const auto expire = [this] { time_out(); };
  idle_ = true;
  deadline_ = Deadline(server_->loop, options.idle_timeout, expire);
  while (!parser_->head_complete()) {
    const auto bytes = co_await reader_.read("request");
    if (timed_out_) co_return false;
    if (bytes.empty()) {
      if (parser_->started()) parser_->finish();
      co_return false;
    }
    if (std::exchange(idle_, false)) deadline_ = Deadline(server_->loop, options.header_timeout, expire);
    const std::size_t used = parser_->feed(bytes);
    if (used < bytes.size()) stream_->unread(bytes.subspan(used));
  }
  deadline_.cancel();
  co_return true;
}

HttpRequest ServerConnection::make_request() {
  const HttpHead& head = parser_->head();
  HttpRequest request;
  request.method = head.method;
  request.headers = head.headers;
  request.peer = stream_->peer();
  request.hang_up = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->close();
  };
  std::string target = head.target;
  if (target.starts_with("http://") || target.starts_with("https://")) target = Url::parse(target).target;
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  return request;
}

/// What is answered without reading the body.
std::optional<HttpResponse> ServerConnection::refuse_head(const HttpRequest& request) const {
  const HttpHead& head = parser_->head();
  const std::size_t hosts = request.headers.count("Host");
  if (hosts > 1 || (hosts == 0 && head.version == 11)) {
    return HttpResponse::error(400, "INVALID_INPUT", "a request has one Host header");
  }
  if (!request.path.starts_with('/') && !(request.method == "OPTIONS" && request.path == "*")) {
    return HttpResponse::error(400, "INVALID_INPUT", "the target of a request begins with a slash");
  }
  const std::string host(request.headers.get("Host").value_or("localhost"));
  const auto& allowed = server_->options.allowed_hosts;
  const std::string name = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  if (server_->only_loopback && !is_loopback_host(host) &&
      std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
    return HttpResponse::error(421, "FORBIDDEN",
                               "this server answers only to names of its own machine: ask for 127.0.0.1, or let the "
                               "proxy send that as Host");
  }
  return server_->options.refuse ? server_->options.refuse(request) : std::nullopt;
}

Task<void> ServerConnection::read_body(HttpRequest& request) {
  const auto& options = server_->options;
  const auto expire = [this] { time_out(); };
  if (!parser_->complete() && request.headers.has_token("Expect", "100-continue")) {
    std::vector<SharedBytes> go_on;
    go_on.push_back(SharedBytes::copy("HTTP/1.1 100 Continue\r\n\r\n"));
    co_await write(std::move(go_on));
  }
  deadline_ = Deadline(server_->loop, options.body_timeout, expire);
  while (!parser_->complete()) {
    const Deadline piece(server_->loop, options.idle_timeout, expire);
    const auto bytes = co_await reader_.read("request");
    if (timed_out_) throw Error(NetError::kTimeout, "[request] the body took too long");
    if (bytes.empty()) {
      parser_->finish();
      break;
    }
    const std::size_t used = parser_->feed(bytes);
    if (used < bytes.size()) stream_->unread(bytes.subspan(used));
  }
  request.body = SharedBytes::take(parser_->take_body());
}

Task<bool> ServerConnection::answer(HttpRequest request) {
  stop_handler_ = std::stop_source();
  // A client that leaves ends its request; bytes that come meanwhile are its next one.
  reader_.prefetch([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->reader_.ended()) self->stop_handler_.request_stop();
  });
  ++server_->stats.running;
  Completion<bool> done;
  start(
      server_->loop, handle(shared_from_this(), std::move(request)),
      [settler = Settler<bool>(done)](Outcome<bool> outcome) { settler.set_value(outcome.ok() && outcome.take()); },
      stop_handler_.get_token());
  const bool keeps = co_await done.wait();
  --server_->stats.running;
  reader_.disarm();
  co_return keeps;
}

Task<bool> ServerConnection::handle(std::shared_ptr<ServerConnection> self, HttpRequest request) {
  HttpResponse response;
  try {
    response = co_await self->call_handler(request);
  } catch (const Error& error) {
    if (error.code() == BaseError::kAborted && self->stop_handler_.stop_requested()) throw;
    self->server_->options.logger.error(
        "an HTTP handler failed", {{"path", request.path}, {"code", error.code_name()}, {"reason", error.message()}});
    response = HttpResponse::error(500, "INTERNAL", "the server failed; its log says why");
  } catch (const std::exception& error) {
    self->server_->options.logger.error("an HTTP handler failed", {{"path", request.path}, {"reason", error.what()}});
    response = HttpResponse::error(500, "INTERNAL", "the server failed; its log says why");
  }
  co_return co_await self->write_answer(request, std::move(response));
}

Task<HttpResponse> ServerConnection::call_handler(const HttpRequest& request) {
  const auto* methods = server_->find(request.path);
  if (methods == nullptr) co_return HttpResponse::error(404, "NOT_FOUND", "there is nothing at this path");
  if (request.method == "OPTIONS" && !methods->contains("OPTIONS")) {
    co_return answer_options(server_->options.cors, request, *methods);
  }
  const auto found = methods->find(request.method == "HEAD" && !methods->contains("HEAD") ? "GET" : request.method);
  if (found == methods->end()) {
    HttpResponse response = HttpResponse::error(405, "INVALID_INPUT", "this path has no such method");
    response.headers.set("Allow", allowed_methods(*methods));
    co_return response;
  }
  const HttpHandler handler = found->second;
  co_return co_await handler(request);
}

Task<bool> ServerConnection::write_answer(const HttpRequest& request, HttpResponse response) {
  const int version = parser_->head_complete() ? parser_->head().version : 11;
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  const bool streams = response.stream.has_value() && !bodiless;
  const bool chunked = streams && version == 11;
  const bool keeps = parser_->complete() && parser_->keep_alive() && !server_->draining && !(streams && !chunked) &&
                     !response.headers.has_token("Connection", "close");
  if (response.status >= 500) ++server_->stats.errors;
  if (server_->options.answered) server_->options.answered(request, response.status);
  if (!streams && !bodiless) compress_answer(request, server_->options.compress_above, response);
  HttpHeaders headers = std::move(response.headers);
  headers.set("Date", http_date());
  add_cors(server_->options.cors, request, headers);
  if (!keeps) headers.set("Connection", "close");
  if (keeps && version == 10) headers.set("Connection", "keep-alive");
  if (chunked) headers.set("Transfer-Encoding", "chunked");
  if (!streams && !bodiless) headers.set("Content-Length", std::to_string(response.body.size()));
  std::vector<SharedBytes> first;
  first.push_back(SharedBytes::copy(
      fmt::format("HTTP/1.1 {} {}\r\n{}\r\n", response.status, status_phrase(response.status), headers.wire())));
  const bool head_only = request.method == "HEAD" || bodiless;
  if (!streams && !head_only && !response.body.empty()) first.push_back(response.body);
  co_await write(std::move(first));
  if (streams && !head_only) co_await write_stream(std::move(*response.stream), chunked);
  co_return keeps;
}

Task<void> ServerConnection::write_stream(AsyncGenerator<SharedBytes> pieces, bool chunked) {
  while (true) {
    const std::optional<SharedBytes> piece = co_await pieces.next();
    if (piece && piece->empty()) continue;
    std::vector<SharedBytes> bytes;
    if (piece && chunked) bytes.push_back(SharedBytes::copy(fmt::format("{:x}\r\n", piece->size())));
    if (piece) bytes.push_back(*piece);
    if (chunked) bytes.push_back(SharedBytes::copy(piece ? "\r\n" : "0\r\n\r\n"));
    if (!bytes.empty()) co_await write(std::move(bytes));
    if (!piece) break;
  }
}

Task<void> ServerConnection::write(std::vector<SharedBytes> bytes) {
  const Deadline limit(server_->loop, server_->options.write_timeout, [this] { close(); });
  co_await write_all(*stream_, std::move(bytes), "answer");
}

Task<void> ServerConnection::linger() {
  if (!stream_) co_return;
  const Deadline limit(server_->loop, kLinger, [this] { stream_->close(); });
  try {
    if (!stream_->peer().secure) co_await shut_down(*stream_);
    for (std::size_t read = 0; read < kLingerBytes;) {
      const auto bytes = co_await reader_.read("end");
      if (bytes.empty()) break;
      read += bytes.size();
    }
  } catch (const Error&) {
    co_return;  // the client is gone, which is what we waited for
  }
}

}  // namespace alknet::net
