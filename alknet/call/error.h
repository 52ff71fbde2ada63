#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::call {

/// What can go wrong with a call. On the wire a code is its name in capitals (`NOT_FOUND`).
enum class CallError {
  kNotFound = 1,          ///< No operation of that name that this caller may see.
  kForbidden,             ///< The caller's authority does not allow it; details has `required`.
  kInvalidInput,          ///< The input does not conform to the operation's schema; details has `violations`.
  kInvalidOperationType,  ///< A subscription was called, or a query or mutation subscribed to.
  kInternal,              ///< The handler failed in a way that the operation does not declare, or the connection ended.
  kTimeout,               ///< The deadline of the call passed. Retryable.
  kResourceExhausted,     ///< A quota or limit was reached; details has `limit`. Retryable.
  kAborted,               ///< The caller gave the call up. Never sent.
  kDomain,                ///< A code that the operation declares; details has `code`, `retryable` and `details`.
  kOperationInvalid,      ///< A registration breaks its form; details has `operation`.
  kNameTaken,             ///< A layer may not register this name; use a namespace prefix.
  kProtocolError,         ///< The peer sent what the protocol does not allow.
  kTransport,             ///< A connection could not be made or was lost.
  kUnauthorized,          ///< The peer is unknown, disabled, or did not prove who it is.
  kConfiguration,         ///< A peers file, key or address is unusable; details has `path` where there is one.
  kDiscoveryFailed,       ///< An importer could not find out what there is.
  kSchemaParse,           ///< A document that an importer read is malformed; details has `pointer`.
};

const std::error_category& call_category() noexcept;
inline std::error_code make_error_code(CallError error) noexcept { return {static_cast<int>(error), call_category()}; }

/// An error that an operation declares in its spec (`error_schemas`), for handlers to throw. `details` conform to the
/// schema of that code; `code` is in capitals (`MODEL_NOT_LOADED`).
[[nodiscard]] Error domain_error(std::string_view code, std::string message, Json details = nullptr,
                                 bool retryable = false);

/// An error as it travels.
struct WireError {
  std::string code;  ///< in capitals
  std::string message;
  bool retryable = false;
  Json details;  ///< null when there are none

  /// {code, message, retryable, details?}, the payload of `call.error`.
  Json to_json() const;
  /// Throws `protocol_error` when `payload` lacks a code or a message.
  static WireError from_json(const Json& payload);
};

/// The exception that stands for an error received from a peer: `not_found`, ... for the codes of the protocol,
/// `domain` for all others. Its details are those of the error.
[[nodiscard]] Error error_from_wire(const WireError& error);

/// The code in capitals that a caller sees of `error`, taking `domain` apart.
std::string wire_code(const Error& error);

/// What a caller is told of `error` as it is: of `domain` the declared code and its details.
WireError wire_error(const Error& error);

/// "not_found" as "NOT_FOUND".
std::string capitals(std::string_view name);

}  // namespace alknet::call

template <>
struct std::is_error_code_enum<alknet::call::CallError> : std::true_type {};
