#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/call/engine/transport.h"
#include "alknet/net/credentials.h"
#include "alknet/net/gnutls_handles.h"

namespace alknet::net::quic {

/// What GnuTLS needs of an endpoint, made once. Immutable; sessions refer to it.
class TlsContext {
 public:
  /// Throws `configuration` when the credentials cannot be used.
  TlsContext(const Credentials& credentials, std::string client_authorities_pem);

  gnutls_certificate_credentials_t credentials() const { return credentials_.get(); }
  bool has_key() const { return has_key_; }
  bool has_certificate() const { return has_certificate_; }
  const std::string& client_authorities_pem() const { return client_authorities_pem_; }

 private:
  gnutls::CertificateCredentials credentials_;
  std::string client_authorities_pem_;
  bool has_key_;
  bool has_certificate_;
};

/// The connection behind a session.
class TlsOwner {
 public:
  virtual ~TlsOwner() = default;
  virtual ngtcp2_conn* ngtcp2() = 0;

  /// Called when the peer has shown a certificate or key; false refuses it. Does not throw.
  virtual bool admit_peer() = 0;

  /// What ngtcp2's helper finds the connection by.
  ngtcp2_crypto_conn_ref* reference() { return &reference_; }

 private:
  ngtcp2_crypto_conn_ref reference_{
      [](ngtcp2_crypto_conn_ref* reference) { return static_cast<TlsOwner*>(reference->user_data)->ngtcp2(); }, this};
};

/// The TLS 1.3 side of one QUIC connection. Tickets and 0-RTT are off.
class TlsSession {
 public:
  /// A server's session: asks the client for a certificate or key without insisting.
  static TlsSession server(const TlsContext& context, std::span<const std::string> alpns, TlsOwner& owner);

  /// A client's session; `expected` decides whether the server must show a key or a certificate.
  static TlsSession client(const TlsContext& context, const std::string& alpn, const ExpectedServer& expected,
                           TlsOwner& owner);

  gnutls_session_t handle() const { return session_.get(); }
  std::string alpn() const;

  /// What the client proved. Throws `unauthorized` when it is outdated or no key that we know.
  call::PeerCredentials client_credentials(const TlsContext& context) const;

  /// What the server proved. Throws `unauthorized` when it is not the one expected.
  call::PeerCredentials server_credentials(const ExpectedServer& expected) const;

 private:
  TlsSession(const TlsContext& context, bool is_server, const std::string& certificate_types,
             std::span<const std::string> alpns, TlsOwner& owner);
  gnutls::Session session_;
};

}  // namespace alknet::net::quic
