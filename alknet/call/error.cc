#include "alknet/call/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace alknet::call {

namespace {

/// The codes that the protocol itself knows, with whether a caller may try again.
struct ProtocolCode {
  CallError error;
  bool retryable;
};
constexpr std::array kProtocolCodes{
    ProtocolCode{CallError::kNotFound, false},         ProtocolCode{CallError::kForbidden, false},
    ProtocolCode{CallError::kInvalidInput, false},     ProtocolCode{CallError::kInvalidOperationType, false},
    ProtocolCode{CallError::kInternal, false},         ProtocolCode{CallError::kTimeout, true},
    ProtocolCode{CallError::kResourceExhausted, true}, ProtocolCode{CallError::kAborted, false},
};

}  // namespace

const std::error_category& call_category() noexcept {
  static const NamedCategory<17> category(
      "call", {"not_found", "forbidden", "invalid_input", "invalid_operation_type", "internal", "timeout",
               "resource_exhausted", "aborted", "domain", "operation_invalid", "name_taken", "protocol_error",
               "transport", "unauthorized", "configuration", "discovery_failed", "schema_parse"});
  return category;
}

Error domain_error(std::string_view code, std::string message, Json details, bool retryable) {
  JsonObject all{{"code", code}, {"retryable", retryable}};
  if (!details.is_null()) all.emplace("details", std::move(details));
  return {CallError::kDomain, std::move(message), std::move(all)};
}

Json WireError::to_json() const {
  JsonObject payload{{"code", code}, {"message", message}, {"retryable", retryable}};
  if (!details.is_null()) payload.emplace("details", details);
  return payload;
}

WireError WireError::from_json(const Json& payload) {
  const auto* object = payload.if_object();
  const auto* code = object == nullptr ? nullptr : object->if_contains("code");
  const auto* message = object == nullptr ? nullptr : object->if_contains("message");
  if (code == nullptr || !code->is_string() || message == nullptr || !message->is_string()) {
    throw Error(CallError::kProtocolError, "[call.error] the payload needs `code` and `message`, both strings");
  }
  WireError error{std::string(code->get_string()), std::string(message->get_string()), false, nullptr};
  if (const auto* retryable = object->if_contains("retryable")) error.retryable = *retryable == Json(true);
  if (const auto* details = object->if_contains("details")) error.details = *details;
  return error;
}

Error error_from_wire(const WireError& error) {
  for (const auto& [known, retryable] : kProtocolCodes) {
    if (capitals(make_error_code(known).message()) == error.code) return {known, error.message, error.details};
  }
  return domain_error(error.code, error.message, error.details, error.retryable);
}

std::string wire_code(const Error& error) {
  if (error.code() == CallError::kDomain) return std::string(error.details().at("code").as_string());
  return capitals(error.code_name());
}

WireError wire_error(const Error& error) {
  if (error.code() != CallError::kDomain) {
    const bool retryable = error.code() == CallError::kTimeout || error.code() == CallError::kResourceExhausted;
    return {wire_code(error), error.message(), retryable, error.details()};
  }
  const JsonObject& facts = error.details().as_object();
  const Json* details = facts.if_contains("details");
  return {wire_code(error), error.message(), facts.at("retryable") == Json(true),
          details == nullptr ? Json(nullptr) : *details};
}

std::string capitals(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

}  // namespace alknet::call
