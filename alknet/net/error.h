#pragma once

#include <string_view>
#include <system_error>

#include "alknet/base/error.h"

namespace alknet::net {

/// What can go wrong between two machines. The details of a system error have `errno`, those of a limit `limit`.
enum class NetError {
  kInvalidUrl = 1,       ///< A URL or address is malformed or of a scheme that is not known.
  kNameNotFound,         ///< A host name has no address.
  kConnectFailed,        ///< Nobody accepts connections there, or the way is barred.
  kTlsFailed,            ///< The TLS handshake failed, or a key or certificate file is unusable.
  kCertificateRejected,  ///< The peer's certificate is not trusted, expired, or for another name.
  kTimeout,              ///< A time limit passed; details has `limit`.
  kConnectionLost,       ///< The connection ended too early.
  kMalformed,            ///< The peer broke the protocol.
  kTooLarge,             ///< A header, body or message is over its limit; details has `limit`.
  kTooManyRedirects,     ///< Redirects went on past the limit, or were not allowed.
  kDecodingFailed,       ///< A compressed body is damaged or grows past what is plausible.
  kInsecureCredentials,  ///< Credentials would travel in plain text to another machine.
  kListenFailed,         ///< An address is in use or may not be used.
  kUnauthorized,         ///< The peer refused our credentials (HTTP 401).
  kRefused,              ///< The peer answered with something else than what was asked for (HTTP status of an upgrade).
};

const std::error_category& net_category() noexcept;
inline std::error_code make_error_code(NetError error) noexcept { return {static_cast<int>(error), net_category()}; }

/// "[where] message of reason" with the reason's number in details as `errno`.
[[nodiscard]] Error net_error(NetError code, std::string_view where, const std::error_code& reason);

}  // namespace alknet::net

template <>
struct std::is_error_code_enum<alknet::net::NetError> : std::true_type {};
