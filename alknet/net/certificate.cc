#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/files.h"
#include "alknet/net/credentials.h"
#include "alknet/net/gnutls_handles.h"

namespace alknet::net {

namespace {

constexpr std::uint64_t kMostCertificateFileBytes = 1 << 20;
constexpr std::string_view kCertificateWho = "Certificate";

gnutls::X509Key new_p256_key() {
  gnutls::X509Key key;
  gnutls::check(gnutls_x509_privkey_init(key.out()), kCertificateWho, "no memory for a key");
  gnutls::check(
      gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
      kCertificateWho, "cannot make a key");
  return key;
}

std::string certificate_pem(gnutls_x509_crt_t certificate) {
  gnutls::Bytes text;
  gnutls::check(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, text.out()), kCertificateWho, "cannot write");
  return std::string(text.text());
}

void add_host_name(gnutls_x509_crt_t certificate, const std::string& name) {
  std::array<unsigned char, 16> address{};
  unsigned size = 0;
  if (::inet_pton(AF_INET, name.c_str(), address.data()) == 1) size = 4;
  if (::inet_pton(AF_INET6, name.c_str(), address.data()) == 1) size = 16;
  const int result = size > 0
                         ? gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address.data(), size,
                                                                GNUTLS_FSAN_APPEND)
                         : gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name.data(),
                                                                static_cast<unsigned>(name.size()), GNUTLS_FSAN_APPEND);
  gnutls::check(result, kCertificateWho, "host name " + name);
}

gnutls::X509Certificate unsigned_certificate(gnutls_x509_privkey_t key, const CertificateOptions& options) {
  gnutls::X509Certificate certificate;
  gnutls::check(gnutls_x509_crt_init(certificate.out()), kCertificateWho, "no memory");
  const auto crt = certificate.get();
  std::array<unsigned char, 16> serial{};
  gnutls::check(gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()), kCertificateWho, "no random numbers");
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3F) | 0x40);  // positive, and always as long
  using std::chrono::system_clock;
  const auto usage = GNUTLS_KEY_DIGITAL_SIGNATURE | (options.is_authority ? GNUTLS_KEY_KEY_CERT_SIGN : 0U);
  for (const int result :
       {gnutls_x509_crt_set_version(crt, 3), gnutls_x509_crt_set_serial(crt, serial.data(), serial.size()),
        gnutls_x509_crt_set_activation_time(crt, system_clock::to_time_t(options.not_before)),
        gnutls_x509_crt_set_expiration_time(crt, system_clock::to_time_t(options.not_after)),
        gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, options.common_name.data(),
                                      static_cast<unsigned>(options.common_name.size())),
        gnutls_x509_crt_set_basic_constraints(crt, options.is_authority ? 1 : 0, -1),
        gnutls_x509_crt_set_key_usage(crt, usage), gnutls_x509_crt_set_key(crt, key)}) {
    gnutls::check(result, kCertificateWho, "cannot fill in");
  }
  std::array<unsigned char, 64> key_id{};
  std::size_t key_id_size = key_id.size();
  gnutls::check(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA1, key_id.data(), &key_id_size),
                kCertificateWho, "key id");
  gnutls::check(gnutls_x509_crt_set_subject_key_id(crt, key_id.data(), key_id_size), kCertificateWho, "key id");
  for (const auto& name : options.host_names) add_host_name(crt, name);
  return certificate;
}

void sign(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t key) {
  std::array<unsigned char, 64> issuer_id{};
  std::size_t issuer_id_size = issuer_id.size();
  if (gnutls_x509_crt_get_subject_key_id(issuer, issuer_id.data(), &issuer_id_size, nullptr) == 0) {
    gnutls::check(gnutls_x509_crt_set_authority_key_id(certificate, issuer_id.data(), issuer_id_size), kCertificateWho,
                  "issuer's key id");
  }
  const bool is_ed25519 = gnutls_x509_privkey_get_pk_algorithm(key) == GNUTLS_PK_EDDSA_ED25519;
  gnutls::check(gnutls_x509_crt_sign2(certificate, issuer, key, is_ed25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, 0),
                kCertificateWho, "cannot sign");
}

}  // namespace

struct Certificate::State {
  std::string chain_pem;
  std::string fingerprint;
  std::chrono::system_clock::time_point not_after;
  gnutls::X509Certificate leaf;
  gnutls::X509Key key;

  State(std::string chain, gnutls::X509Certificate certificate, gnutls::X509Key private_key)
      : chain_pem(std::move(chain)), leaf(std::move(certificate)), key(std::move(private_key)) {
    gnutls::Bytes der;
    gnutls::check(gnutls_x509_crt_export2(leaf.get(), GNUTLS_X509_FMT_DER, der.out()), kCertificateWho, "cannot read");
    fingerprint = certificate_fingerprint(der.span());
    not_after = std::chrono::system_clock::from_time_t(gnutls_x509_crt_get_expiration_time(leaf.get()));
  }
};

Certificate Certificate::from_pem(std::string_view chain, std::string_view key, std::string_view source) {
  gnutls::X509Certificate leaf;
  gnutls::X509Key private_key;
  gnutls::check(gnutls_x509_crt_init(leaf.out()), kCertificateWho, "no memory");
  gnutls::check(gnutls_x509_privkey_init(private_key.out()), kCertificateWho, "no memory");
  const gnutls_datum_t chain_text = gnutls::view(chain);
  const gnutls_datum_t key_text = gnutls::view(key);
  gnutls::check(gnutls_x509_crt_import(leaf.get(), &chain_text, GNUTLS_X509_FMT_PEM), kCertificateWho,
                fmt::format("{} does not begin with a certificate in PEM", source));
  gnutls::check(gnutls_x509_privkey_import2(private_key.get(), &key_text, GNUTLS_X509_FMT_PEM, nullptr, 0),
                kCertificateWho, fmt::format("the key of {} is not an unencrypted private key in PEM", source));
  std::array<std::array<unsigned char, 32>, 2> ids{};
  std::size_t size = 32;
  gnutls::check(gnutls_x509_crt_get_key_id(leaf.get(), GNUTLS_KEYID_USE_SHA256, ids[0].data(), &size), kCertificateWho,
                "key id");
  size = 32;
  gnutls::check(gnutls_x509_privkey_get_key_id(private_key.get(), GNUTLS_KEYID_USE_SHA256, ids[1].data(), &size),
                kCertificateWho, "key id");
  if (ids[0] != ids[1]) {
    throw Error(call::CallError::kConfiguration,
                fmt::format("[Certificate] {}: the private key is not that of the first certificate", source));
  }
  return Certificate(std::make_shared<const State>(std::string(chain), std::move(leaf), std::move(private_key)));
}

Certificate Certificate::load(const std::filesystem::path& chain, const std::filesystem::path& key) {
  require_private_file(key, "private key");
  const std::string chain_text = read_file(chain, kMostCertificateFileBytes);
  std::string key_text = read_file(key, kMostCertificateFileBytes);
  try {
    Certificate certificate = from_pem(chain_text, key_text, chain.string());
    gnutls_memset(key_text.data(), 0, key_text.size());
    return certificate;
  } catch (...) {
    gnutls_memset(key_text.data(), 0, key_text.size());
    throw;
  }
}

Certificate Certificate::self_signed(const CertificateOptions& options) {
  gnutls::X509Key key = new_p256_key();
  gnutls::X509Certificate certificate = unsigned_certificate(key.get(), options);
  sign(certificate.get(), certificate.get(), key.get());
  std::string pem = certificate_pem(certificate.get());
  return Certificate(std::make_shared<const State>(std::move(pem), std::move(certificate), std::move(key)));
}

Certificate Certificate::self_signed(const PrivateKey& identity, const CertificateOptions& options) {
  gnutls::X509Key key;
  gnutls::check(gnutls_x509_privkey_init(key.out()), kCertificateWho, "no memory");
  std::string text = identity.pem();
  const gnutls_datum_t key_text = gnutls::view(text);
  const int imported = gnutls_x509_privkey_import2(key.get(), &key_text, GNUTLS_X509_FMT_PEM, nullptr, 0);
  gnutls_memset(text.data(), 0, text.size());
  gnutls::check(imported, kCertificateWho, "key");
  gnutls::X509Certificate certificate = unsigned_certificate(key.get(), options);
  sign(certificate.get(), certificate.get(), key.get());
  std::string pem = certificate_pem(certificate.get());
  return Certificate(std::make_shared<const State>(std::move(pem), std::move(certificate), std::move(key)));
}

Certificate Certificate::issued_by(const Certificate& issuer, const CertificateOptions& options) {
  gnutls::X509Key key = new_p256_key();
  gnutls::X509Certificate certificate = unsigned_certificate(key.get(), options);
  sign(certificate.get(), issuer.state_->leaf.get(), issuer.state_->key.get());
  std::string pem = certificate_pem(certificate.get());
  return Certificate(std::make_shared<const State>(std::move(pem), std::move(certificate), std::move(key)));
}

const std::string& Certificate::chain_pem() const { return state_->chain_pem; }

std::string Certificate::key_pem() const {
  gnutls::Bytes text;
  gnutls::check(
      gnutls_x509_privkey_export2_pkcs8(state_->key.get(), GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN, text.out()),
      kCertificateWho, "cannot write the key");
  return std::string(text.text());
}

const std::string& Certificate::fingerprint() const { return state_->fingerprint; }

std::chrono::system_clock::time_point Certificate::not_after() const { return state_->not_after; }

}  // namespace alknet::net
