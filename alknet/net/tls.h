#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace alknet::net {

/// How one side of TLS over TCP proves itself and whom it believes. TLS 1.2 and 1.3; X.509 certificates in PEM files.
struct TlsOptions {
  /// The certificate chain and private key that we show. A server needs both.
  std::filesystem::path certificate_file;
  std::filesystem::path private_key_file;

  /// Certificates of the CAs that we believe; empty: those of the system for a client, none for a server.
  std::filesystem::path ca_file;

  /// A server asks for a certificate and refuses clients without a valid one. Needs `ca_file`.
  bool require_client_certificate = false;

  /// Protocols in order of preference (ALPN). When given, a server refuses clients that offer none of them, and a
  /// client refuses servers that choose none.
  std::vector<std::string> alpn;
};

/// Keys and certificates, read once and shared by many connections. Immutable: thread-safe.
class TlsContext {
 public:
  /// Throw `tls_failed` when a file cannot be used.
  static std::shared_ptr<TlsContext> client(const TlsOptions& options);
  static std::shared_ptr<TlsContext> server(const TlsOptions& options);

  ~TlsContext();

  /// OpenSSL's side, for the sources that make streams (tls_asio.h).
  struct State;
  State& state() const { return *state_; }

 private:
  explicit TlsContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace alknet::net
