#include "alknet/net/http/gateway_errors.h"

#include <algorithm>
#include <array>

#include "alknet/base/json.h"

namespace alknet::net {

namespace {

using call::CallError;

struct CodeStatus {
  std::string_view code;
  int status;
  bool retryable;
};
constexpr std::array kStatuses{
    CodeStatus{"NOT_FOUND", 404, false},         CodeStatus{"FORBIDDEN", 403, false},
    CodeStatus{"INVALID_INPUT", 400, false},     CodeStatus{"INVALID_OPERATION_TYPE", 400, false},
    CodeStatus{"INTERNAL", 500, false},          CodeStatus{"TIMEOUT", 504, true},
    CodeStatus{"RESOURCE_EXHAUSTED", 429, true}, CodeStatus{"ABORTED", 503, true},
};

const CodeStatus* find_status(std::string_view code) {
  const auto found =
      std::find_if(kStatuses.begin(), kStatuses.end(), [&](const CodeStatus& row) { return row.code == code; });
  return found == kStatuses.end() ? nullptr : &*found;
}

bool is_draining(const Json& details) {
  const auto* object = details.if_object();
  const auto* limit = object == nullptr ? nullptr : object->if_contains("limit");
  return limit != nullptr && *limit == Json("draining");
}

call::WireError wire_error(const Error& error) {
  call::WireError wire{call::wire_code(error), error.message(), false, error.details()};
  if (error.code() == CallError::kDomain) {
    const auto& details = error.details().as_object();
    const auto* retryable = details.if_contains("retryable");
    const auto* inner = details.if_contains("details");
    wire.retryable = retryable != nullptr && *retryable == Json(true);
    wire.details = inner == nullptr ? Json(nullptr) : *inner;
  } else if (const auto* row = find_status(wire.code)) {
    wire.retryable = row->retryable;
  }
  return wire;
}

}  // namespace

std::optional<int> protocol_status(std::string_view code) {
  const auto* row = find_status(code);
  return row == nullptr ? std::nullopt : std::optional<int>(row->status);
}

HttpResponse GatewayFailure::response() const {
  HttpResponse response = HttpResponse::json(status, to_json());
  if (status == 401) response.headers.set("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) response.headers.set("Retry-After", "1");
  return response;
}

GatewayFailure gateway_failure(const Error& error, const call::OperationSpec* spec, bool has_identity) {
  GatewayFailure failure{500, wire_error(error)};
  if (const auto status = protocol_status(failure.error.code)) {
    failure.status = *status;
  } else if (const auto* declared = spec == nullptr ? nullptr : spec->find_error(failure.error.code)) {
    failure.status = declared->http_status;
  } else {
    failure.error = {"INTERNAL", "the operation failed", false, nullptr};
  }
  if (failure.error.code == "FORBIDDEN" && !has_identity) failure.status = 401;
  if (failure.error.code == "RESOURCE_EXHAUSTED" && is_draining(failure.error.details)) failure.status = 503;
  return failure;
}

}  // namespace alknet::net
