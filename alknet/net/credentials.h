#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"

namespace alknet::net {

/// How a node proves who it is. Keys and certificates are immutable values: copies share, distinct objects may be used
/// by distinct threads. Secret parts are erased from memory with the last copy and never appear in errors.

/// An ed25519 private key (RFC 8032), a node's identity.
class PrivateKey {
 public:
  /// A new key from the system's randomness.
  static PrivateKey generate();

  /// Reads PKCS#8 in PEM ("-----BEGIN PRIVATE KEY-----"). Throws `configuration`; `source` names the text in errors.
  static PrivateKey from_pem(std::string_view pem, std::string_view source);

  /// Reads a file of that form. Throws `io_error`, and `configuration` when it is not ours, when group or others may
  /// read it (the message says what to do) or when it holds no ed25519 key.
  static PrivateKey load(const std::filesystem::path& path);

  /// Writes a new file that only its owner may read (mode 0600). Throws `io_error`; an existing file is not replaced.
  void save(const std::filesystem::path& path) const;

  /// PKCS#8 in PEM. Secret.
  std::string pem() const;

  /// The raw public key of RFC 8032.
  const std::array<std::byte, 32>& public_key() const;

  /// "ed25519:" and the 32 bytes of the raw public key, unhashed, as 64 lower-case hexadecimal digits.
  std::string fingerprint() const;

  /// 32 secret bytes for another purpose, named by `label`: SHA-256 over the label and the private key.
  std::array<std::byte, 32> derive(std::string_view label) const;

 private:
  struct State;
  explicit PrivateKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// What a certificate made here says.
struct CertificateOptions {
  std::string common_name = "alknet";
  std::vector<std::string> host_names = {};  ///< DNS names and IP addresses, as subject alternative names
  std::chrono::system_clock::time_point not_before = std::chrono::system_clock::now() - std::chrono::hours(1);
  std::chrono::system_clock::time_point not_after = std::chrono::system_clock::now() + std::chrono::hours(24 * 365);
  bool is_authority = false;  ///< may sign other certificates
};

/// An X.509 certificate chain with the private key of its first certificate.
class Certificate {
 public:
  /// Reads PEM texts: the leaf first, then its issuers; the key in PKCS#8 or the older forms of RSA and EC keys. Throws
  /// `configuration` when they cannot be read or do not belong together; `source` names the texts in errors.
  static Certificate from_pem(std::string_view chain, std::string_view key, std::string_view source);

  /// Reads two files; the key file as PrivateKey::load. Throws `io_error` and `configuration`.
  static Certificate load(const std::filesystem::path& chain, const std::filesystem::path& key);

  /// A certificate with a new ECDSA P-256 key, signed by itself.
  static Certificate self_signed(const CertificateOptions& options);

  /// A certificate of an existing ed25519 key, signed by itself.
  static Certificate self_signed(const PrivateKey& key, const CertificateOptions& options);

  /// A certificate with a new ECDSA P-256 key, signed by `issuer`.
  static Certificate issued_by(const Certificate& issuer, const CertificateOptions& options);

  const std::string& chain_pem() const;

  /// PKCS#8 in PEM. Secret.
  std::string key_pem() const;

  /// "sha256:" and the SHA-256 of the first certificate's DER, as 64 lower-case hexadecimal digits.
  const std::string& fingerprint() const;

  std::chrono::system_clock::time_point not_after() const;

 private:
  struct State;
  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// What an endpoint shows of itself. With both, the peer chooses; with none, an endpoint can only dial anonymously.
struct Credentials {
  std::optional<PrivateKey> key;           ///< shown as a raw public key (RFC 7250); QUIC only
  std::optional<Certificate> certificate;  ///< shown as X.509
};

/// How the server that was dialled is recognised. Nothing given refuses every server.
struct ExpectedServer {
  /// Any of these keys or certificates; then neither name nor issuer matters, only the time of a certificate.
  std::vector<std::string> fingerprints;
  /// Otherwise a certificate for `host_name` (default: the host that is dialled) that one of these authorities signed.
  std::string authorities_pem;
  std::string host_name;
};

/// The fingerprint of a raw public key: "ed25519:HEX".
std::string key_fingerprint(std::span<const std::byte, 32> public_key);

/// The fingerprint of a certificate: "sha256:HEX".
std::string certificate_fingerprint(std::span<const std::byte> der);

/// Whether `text` has the form of a fingerprint: "ed25519:" or "sha256:" and 64 lower-case hexadecimal digits.
bool is_fingerprint(std::string_view text);

/// Refuses a file that is not owned by this user or that group or others may use in any way; `what` names it. Throws
/// `configuration` with `path`, and `io_error` when it cannot be looked at.
void require_private_file(const std::filesystem::path& path, std::string_view what);

}  // namespace alknet::net
