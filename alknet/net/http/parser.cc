#include "alknet/net/http/parser.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <utility>

#include "alknet/base/json.h"
#include "alknet/net/error.h"

namespace alknet::net {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

/// The longest line of a chunk header, and the longest trailer.
constexpr std::size_t kChunkHeaderBytes = 16U << 10U;

Error over_limit(std::string_view what, std::uint64_t limit) {
  return {NetError::kTooLarge, fmt::format("[http] the {} is over the limit of {}", what, limit),
          JsonObject{{"limit", limit}, {"what", what}}};
}

Error malformed(const std::string& why) {
  return {NetError::kMalformed, fmt::format("[http] malformed message: {}", why), JsonObject{{"reason", why}}};
}

template <bool IsRequest>
class BeastParser final : public http::basic_parser<IsRequest> {
 public:
  explicit BeastParser(const HttpLimits& limits) : limits_(limits) {
    this->eager(true);
    this->body_limit(boost::none);
    this->header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(limits.header_bytes, std::numeric_limits<std::uint32_t>::max())));
  }

  HttpHead head;
  std::vector<std::byte> body;

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target, int version,
                       beast::error_code& error) override {
    error = {};
    head.method = std::string(method);
    head.target = std::string(target);
    head.version = version;
  }
  void on_response_impl(int status, beast::string_view reason, int version, beast::error_code& error) override {
    error = {};
    head.status = status;
    head.reason = std::string(reason);
    head.version = version;
  }
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    error = {};
    if (this->is_header_done()) return;  // a trailer
    if (head.headers.fields().size() >= limits_.header_fields) {
      throw over_limit("number of header fields", limits_.header_fields);
    }
    head.headers.add(std::string_view(name.data(), name.size()), std::string_view(value.data(), value.size()));
  }
  void on_header_impl(beast::error_code& error) override { error = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code& error) override { error = {}; }
  std::size_t on_body_impl(beast::string_view bytes, beast::error_code& error) override {
    error = {};
    received_ += bytes.size();
    if (received_ > limits_.body_bytes) throw over_limit("body", limits_.body_bytes);
    const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
    body.insert(body.end(), first, first + bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code& error) override { error = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, beast::error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(beast::error_code& error) override { error = {}; }

  HttpLimits limits_;
  std::uint64_t received_ = 0;
};

}  // namespace

/// What both kinds of parser do alike.
class HttpParser::State {
 public:
  State(Kind kind, const HttpLimits& limits) : limits_(limits) {
    if (kind == Kind::kRequest) {
      request_.emplace(limits);
    } else {
      response_.emplace(limits);
    }
  }

  template <typename Use>
  auto with(const Use& use) {
    return request_ ? use(*request_) : use(*response_);
  }

  std::size_t feed(std::span<const std::byte> bytes) {
    started_ = started_ || !bytes.empty();
    // What Beast has not consumed must come again with what follows.
    const std::size_t held = held_.size();
    if (held > 0) {
      held_.insert(held_.end(), bytes.begin(), bytes.end());
      const std::size_t taken = put(held_);
      if (complete()) return taken - held;
      held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(taken));
    } else {
      const std::size_t taken = put(bytes);
      if (complete()) return taken;
      held_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
    }
    const bool in_head = !with([](auto& parser) { return parser.is_header_done(); });
    if (!in_head && held_.size() > kChunkHeaderBytes) throw over_limit("chunk header", kChunkHeaderBytes);
    return bytes.size();
  }

  void finish() {
    with([&](auto& parser) {
      if (!held_.empty() || !started_) throw malformed("it ends in the middle");
      beast::error_code error;
      parser.put_eof(error);
      if (error) throw malformed("it ends in the middle");
      return 0;
    });
  }

  bool complete() {
    return with([](auto& parser) { return parser.is_done(); });
  }
  bool started() const { return started_; }

 private:
  /// Parses as far as it goes and says how many bytes that were.
  std::size_t put(std::span<const std::byte> bytes) {
    return with([&](auto& parser) {
      std::size_t taken = 0;
      while (taken < bytes.size() && !parser.is_done()) {
        const bool before = parser.is_header_done();
        beast::error_code error;
        const std::size_t step =
            parser.put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), error);
        taken += step;
        if (error == http::error::need_more) break;
        if (error == http::error::header_limit) throw over_limit("header", limits_.header_bytes);
        if (error) throw malformed(error.message());
        if (!before && parser.is_header_done()) check_head(parser);
        if (step == 0) break;
      }
      return taken;
    });
  }

  template <typename Parser>
  void check_head(Parser& parser) {
    if (parser.head.headers.has("Transfer-Encoding") && !parser.chunked()) {
      throw malformed("its transfer coding is not known here; send it chunked or with a length");
    }
    if (parser.head.headers.has("Transfer-Encoding") && parser.head.version < 11) {
      throw malformed("HTTP/1.0 has no transfer codings");
    }
    const auto length = parser.content_length();
    if (!parser.skip() && length && *length > limits_.body_bytes) throw over_limit("body", limits_.body_bytes);
  }

  HttpLimits limits_;
  std::optional<BeastParser<true>> request_;
  std::optional<BeastParser<false>> response_;
  std::vector<std::byte> held_;
  bool started_ = false;
};

HttpParser::HttpParser(Kind kind, const HttpLimits& limits) : state_(std::make_unique<State>(kind, limits)) {}
HttpParser::~HttpParser() = default;
HttpParser::HttpParser(HttpParser&&) noexcept = default;

void HttpParser::expect_no_body() {
  state_->with([](auto& parser) { parser.skip(true); });
}

std::size_t HttpParser::feed(std::span<const std::byte> bytes) {
  try {
    return state_->feed(bytes);
  } catch (const Error& error) {
    if (error.code() == BaseError::kInvalidArgument) throw malformed(error.message());
    throw;
  }
}

void HttpParser::finish() { state_->finish(); }
bool HttpParser::started() const { return state_->started(); }
bool HttpParser::head_complete() const {
  return state_->with([](auto& parser) { return parser.is_header_done(); });
}
bool HttpParser::complete() const { return state_->complete(); }
const HttpHead& HttpParser::head() const {
  return *state_->with([](auto& parser) { return &parser.head; });
}
bool HttpParser::keep_alive() const {
  return state_->with([](auto& parser) { return parser.keep_alive() && !parser.need_eof(); });
}
bool HttpParser::chunked() const {
  return state_->with([](auto& parser) { return parser.chunked(); });
}
std::optional<std::uint64_t> HttpParser::content_length() const {
  return state_->with([](auto& parser) {
    const auto length = parser.content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
  });
}
std::vector<std::byte> HttpParser::take_body() {
  return state_->with([](auto& parser) { return std::exchange(parser.body, {}); });
}

}  // namespace alknet::net
