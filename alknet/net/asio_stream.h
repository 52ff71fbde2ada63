#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

#include "alknet/base/error.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// TCP and Unix sockets alike: one instance of Asio's templates.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

/// A stream over a connected socket.
std::unique_ptr<ByteStream> make_plain_stream(Socket socket, StreamPeer peer);

/// A TLS connection that is being made. Destroying it gives up without a call.
class TlsHandshake {
 public:
  using Done = std::function<void(std::exception_ptr error, std::unique_ptr<ByteStream> stream)>;
  virtual ~TlsHandshake() = default;
};

/// Begins the handshake over a connected socket. `host` is the name that a server's certificate must carry; a server
/// passes none. `done` is called on the loop.
std::unique_ptr<TlsHandshake> start_tls(Socket socket, std::shared_ptr<const TlsContext> context, bool is_server,
                                        std::string host, StreamPeer peer, TlsHandshake::Done done);

/// "127.0.0.1:80", "[::1]:80" or "unix:PATH", and whether that is this machine.
StreamPeer describe_endpoint(const boost::asio::generic::stream_protocol::endpoint& endpoint);

}  // namespace alknet::net
