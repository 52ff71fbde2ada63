#include "alknet/net/websocket_state.h"

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>

#include <span>
#include <utility>

#include "alknet/call/error.h"

namespace alknet::net {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using call::CallError;
using call::TransportCode;

/// The close code (RFC 6455 section 7.4) that says why a connection ends.
websocket::close_code close_code_of(TransportCode code) {
  switch (code) {
    case TransportCode::kNone:
    case TransportCode::kAborted: return websocket::close_code::normal;
    case TransportCode::kProtocolError: return websocket::close_code::protocol_error;
    case TransportCode::kLimitExceeded:
    case TransportCode::kUnauthorized: return websocket::close_code::policy_error;
    case TransportCode::kInternalError: return websocket::close_code::internal_error;
    case TransportCode::kDraining: return websocket::close_code::going_away;
  }
  return websocket::close_code::normal;
}

}  // namespace

WebSocketState::WebSocketState(Loop& loop, std::unique_ptr<ByteStream> stream, const WebSocketOptions& options)
    : loop_(loop),
      close_timeout_(options.close_timeout),
      socket_(BeastStream(loop, std::move(stream))),
      waiting_(options.high_water) {
  websocket::stream_base::timeout limits{};
  limits.handshake_timeout = options.handshake_timeout;
  limits.idle_timeout = options.idle_timeout;
  limits.keep_alive_pings = true;
  socket_.set_option(limits);
  socket_.read_message_max(options.max_message_bytes);
  socket_.write_buffer_bytes(64U << 10U);
  socket_.auto_fragment(false);
  socket_.binary(true);
}

void WebSocketState::start(call::TransportEvents& events) {
  events_ = &events;
  read();
  write_next();
}

void WebSocketState::abandon() {
  events_ = nullptr;
  end_.cancel();
  socket_.next_layer().close();
}

bool WebSocketState::write(SharedBytes bytes) {
  if (closing_ || ended_) return true;
  const bool room = waiting_.add(bytes.size());
  queue_.push_back(std::move(bytes));
  write_next();
  return room;
}

void WebSocketState::set_reading(bool reading) {
  if (reading_ == reading) return;
  reading_ = reading;
  if (reading_) {
    loop_.post([self = shared_from_this()] { self->read(); });
  }
}

void WebSocketState::close(TransportCode code, std::string_view reason) {
  if (closing_ || ended_) return;
  closing_ = true;
  reason_ = reason;
  code_ = code;
  end_ = Deadline(loop_, close_timeout_, [this] { end(reason_); });
  if (!writing_) send_close();
}

void WebSocketState::read() {
  if (reading_now_ || !reading_ || ended_ || events_ == nullptr) return;
  if (std::exchange(holds_message_, false)) {
    deliver();
    if (events_ == nullptr || ended_ || !reading_) return;
  }
  reading_now_ = true;
  socket_.async_read(buffer_, [self = shared_from_this()](const beast::error_code& error, std::size_t) {
    self->reading_now_ = false;
    self->take(error);
  });
}

void WebSocketState::take(const beast::error_code& error) {
  if (ended_ || events_ == nullptr) return;
  if (error == websocket::error::closed) {
    return end(closing_ ? reason_ : fmt::format("the peer closed it ({})", static_cast<int>(socket_.reason().code)));
  }
  if (error) return end("connection lost: " + error.message());
  if (socket_.got_text()) return close(TransportCode::kProtocolError, "text messages are not allowed");
  if (closing_) {
    buffer_.clear();
    return read();
  }
  holds_message_ = true;
  read();
}

void WebSocketState::deliver() {
  const auto data = buffer_.cdata();
  events_->received(0, std::span(static_cast<const std::byte*>(data.data()), data.size()));
  buffer_.clear();
}

void WebSocketState::write_next() {
  if (writing_ || ended_ || queue_.empty() || events_ == nullptr) return;
  writing_ = true;
  const SharedBytes bytes = queue_.front();
  queue_.pop_front();
  socket_.async_write(boost::asio::const_buffer(bytes.data(), bytes.size()),
                      [self = shared_from_this(), bytes](const beast::error_code& error, std::size_t) {
                        self->writing_ = false;
                        self->wrote(bytes.size(), error);
                      });
}

void WebSocketState::wrote(std::size_t size, const beast::error_code& error) {
  if (ended_ || events_ == nullptr) return;
  if (error) return end("connection lost: " + error.message());
  waiting_.remove(size);
  write_next();
  if (closing_ && !writing_) return send_close();
  if (waiting_.resumes()) events_->writable(0);
}

void WebSocketState::send_close() {
  websocket::close_reason reason(close_code_of(code_));
  const std::string text = reason_.substr(0, 100);
  reason.reason = beast::string_view(text.data(), text.size());
  socket_.async_close(reason, [self = shared_from_this()](const beast::error_code&) {
    if (!self->ended_) self->end(self->reason_);
  });
}

void WebSocketState::end(const std::string& reason) {
  ended_ = true;
  queue_.clear();
  end_.cancel();
  socket_.next_layer().close();
  loop_.post([self = shared_from_this(), reason] {
    if (auto* events = std::exchange(self->events_, nullptr)) {
      events->closed(Error(CallError::kTransport, fmt::format("[websocket] {}", reason)));
    }
  });
}

}  // namespace alknet::net
