#pragma once

#include <exception>
#include <optional>

#include "alknet/call/error.h"
#include "alknet/call/operation.h"
#include "alknet/net/http/server.h"

namespace alknet::net {

/// The HTTP status of a code of the protocol, in capitals; nothing for codes of a domain. FORBIDDEN is 403; who showed
/// no identity gets 401.
std::optional<int> protocol_status(std::string_view code);

/// An error of a call as HTTP says it.
struct GatewayFailure {
  int status = 500;
  call::WireError error;

  /// {"error": {...}}
  Json to_json() const { return JsonObject{{"error", error.to_json()}}; }
  HttpResponse response() const;
};

/// What the exception that a dispatcher threw means over HTTP. `spec` is that of the operation, where it is known, with
/// the statuses of its domain errors.
GatewayFailure gateway_failure(const Error& error, const call::OperationSpec* spec, bool has_identity);

}  // namespace alknet::net
