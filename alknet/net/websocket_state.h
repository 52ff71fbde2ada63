#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "alknet/base/loop.h"
#include "alknet/call/engine/high_water.h"
#include "alknet/call/engine/single_stream_transport.h"
#include "alknet/net/beast_stream.h"
#include "alknet/net/deadline.h"
#include "alknet/net/websocket.h"

namespace alknet::net {

/// A WebSocket and what waits to be sent on it; what its handlers in flight may still look at. Internal to
/// websocket.cc, which does the handshake on `socket()` first. On the loop's thread.
class WebSocketState : public std::enable_shared_from_this<WebSocketState> {
 public:
  using Socket = boost::beast::websocket::stream<BeastStream, false>;

  WebSocketState(Loop& loop, std::unique_ptr<ByteStream> stream, const WebSocketOptions& options);

  Socket& socket() { return socket_; }

  // For SingleStreamTransport.
  void start(call::TransportEvents& events);
  bool write(SharedBytes bytes);
  void set_reading(bool reading);
  void close(call::TransportCode code, std::string_view reason);
  void abandon();

 private:
  void read();
  void take(const boost::beast::error_code& error);
  void deliver();
  void write_next();
  void wrote(std::size_t size, const boost::beast::error_code& error);
  void send_close();
  void end(const std::string& reason);

  Loop& loop_;
  std::chrono::milliseconds close_timeout_;
  Socket socket_;
  boost::beast::flat_buffer buffer_;
  call::TransportEvents* events_ = nullptr;
  std::deque<SharedBytes> queue_;
  call::HighWater waiting_;
  Deadline end_;
  std::string reason_;
  call::TransportCode code_ = call::TransportCode::kNone;
  bool reading_ = true;
  bool reading_now_ = false;
  bool holds_message_ = false;  // in buffer_, read and not wanted yet
  bool writing_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

using WebSocketTransport = call::SingleStreamTransport<WebSocketState, call::Framing::kMessage>;

}  // namespace alknet::net
