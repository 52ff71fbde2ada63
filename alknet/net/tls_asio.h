#pragma once

#include <boost/asio/ssl/context.hpp>

#include <string>
#include <vector>

#include "alknet/net/byte_stream.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// What a TlsContext is made of. Included by the sources that make TLS streams, never by a public header.
struct TlsContext::State {
  explicit State(boost::asio::ssl::context::method method) : context(method) {}

  boost::asio::ssl::context context;
  std::string alpn;  ///< names with their lengths in front, as TLS sends them
  bool needs_alpn = false;
  bool verifies_peer = false;
};

/// Fills in what a completed handshake proved about the peer.
void describe_tls_peer(SSL* connection, const TlsContext::State& state, StreamPeer& peer);

/// Why the last handshake on `connection` failed, in words; the certificate's fault when that is what it was.
Error tls_error(SSL* connection, const std::string& where, const boost::system::error_code& error);

}  // namespace alknet::net
