#pragma once

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "alknet/call/error.h"

// Owners for what GnuTLS gives out. For sources of this layer, never for public headers.

namespace alknet::net::gnutls {

/// An owned GnuTLS object, made by `init` and released by `deinit`.
template <typename Handle, auto deinit>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_ != nullptr) deinit(handle_);
  }
  Handle get() const { return handle_; }

  /// Where an `init` function stores the object; only while there is none.
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

using X509Key = Owned<gnutls_x509_privkey_t, gnutls_x509_privkey_deinit>;
using X509Certificate = Owned<gnutls_x509_crt_t, gnutls_x509_crt_deinit>;
using CertificateCredentials = Owned<gnutls_certificate_credentials_t, gnutls_certificate_free_credentials>;
using Session = Owned<gnutls_session_t, gnutls_deinit>;

/// Bytes that GnuTLS allocated; erased before they are released, since they may be secret.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() {
    if (datum_.data != nullptr) gnutls_memset(datum_.data, 0, datum_.size);
    gnutls_free(datum_.data);
  }
  gnutls_datum_t* out() { return &datum_; }
  std::span<const std::byte> span() const { return {reinterpret_cast<const std::byte*>(datum_.data), datum_.size}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(datum_.data), datum_.size}; }

 private:
  gnutls_datum_t datum_{nullptr, 0};
};

/// A view for functions of GnuTLS, which do not change what it points to.
inline gnutls_datum_t view(std::string_view text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), static_cast<unsigned>(text.size())};
}

/// Throws `configuration`: "[who] what: GnuTLS's reason" when `result` is an error.
inline void check(int result, std::string_view who, std::string_view what) {
  if (result >= 0) return;
  throw Error(call::CallError::kConfiguration,
              "[" + std::string(who) + "] " + std::string(what) + ": " + gnutls_strerror(result));
}

}  // namespace alknet::net::gnutls
