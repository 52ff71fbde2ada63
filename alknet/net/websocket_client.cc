#include "alknet/net/websocket_client.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <deque>
#include <span>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/base/settler.h"
#include "alknet/net/abandon_unless_done.h"
#include "alknet/net/beast_stream.h"
#include "alknet/net/connect.h"
#include "alknet/net/deadline.h"
#include "alknet/net/error.h"
#include "alknet/net/http/headers.h"
#include "alknet/net/http/url.h"

namespace alknet::net {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

constexpr std::uint16_t kAbnormal = 1006;
constexpr std::uint16_t kNoStatus = 1005;

/// The connection, kept by its handlers in flight.
class ClientState : public std::enable_shared_from_this<ClientState> {
 public:
  using Socket = websocket::stream<BeastStream, false>;

  ClientState(Loop& loop, std::unique_ptr<ByteStream> stream, const WebSocketClientConnect& options)
      : loop_(loop), close_timeout_(options.close_timeout), socket_(BeastStream(loop, std::move(stream))) {
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = options.handshake_timeout;
    limits.idle_timeout = websocket::stream_base::none();
    limits.keep_alive_pings = false;
    socket_.set_option(limits);
    socket_.read_message_max(options.max_message_bytes);
  }

  Socket& socket() { return socket_; }

  void start(WebSocketListener listener) {
    listener_ = std::move(listener);
    read();
  }

  void abandon() {
    listener_ = {};
    ended_ = true;
    end_.cancel();
    socket_.next_layer().close();
  }

  void send(bool text, SharedBytes message) {
    if (closing_ || ended_) return;
    buffered_ += message.size();
    queue_.push_back({text, std::move(message)});
    write_next();
  }

  std::uint64_t buffered() const { return buffered_; }

  void close(std::uint16_t code, std::string_view reason) {
    if (closing_ || ended_) return;
    closing_ = true;
    reason_.code = code;
    reason_.reason = beast::string_view(reason.data(), std::min<std::size_t>(reason.size(), 123));
    end_ = Deadline(loop_, close_timeout_, [this] { end(kAbnormal, "no answer to the closing handshake", false); });
    if (!writing_) send_close();
  }

 private:
  struct Outgoing {
    bool text;
    SharedBytes bytes;
  };

  void read() {
    socket_.async_read(buffer_,
                       [self = shared_from_this()](const beast::error_code& error, std::size_t) { self->take(error); });
  }

  void take(const beast::error_code& error) {
    if (ended_) return;
    if (error == websocket::error::closed) {
      const auto& said = socket_.reason();
      const auto code = said.code == websocket::close_code::none ? kNoStatus : static_cast<std::uint16_t>(said.code);
      return end(code, std::string(said.reason.data(), said.reason.size()), true);
    }
    if (error) return end(kAbnormal, error.message(), false);
    const auto data = buffer_.cdata();
    SharedBytes message = SharedBytes::copy(std::span(static_cast<const std::byte*>(data.data()), data.size()));
    buffer_.clear();
    const bool text = socket_.got_text();
    if (!closing_ && listener_.message) listener_.message(text, std::move(message));
    if (!ended_) read();
  }

  void write_next() {
    if (writing_ || ended_ || queue_.empty()) return;
    writing_ = true;
    const Outgoing next = std::move(queue_.front());
    queue_.pop_front();
    socket_.text(next.text);
    socket_.async_write(boost::asio::const_buffer(next.bytes.data(), next.bytes.size()),
                        [self = shared_from_this(), bytes = next.bytes](const beast::error_code& error, std::size_t) {
                          self->writing_ = false;
                          self->wrote(bytes.size(), error);
                        });
  }

  void wrote(std::size_t size, const beast::error_code& error) {
    buffered_ -= size;
    if (ended_) return;
    if (error) return end(kAbnormal, error.message(), false);
    write_next();
    if (closing_ && !writing_) send_close();
  }

  void send_close() {
    socket_.async_close(reason_, [self = shared_from_this()](const beast::error_code& error) {
      if (self->ended_) return;
      const auto& said = self->socket_.reason();
      const auto code = said.code == websocket::close_code::none ? kNoStatus : static_cast<std::uint16_t>(said.code);
      if (error) return self->end(kAbnormal, error.message(), false);
      self->end(code, std::string(said.reason.data(), said.reason.size()), true);
    });
  }

  void end(std::uint16_t code, std::string reason, bool clean) {
    ended_ = true;
    queue_.clear();
    end_.cancel();
    socket_.next_layer().close();
    loop_.post([self = shared_from_this(), code, reason = std::move(reason), clean]() mutable {
      const WebSocketListener listener = std::exchange(self->listener_, {});
      if (listener.closed) listener.closed(code, std::move(reason), clean);
    });
  }

  Loop& loop_;
  std::chrono::milliseconds close_timeout_;
  Socket socket_;
  beast::flat_buffer buffer_;
  WebSocketListener listener_;
  std::deque<Outgoing> queue_;
  std::uint64_t buffered_ = 0;
  websocket::close_reason reason_;
  Deadline end_;
  bool writing_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

class BeastClient final : public WebSocketClient {
 public:
  BeastClient(std::shared_ptr<ClientState> state, std::string protocol)
      : state_(std::move(state)), protocol_(std::move(protocol)) {}
  BeastClient(const BeastClient&) = delete;
  BeastClient& operator=(const BeastClient&) = delete;
  ~BeastClient() override { state_->abandon(); }

  const std::string& protocol() const override { return protocol_; }
  void start(WebSocketListener listener) override { state_->start(std::move(listener)); }
  void send(bool text, SharedBytes message) override { state_->send(text, std::move(message)); }
  std::uint64_t buffered() const override { return state_->buffered(); }
  void close(std::uint16_t code, std::string_view reason) override { state_->close(code, reason); }

 private:
  std::shared_ptr<ClientState> state_;
  std::string protocol_;
};

}  // namespace

WebSocketClientConnect::WebSocketClientConnect() = default;

Task<std::unique_ptr<WebSocketClient>> open_websocket(Loop& loop, std::string text, WebSocketClientConnect options) {
  const Url url = Url::parse(text);
  if (url.scheme != "ws" && url.scheme != "wss") {
    throw Error(NetError::kInvalidUrl, fmt::format("[{}] a WebSocket has the scheme ws or wss", url.text()));
  }
  ConnectOptions connect;
  connect.timeout = options.handshake_timeout;
  if (url.secure()) connect.tls = options.tls ? options.tls : TlsContext::client({});
  std::unique_ptr<ByteStream> stream = co_await connect_tcp(loop, url.host, url.port, std::move(connect));
  auto state = std::make_shared<ClientState>(loop, std::move(stream), options);
  AbandonUnlessDone<ClientState> guard(state);
  const HttpHeaders checked{{"Sec-WebSocket-Protocol", fmt::format("{}", fmt::join(options.protocols, ", "))},
                            {"User-Agent", options.user_agent}};  // refuses control characters
  const std::string offered = checked.joined("Sec-WebSocket-Protocol");
  state->socket().set_option(
      websocket::stream_base::decorator([offered, agent = options.user_agent](websocket::request_type& request) {
        request.set(beast::http::field::user_agent, agent);
        if (!offered.empty()) request.set(beast::http::field::sec_websocket_protocol, offered);
      }));
  const auto response = std::make_shared<websocket::response_type>();
  Completion<beast::error_code> done;
  auto& socket = state->socket();
  socket.async_handshake(
      *response, url.authority(), url.target,
      [settler = Settler(done), response, state](const beast::error_code& error) { settler.set_value(error); });
  const beast::error_code error = co_await done.wait();
  if (error) {
    throw Error(NetError::kRefused, fmt::format("[{}] no WebSocket there: {}", url.text(), error.message()),
                JsonObject{{"status", response->result_int()}});
  }
  const auto chosen = (*response)[beast::http::field::sec_websocket_protocol];
  std::string protocol(chosen.data(), chosen.size());
  const auto& names = options.protocols;
  if (!protocol.empty() && std::find(names.begin(), names.end(), protocol) == names.end()) {
    throw Error(NetError::kRefused,
                fmt::format("[{}] the server chose a subprotocol that was not offered: {}", url.text(), protocol));
  }
  guard.done();
  co_return std::make_unique<BeastClient>(std::move(state), std::move(protocol));
}

}  // namespace alknet::net
