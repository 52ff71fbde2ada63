#include "alknet/net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "alknet/base/hash.h"
#include "alknet/base/json.h"
#include "alknet/net/error.h"
#include "alknet/net/tls_asio.h"

namespace alknet::net {

namespace ssl = boost::asio::ssl;

namespace {

void require(const boost::system::error_code& error, std::string_view what, const std::filesystem::path& path) {
  if (!error) return;
  throw Error(NetError::kTlsFailed,
              fmt::format("[tls] cannot use {} {}: {}; give a PEM file that this user may read", what, path.string(),
                          error.message()),
              JsonObject{{"path", path.string()}});
}

void use_own_certificate(ssl::context& context, const TlsOptions& options) {
  if (options.certificate_file.empty() != options.private_key_file.empty()) {
    throw Error(NetError::kTlsFailed, "[tls] a certificate needs its private key and the other way round: give both");
  }
  if (options.certificate_file.empty()) return;
  boost::system::error_code error;
  context.use_certificate_chain_file(options.certificate_file.string(), error);
  require(error, "the certificate", options.certificate_file);
  context.use_private_key_file(options.private_key_file.string(), ssl::context::pem, error);
  require(error, "the private key", options.private_key_file);
}

std::string alpn_wire(const std::vector<std::string>& names) {
  std::string wire;
  for (const auto& name : names) {
    if (name.empty() || name.size() > 255) throw Error(NetError::kTlsFailed, "[tls] an ALPN name has 1 to 255 bytes");
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

/// A server's choice among what the client offers; the server's order decides.
int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                unsigned int offered_size, void* argument) {
  const auto& ours = static_cast<const TlsContext::State*>(argument)->alpn;
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned int>(ours.size()), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::unique_ptr<TlsContext::State> make_state(ssl::context::method method, const TlsOptions& options) {
  auto state = std::make_unique<TlsContext::State>(method);
  SSL_CTX* native = state->context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  use_own_certificate(state->context, options);
  if (!options.ca_file.empty()) {
    boost::system::error_code error;
    state->context.load_verify_file(options.ca_file.string(), error);
    require(error, "the CA certificates", options.ca_file);
  }
  state->alpn = alpn_wire(options.alpn);
  state->needs_alpn = !options.alpn.empty();
  return state;
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsContext::~TlsContext() = default;

std::shared_ptr<TlsContext> TlsContext::client(const TlsOptions& options) {
  auto state = make_state(ssl::context::tls_client, options);
  SSL_CTX* native = state->context.native_handle();
  if (options.ca_file.empty()) SSL_CTX_set_default_verify_paths(native);
  state->verifies_peer = true;
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  if (state->needs_alpn) {
    SSL_CTX_set_alpn_protos(native, reinterpret_cast<const unsigned char*>(state->alpn.data()),
                            static_cast<unsigned int>(state->alpn.size()));
  }
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(state)));
}

std::shared_ptr<TlsContext> TlsContext::server(const TlsOptions& options) {
  if (options.certificate_file.empty()) {
    throw Error(NetError::kTlsFailed, "[tls] a server needs `certificate_file` and `private_key_file`");
  }
  if (options.require_client_certificate && options.ca_file.empty()) {
    throw Error(NetError::kTlsFailed, "[tls] to require client certificates, name their CA with `ca_file`");
  }
  auto state = make_state(ssl::context::tls_server, options);
  SSL_CTX* native = state->context.native_handle();
  SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE);
  static constexpr std::array<unsigned char, 6> kSessionContext{'a', 'l', 'k', 'n', 'e', 't'};
  SSL_CTX_set_session_id_context(native, kSessionContext.data(), kSessionContext.size());
  if (!options.ca_file.empty()) {
    state->verifies_peer = true;
    // A session that is taken up again would not be verified again: an expired certificate would live on.
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(native, 0);
    const int required = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER | required, nullptr);
  }
  if (state->needs_alpn) SSL_CTX_set_alpn_select_cb(native, choose_alpn, state.get());
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(state)));
}

void describe_tls_peer(SSL* connection, const TlsContext::State& state, StreamPeer& peer) {
  peer.secure = true;
  const unsigned char* alpn = nullptr;
  unsigned int alpn_size = 0;
  SSL_get0_alpn_selected(connection, &alpn, &alpn_size);
  if (alpn != nullptr) peer.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &digest_size) == 1) {
    peer.fingerprint = "sha256:" + hex_text(std::as_bytes(std::span(digest.data(), digest_size)));
  }
  if (!state.verifies_peer || SSL_get_verify_result(connection) != X509_V_OK) return;
  std::array<char, 256> name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                                             static_cast<int>(name.size()));
  if (size > 0) peer.certificate_name = std::string(name.data(), static_cast<std::size_t>(size));
}

Error tls_error(SSL* connection, const std::string& where, const boost::system::error_code& error) {
  const long verdict = SSL_get_verify_result(connection);
  if (verdict != X509_V_OK) {
    return {NetError::kCertificateRejected,
            fmt::format("[{}] the peer's certificate is refused: {}; trust its CA with a CA file, or use the name that "
                        "it was issued for",
                        where, X509_verify_cert_error_string(verdict)),
            JsonObject{{"reason", X509_verify_cert_error_string(verdict)}}};
  }
  return {NetError::kTlsFailed, fmt::format("[{}] the TLS handshake failed: {}", where, error.message()),
          JsonObject{{"reason", error.message()}}};
}

}  // namespace alknet::net
