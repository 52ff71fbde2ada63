#include "alknet/base/error.h"

#include <fmt/format.h>

#include "alknet/base/json.h"

namespace alknet {

struct Error::State : Error::Header {
  Json details;
};

Error::Error(std::error_code code, std::string message) : Error(code, std::move(message), Json()) {}

Error::Error(std::error_code code, std::string message, Json details) {
  auto state = std::make_shared<State>();
  state->code = code;
  state->message = std::move(message);
  state->details = std::move(details);
  state_ = std::move(state);
}

const Json& Error::details() const noexcept { return static_cast<const State&>(*state_).details; }

const std::error_category& base_category() noexcept {
  static const NamedCategory<10> kCategory(
      "base", {"invalid_argument", "io_error", "not_found", "json_invalid", "json_too_deep", "duplicate_key", "aborted",
               "out_of_memory", "unsupported", "internal"});
  return kCategory;
}

Error io_error(std::string_view what, std::string_view path, int error_number) {
  return {BaseError::kIoError, fmt::format("{}: {}: {}", what, path, std::generic_category().message(error_number)),
          JsonObject{{"path", path}, {"errno", error_number}}};
}

}  // namespace alknet
