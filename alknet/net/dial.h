#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/net/credentials.h"
#include "alknet/net/quic/options.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// How to reach a node, and how to recognise it.
struct DialOptions {
  Credentials credentials;
  ExpectedServer expected;
  std::optional<std::string> token;  ///< a bearer token, for ws:// and wss://

  /// Certificates for tls:// and wss://: ours, and the CAs that we believe.
  TlsOptions tls;

  /// Serves the node's own calls on us; may be null.
  call::Dispatcher* dispatcher = nullptr;
  std::shared_ptr<call::Owner> owner;

  call::LinkLimits limits;

  /// For connecting; in `quic` this is the handshake's.
  std::chrono::milliseconds timeout{10'000};
  quic::Options quic;
  Logger logger;
};

/// Connects to quic://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT, wss://HOST:PORT or unix:PATH and agrees on the
/// protocol's features. Runs on the loop's thread. Throws
/// `configuration` for another form of address, `transport` when nobody answers, `unauthorized` when one side does not
/// accept the other.
Task<std::shared_ptr<call::Connection>> dial(Loop& loop, std::string address, DialOptions options);

/// What to say of a call that failed with `error`: the refusal (`unauthorized`) when the connection, and the call with
/// it, was lost because the peer no longer lets us in; otherwise `error`.
Error call_failure(const call::Connection& connection, const Error& error);

}  // namespace alknet::net
