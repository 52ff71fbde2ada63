#include "alknet/call/failure.h"

#include <fmt/format.h>

#include <new>
#include <string>
#include <utility>

#include "alknet/base/random_hex.h"

namespace alknet::call {

namespace {

WireError describe(const Error& error, const Operation& operation) {
  const std::string code = wire_code(error);
  const bool own = error.code().category() == call_category();
  if (own && error.code() != CallError::kDomain) {
    const bool retryable = error.code() == CallError::kTimeout || error.code() == CallError::kResourceExhausted;
    return {code, error.message(), retryable, error.details()};
  }
  const JsonObject* domain = own ? &error.details().as_object() : nullptr;
  const auto* inner = domain == nullptr ? nullptr : domain->if_contains("details");
  const Json details = domain == nullptr ? error.details() : inner == nullptr ? Json(nullptr) : *inner;
  const bool retryable = domain != nullptr && domain->at("retryable") == Json(true);
  if (operation.spec().find_error(code) != nullptr) return {code, error.message(), retryable, details};
  JsonObject original{{"code", own ? code : fmt::format("{}.{}", error.code().category().name(), error.code_name())}};
  if (!details.is_null()) original.emplace("details", details);
  return {"INTERNAL", error.message(), false, std::move(original)};
}

}  // namespace

WireError describe_failure(const std::exception_ptr& failure, const Operation& operation, const Logger& logger) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return describe(error, operation);
  } catch (const std::bad_alloc&) {
    return describe(Error(BaseError::kOutOfMemory, "out of memory"), operation);
  } catch (const std::exception& error) {
    const std::string reference = random_hex(8);
    logger.error("handler failed",
                 {{"operation", operation.spec().name}, {"reference", reference}, {"what", error.what()}});
    return {"INTERNAL", "the operation failed; the log has more", false, JsonObject{{"reference", reference}}};
  }
}

}  // namespace alknet::call
