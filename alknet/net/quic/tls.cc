#include "alknet/net/quic/tls.h"

#include <fmt/format.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "alknet/net/address.h"

namespace alknet::net::quic {

namespace {

constexpr std::string_view kTlsWho = "quic";

/// The SubjectPublicKeyInfo of an ed25519 key (RFC 8410) is this and the 32 bytes of the key.
constexpr std::array<unsigned char, 12> kEd25519Prefix{0x30, 0x2A, 0x30, 0x05, 0x06, 0x03,
                                                       0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};

[[noreturn]] void refuse_peer(const std::string& reason) { throw Error(call::CallError::kUnauthorized, reason); }

std::span<const std::byte> bytes_of(const gnutls_datum_t& datum) {
  return {reinterpret_cast<const std::byte*>(datum.data), datum.size};
}

std::string raw_key_fingerprint(const gnutls_datum_t& spki) {
  const auto bytes = bytes_of(spki);
  if (bytes.size() != kEd25519Prefix.size() + 32 ||
      !std::equal(kEd25519Prefix.begin(), kEd25519Prefix.end(), spki.data)) {
    refuse_peer("the raw public key is not an ed25519 key");
  }
  return key_fingerprint(bytes.subspan(kEd25519Prefix.size()).first<32>());
}

/// Throws unless now lies in the certificate's time.
void require_current(gnutls_x509_crt_t certificate) {
  const std::time_t now = std::time(nullptr);
  if (gnutls_x509_crt_get_expiration_time(certificate) < now) refuse_peer("the certificate has expired");
  if (gnutls_x509_crt_get_activation_time(certificate) > now) refuse_peer("the certificate is not valid yet");
}

using TrustList = gnutls::Owned<gnutls_x509_trust_list_t,
                                [](gnutls_x509_trust_list_t list) { gnutls_x509_trust_list_deinit(list, 1); }>;

/// Why `chain` is not signed by one of the authorities, or nothing when it is.
std::optional<std::string> chain_problem(std::span<const gnutls::X509Certificate> chain, const std::string& authorities,
                                         const std::string& host_name, const char* purpose) {
  TrustList list;
  gnutls::check(gnutls_x509_trust_list_init(list.out(), 0), kTlsWho, "no memory");
  const gnutls_datum_t text = gnutls::view(authorities);
  if (gnutls_x509_trust_list_add_trust_mem(list.get(), &text, nullptr, GNUTLS_X509_FMT_PEM, 0, 0) <= 0) {
    return "the list of authorities holds no certificate";
  }
  std::vector<gnutls_x509_crt_t> handles;
  for (const auto& certificate : chain) handles.push_back(certificate.get());
  std::vector<gnutls_typed_vdata_st> facts;
  std::string name = host_name;
  std::string usage = purpose;
  facts.push_back({GNUTLS_DT_KEY_PURPOSE_OID, reinterpret_cast<unsigned char*>(usage.data()), 0});
  if (!name.empty()) facts.push_back({GNUTLS_DT_DNS_HOSTNAME, reinterpret_cast<unsigned char*>(name.data()), 0});
  unsigned status = 0;
  const int result =
      gnutls_x509_trust_list_verify_crt2(list.get(), handles.data(), static_cast<unsigned>(handles.size()),
                                         facts.data(), static_cast<unsigned>(facts.size()), 0, &status, nullptr);
  if (result < 0) return std::string(gnutls_strerror(result));
  if (status == 0) return std::nullopt;
  gnutls::Bytes words;
  gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, words.out(), 0);
  std::string problem(words.text());
  while (!problem.empty() && (problem.back() == '\0' || problem.back() == ' ')) problem.pop_back();
  return problem;
}

struct ShownCredentials {
  std::optional<std::string> fingerprint;
  std::vector<gnutls::X509Certificate> chain;  // empty for a raw key
};

ShownCredentials shown_credentials(gnutls_session_t session) {
  ShownCredentials shown;
  unsigned count = 0;
  const gnutls_datum_t* certificates = gnutls_certificate_get_peers(session, &count);
  if (certificates == nullptr || count == 0) return shown;
  if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) == GNUTLS_CRT_RAWPK) {
    shown.fingerprint = raw_key_fingerprint(certificates[0]);
    return shown;
  }
  shown.fingerprint = certificate_fingerprint(bytes_of(certificates[0]));
  for (unsigned i = 0; i < count; ++i) {
    gnutls::X509Certificate certificate;
    gnutls::check(gnutls_x509_crt_init(certificate.out()), kTlsWho, "no memory");
    if (gnutls_x509_crt_import(certificate.get(), &certificates[i], GNUTLS_X509_FMT_DER) < 0) {
      refuse_peer("the certificate cannot be read");
    }
    shown.chain.push_back(std::move(certificate));
  }
  require_current(shown.chain.front().get());
  return shown;
}

std::string common_name(gnutls_x509_crt_t certificate) {
  std::array<char, 256> name{};
  std::size_t size = name.size();
  if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name.data(), &size) < 0) return "";
  return {name.data(), size};
}

}  // namespace

TlsContext::TlsContext(const Credentials& credentials, std::string client_authorities_pem)
    : client_authorities_pem_(std::move(client_authorities_pem)),
      has_key_(credentials.key.has_value()),
      has_certificate_(credentials.certificate.has_value()) {
  gnutls::check(gnutls_certificate_allocate_credentials(credentials_.out()), kTlsWho, "no memory");
  gnutls_certificate_set_verify_function(credentials_.get(), [](gnutls_session_t session) -> int {
    const auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
    return static_cast<TlsOwner*>(reference->user_data)->admit_peer() ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
  });
  if (credentials.key) {
    std::vector<unsigned char> spki(kEd25519Prefix.begin(), kEd25519Prefix.end());
    for (const std::byte byte : credentials.key->public_key()) spki.push_back(static_cast<unsigned char>(byte));
    const gnutls_datum_t spki_view{spki.data(), static_cast<unsigned>(spki.size())};
    // GnuTLS reads both in one form, so the public half is written as PEM too.
    gnutls::Bytes spki_pem;
    gnutls::check(gnutls_pem_base64_encode2("PUBLIC KEY", &spki_view, spki_pem.out()), kTlsWho, "key");
    std::string key_pem = credentials.key->pem();
    const gnutls_datum_t key_view = gnutls::view(key_pem);
    const int result =
        gnutls_certificate_set_rawpk_key_mem(credentials_.get(), spki_pem.out(), &key_view, GNUTLS_X509_FMT_PEM,
                                             nullptr, GNUTLS_KEY_DIGITAL_SIGNATURE, nullptr, 0, 0);
    gnutls_memset(key_pem.data(), 0, key_pem.size());
    gnutls::check(result, kTlsWho, "the private key cannot be used");
  }
  if (credentials.certificate) {
    const gnutls_datum_t chain = gnutls::view(credentials.certificate->chain_pem());
    std::string key_pem = credentials.certificate->key_pem();
    const gnutls_datum_t key_view = gnutls::view(key_pem);
    const int result = gnutls_certificate_set_x509_key_mem(credentials_.get(), &chain, &key_view, GNUTLS_X509_FMT_PEM);
    gnutls_memset(key_pem.data(), 0, key_pem.size());
    gnutls::check(result, kTlsWho, "the certificate cannot be used");
  }
}

TlsSession::TlsSession(const TlsContext& context, bool is_server, const std::string& certificate_types,
                       std::span<const std::string> alpns, TlsOwner& owner) {
  const unsigned role = is_server ? GNUTLS_SERVER : GNUTLS_CLIENT;
  gnutls::check(
      gnutls_init(session_.out(), role | GNUTLS_ENABLE_RAWPK | GNUTLS_NO_TICKETS | GNUTLS_NO_END_OF_EARLY_DATA),
      kTlsWho, "no memory for TLS");
  const std::string priority =
      "NORMAL:%DISABLE_TLS13_COMPAT_MODE:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:"
      "+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:-CTYPE-ALL:" +
      certificate_types;
  gnutls::check(gnutls_priority_set_direct(handle(), priority.c_str(), nullptr), kTlsWho, "TLS priorities");
  gnutls::check(gnutls_credentials_set(handle(), GNUTLS_CRD_CERTIFICATE, context.credentials()), kTlsWho,
                "TLS credentials");
  std::vector<gnutls_datum_t> protocols;
  for (const auto& alpn : alpns) protocols.push_back(gnutls::view(alpn));
  gnutls::check(gnutls_alpn_set_protocols(handle(), protocols.data(), static_cast<unsigned>(protocols.size()),
                                          GNUTLS_ALPN_MANDATORY),
                kTlsWho, "ALPN");
  gnutls::check(is_server ? ngtcp2_crypto_gnutls_configure_server_session(handle())
                          : ngtcp2_crypto_gnutls_configure_client_session(handle()),
                kTlsWho, "TLS for QUIC");
  if (is_server) gnutls_certificate_server_set_request(handle(), GNUTLS_CERT_REQUEST);
  gnutls_session_set_ptr(handle(), owner.reference());
}

TlsSession TlsSession::server(const TlsContext& context, std::span<const std::string> alpns, TlsOwner& owner) {
  std::string types = "+CTYPE-CLI-RAWPK:+CTYPE-CLI-X509";
  if (context.has_key()) types += ":+CTYPE-SRV-RAWPK";
  if (context.has_certificate()) types += ":+CTYPE-SRV-X509";
  return {context, true, types, alpns, owner};
}

TlsSession TlsSession::client(const TlsContext& context, const std::string& alpn, const ExpectedServer& expected,
                              TlsOwner& owner) {
  bool key = false;
  bool certificate = !expected.authorities_pem.empty();
  for (const auto& fingerprint : expected.fingerprints) {
    if (!is_fingerprint(fingerprint)) {
      throw Error(call::CallError::kConfiguration,
                  fmt::format("[quic] `{}` is no fingerprint: write ed25519: or sha256: and 64 hexadecimal digits",
                              fingerprint));
    }
    (fingerprint.starts_with("ed25519:") ? key : certificate) = true;
  }
  if (!key && !certificate) {
    throw Error(call::CallError::kConfiguration,
                "[quic] nothing to recognise the server by: give its fingerprint or the authorities to trust");
  }
  std::string types = context.has_key() ? "+CTYPE-CLI-RAWPK" : "+CTYPE-CLI-X509";
  if (key) types += ":+CTYPE-SRV-RAWPK";
  if (certificate) types += ":+CTYPE-SRV-X509";
  TlsSession session(context, false, types, {&alpn, 1}, owner);
  const std::string& name = expected.host_name;
  const bool is_number =
      name.find(':') != std::string::npos || name.find_first_not_of("0123456789.") == std::string::npos;
  if (!name.empty() && !is_number) {
    gnutls::check(gnutls_server_name_set(session.handle(), GNUTLS_NAME_DNS, name.data(), name.size()), kTlsWho,
                  "host name " + name);
  }
  return session;
}

std::string TlsSession::alpn() const {
  gnutls_datum_t chosen{};
  if (gnutls_alpn_get_selected_protocol(handle(), &chosen) < 0) return "";
  return {reinterpret_cast<const char*>(chosen.data), chosen.size};
}

call::PeerCredentials TlsSession::client_credentials(const TlsContext& context) const {
  const ShownCredentials shown = shown_credentials(handle());
  call::PeerCredentials peer;
  peer.fingerprint = shown.fingerprint;
  if (!shown.chain.empty() && !context.client_authorities_pem().empty() &&
      !chain_problem(shown.chain, context.client_authorities_pem(), "", GNUTLS_KP_TLS_WWW_CLIENT)) {
    peer.certificate_name = common_name(shown.chain.front().get());
  }
  return peer;
}

call::PeerCredentials TlsSession::server_credentials(const ExpectedServer& expected) const {
  const ShownCredentials shown = shown_credentials(handle());
  if (!shown.fingerprint) refuse_peer("the server showed no key");
  call::PeerCredentials peer;
  peer.fingerprint = shown.fingerprint;
  if (!expected.fingerprints.empty()) {
    const auto& pins = expected.fingerprints;
    if (std::find(pins.begin(), pins.end(), *shown.fingerprint) == pins.end()) {
      refuse_peer(
          fmt::format("the server showed {0}, expected was {1}; if its key was changed (`alknet peer show` prints it "
                      "there): alknet peer rotate ID --fingerprint {0}",
                      *shown.fingerprint, fmt::join(pins, " or ")));
    }
    return peer;
  }
  if (shown.chain.empty()) refuse_peer("the server showed a raw key where a certificate is needed");
  if (const auto problem =
          chain_problem(shown.chain, expected.authorities_pem, expected.host_name, GNUTLS_KP_TLS_WWW_SERVER)) {
    refuse_peer(fmt::format("the server's certificate is not accepted for `{}`: {}", expected.host_name, *problem));
  }
  peer.certificate_name = common_name(shown.chain.front().get());
  return peer;
}

}  // namespace alknet::net::quic
