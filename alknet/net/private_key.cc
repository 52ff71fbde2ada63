#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alknet/base/files.h"
#include "alknet/base/hash.h"
#include "alknet/call/error.h"
#include "alknet/net/credentials.h"
#include "alknet/net/gnutls_handles.h"

namespace alknet::net {

namespace {

constexpr std::uint64_t kMostKeyFileBytes = 64 << 10;

}  // namespace

struct PrivateKey::State {
  gnutls::X509Key key;
  std::array<std::byte, 32> public_key{};

  /// Reads the public half, which proves that it is an ed25519 key.
  void read_public_key(std::string_view who, std::string_view source) {
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls::Bytes x;
    gnutls::Bytes y;
    gnutls::Bytes secret;
    if (gnutls_x509_privkey_get_pk_algorithm(key.get()) == GNUTLS_PK_EDDSA_ED25519) {
      gnutls::check(gnutls_x509_privkey_export_ecc_raw(key.get(), &curve, x.out(), y.out(), secret.out()), who, source);
    }
    if (curve != GNUTLS_ECC_CURVE_ED25519 || x.span().size() != public_key.size()) {
      throw Error(
          call::CallError::kConfiguration,
          fmt::format("[{}] {} holds another kind of key: an ed25519 key is needed, for example from `alknet peer`",
                      who, source));
    }
    std::copy(x.span().begin(), x.span().end(), public_key.begin());
  }
};

PrivateKey PrivateKey::generate() {
  auto state = std::make_shared<State>();
  constexpr std::string_view kWho = "PrivateKey::generate";
  gnutls::check(gnutls_x509_privkey_init(state->key.out()), kWho, "no memory for a key");
  gnutls::check(gnutls_x509_privkey_generate(state->key.get(), GNUTLS_PK_EDDSA_ED25519,
                                             GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519), 0),
                kWho, "cannot make a key");
  state->read_public_key(kWho, "the new key");
  return PrivateKey(std::move(state));
}

PrivateKey PrivateKey::from_pem(std::string_view pem, std::string_view source) {
  auto state = std::make_shared<State>();
  constexpr std::string_view kWho = "PrivateKey";
  gnutls::check(gnutls_x509_privkey_init(state->key.out()), kWho, "no memory for a key");
  const gnutls_datum_t text = gnutls::view(pem);
  gnutls::check(
      gnutls_x509_privkey_import_pkcs8(state->key.get(), &text, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN), kWho,
      fmt::format("{} is not an unencrypted private key in PKCS#8 PEM", source));
  state->read_public_key(kWho, source);
  return PrivateKey(std::move(state));
}

PrivateKey PrivateKey::load(const std::filesystem::path& path) {
  require_private_file(path, "private key");
  std::string text = read_file(path, kMostKeyFileBytes);
  try {
    PrivateKey key = from_pem(text, path.string());
    gnutls_memset(text.data(), 0, text.size());
    return key;
  } catch (...) {
    gnutls_memset(text.data(), 0, text.size());
    throw;
  }
}

void PrivateKey::save(const std::filesystem::path& path) const {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) throw io_error("[PrivateKey::save] cannot create", path.string(), errno);
  std::string text = pem();
  std::size_t written = 0;
  int problem = 0;
  while (written < text.size() && problem == 0) {
    const ssize_t count = ::write(file, text.data() + written, text.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      problem = errno;
    }
  }
  gnutls_memset(text.data(), 0, text.size());
  if (problem == 0 && ::fsync(file) != 0) problem = errno;
  ::close(file);
  if (problem == 0) return;
  ::unlink(path.c_str());
  throw io_error("[PrivateKey::save] cannot write", path.string(), problem);
}

std::string PrivateKey::pem() const {
  gnutls::Bytes text;
  gnutls::check(
      gnutls_x509_privkey_export2_pkcs8(state_->key.get(), GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN, text.out()),
      "PrivateKey", "cannot write the key");
  return std::string(text.text());
}

const std::array<std::byte, 32>& PrivateKey::public_key() const { return state_->public_key; }

std::string PrivateKey::fingerprint() const { return key_fingerprint(state_->public_key); }

std::array<std::byte, 32> PrivateKey::derive(std::string_view label) const {
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  gnutls::Bytes x;
  gnutls::Bytes y;
  gnutls::Bytes secret;
  gnutls::check(gnutls_x509_privkey_export_ecc_raw(state_->key.get(), &curve, x.out(), y.out(), secret.out()),
                "PrivateKey::derive", "cannot read the key");
  Sha256 hash;
  hash.update(std::as_bytes(std::span(label)));
  hash.update(secret.span());
  return hash.digest();
}

std::string key_fingerprint(std::span<const std::byte, 32> public_key) { return "ed25519:" + hex_text(public_key); }

std::string certificate_fingerprint(std::span<const std::byte> der) {
  Sha256 hash;
  hash.update(der);
  return "sha256:" + hash.hex();
}

bool is_fingerprint(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  if (colon == std::string_view::npos || (kind != "ed25519" && kind != "sha256")) return false;
  const std::string_view digits = text.substr(colon + 1);
  return digits.size() == 64 && std::all_of(digits.begin(), digits.end(),
                                            [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void require_private_file(const std::filesystem::path& path, std::string_view what) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw io_error(fmt::format("[{}]", what), path.string(), errno);
  const auto refuse = [&](const std::string& problem) {
    throw Error(call::CallError::kConfiguration, fmt::format("[{}] {}: {}", what, path.string(), problem),
                JsonObject{{"path", path.string()}});
  };
  if (!S_ISREG(status.st_mode)) refuse("it is no regular file");
  if (status.st_uid != ::geteuid()) refuse("another user owns it; make it your own with `chown`");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    refuse(fmt::format("group or others may use it (mode {:04o}); run `chmod 600 {}`", status.st_mode & 07777U,
                       path.string()));
  }
}

}  // namespace alknet::net
