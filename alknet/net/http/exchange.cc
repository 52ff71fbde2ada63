#include "alknet/net/http/exchange.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/json.h"
#include "alknet/net/error.h"

namespace alknet::net {

namespace {

/// Informational answers before the real one.
constexpr int kMaxInformational = 16;

Error timed_out(const std::string& where, std::string_view what, std::chrono::milliseconds limit) {
  return {NetError::kTimeout, fmt::format("[{}] {} within {} ms", where, what, limit.count()),
          JsonObject{{"limit", limit.count()}}};
}

}  // namespace

Exchange::Exchange(Loop& loop, std::unique_ptr<ClientConnection> connection, ExchangePlan plan)
    : loop_(loop), connection_(std::move(connection)), plan_(std::move(plan)), where_(plan_.url.text()) {}

Exchange::~Exchange() { stop_sending_.request_stop(); }

void Exchange::fail(const Error& error) {
  if (failure_ || done_) return;
  failure_ = error;
  stop_sending_.request_stop();
  if (connection_) connection_->stream->close();
}

Error Exchange::lost(const Error& error) const { return failure_ ? *failure_ : error; }

/// Begins the idle limit anew, or ends it when nothing waits.
void Exchange::watch_idle() {
  idle_ = {};
  if (waiting_ == 0 || plan_.timeouts.idle.count() == 0) return;
  idle_ = Deadline(loop_, plan_.timeouts.idle,
                   [this] { fail(timed_out(where_, "nothing came or left", plan_.timeouts.idle)); });
}

Task<void> Exchange::send(std::shared_ptr<Exchange> /*self*/) {
  std::vector<SharedBytes> first{SharedBytes::copy(plan_.head)};
  if (!plan_.body.empty()) first.push_back(plan_.body);
  {
    const Waiting waiting(*this);
    co_await write_all(*connection_->stream, std::move(first), where_);
  }
  while (plan_.stream) {
    std::optional<SharedBytes> piece = co_await plan_.stream->next();
    if (piece && piece->empty()) continue;
    std::vector<SharedBytes> chunk;
    if (piece) {
      chunk.push_back(SharedBytes::copy(fmt::format("{:x}\r\n", piece->size())));
      chunk.push_back(*piece);
      chunk.push_back(SharedBytes::copy("\r\n"));
    } else {
      chunk.push_back(SharedBytes::copy("0\r\n\r\n"));
    }
    const Waiting waiting(*this);
    co_await write_all(*connection_->stream, std::move(chunk), where_);
    if (!piece) break;
  }
}

void Exchange::begin_answer() {
  parser_.emplace(HttpParser::Kind::kResponse, plan_.limits);
  if (plan_.method == "HEAD") parser_->expect_no_body();
}

/// Feeds the parser, and a new one behind each answer of status 1xx.
void Exchange::take(std::span<const std::byte> bytes) {
  while (true) {
    bytes = bytes.subspan(parser_->feed(bytes));
    const int status = parser_->head_complete() ? parser_->head().status : 0;
    if (status < 100 || status >= 200 || status == 101) break;
    if (++informational_ > kMaxInformational) {
      throw Error(NetError::kMalformed, fmt::format("[{}] too many informational answers", where_));
    }
    begin_answer();
    if (bytes.empty()) return;
  }
  // Bytes behind the answer belong to no request: such a connection is not used again.
  if (!bytes.empty()) input_ended_ = true;
}

Task<bool> Exchange::read_more() {
  std::optional<Error> error;
  try {
    const Waiting waiting(*this);
    const auto bytes = co_await connection_->reader.read(where_);
    if (bytes.empty()) {
      parser_->finish();
      co_return false;
    }
    take(bytes);
    co_return true;
  } catch (const Error& thrown) {
    if (thrown.code() == BaseError::kAborted && !failure_) throw;
    error = thrown;
  }
  const bool lost_connection = error->code() == NetError::kConnectionLost || error->code() == NetError::kMalformed;
  if (lost_connection && !parser_->started() && informational_ == 0 && !failure_) {
    lost_before_answer_ = true;
    throw Error(NetError::kConnectionLost,
                fmt::format("[{}] the server ended the connection without an answer; try again", where_));
  }
  throw lost(*error);
}

Task<void> Exchange::begin() {
  begin_answer();
  // Sent beside the reading: a server may answer before it has read the whole body.
  start(
      loop_, send(shared_from_this()),
      [weak = weak_from_this()](Outcome<void> outcome) {
        const auto self = weak.lock();
        if (!self) return;
        self->sent_ = outcome.ok();
        if (outcome.ok()) return;
        try {
          outcome.take();
        } catch (const Error& error) {
          // A lost connection shows when reading, perhaps behind an answer; what a body's source throws is the error.
          if (error.code() != NetError::kConnectionLost) self->fail(error);
        } catch (...) {
          self->fail(Error(BaseError::kInternal, "[fetch] the source of the request's body failed"));
        }
      },
      stop_sending_.get_token());
  while (!parser_->head_complete()) {
    if (!co_await read_more() && !parser_->head_complete()) {
      throw Error(NetError::kMalformed, fmt::format("[{}] the answer has no head", where_));
    }
  }
  const auto coding = parse_coding(plan_.decode ? head().headers.joined("Content-Encoding") : "");
  if (!coding) {
    throw Error(NetError::kDecodingFailed,
                fmt::format("[{}] the content coding \"{:.60}\" is not known here; read it undecoded", where_,
                            head().headers.joined("Content-Encoding")));
  }
  if (*coding != Coding::kIdentity) decoder_.emplace(*coding, DecodeLimits{plan_.limits.body_bytes});
}

Task<std::optional<SharedBytes>> Exchange::next() {
  while (!done_) {
    if (failure_) throw *failure_;
    if (decoder_) {
      std::optional<SharedBytes> piece = decoder_->next();
      if (piece) co_return piece;
    }
    std::vector<std::byte> body = parser_->take_body();
    if (!body.empty()) {
      SharedBytes piece = SharedBytes::take(std::move(body));
      if (!decoder_) co_return piece;
      decoder_->set_input(std::move(piece));
      continue;
    }
    if (parser_->complete()) {
      if (decoder_) decoder_->finish();
      done_ = true;
      break;
    }
    if (!co_await read_more()) input_ended_ = true;
  }
  co_return std::nullopt;
}

std::unique_ptr<ClientConnection> Exchange::take_connection() {
  const bool reusable = done_ && sent_ && !input_ended_ && !failure_ && connection_ && parser_->keep_alive() &&
                        parser_->head().status != 101;
  return reusable ? std::move(connection_) : nullptr;
}

}  // namespace alknet::net
