#pragma once

#include <boost/json/fwd.hpp>

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace alknet {

/// The one exception type of alknet.
///
/// `code` tells programs what happened: its category is the layer's enum (`tensor`, `graph`, ...), its name is
/// snake_case and stable. The message tells people what happened, where (path, byte, node) and what to do about it.
/// `details` holds the same facts as JSON. Copying never throws; distinct objects may be used by distinct threads.
class Error : public std::exception {
 public:
  Error(std::error_code code, std::string message);
  Error(std::error_code code, std::string message, boost::json::value details);

  const char* what() const noexcept override { return state_->message.c_str(); }
  const std::error_code& code() const noexcept { return state_->code; }
  const std::string& message() const noexcept { return state_->message; }

  /// The snake_case name of the code, for example "header_truncated".
  std::string code_name() const { return state_->code.message(); }

  /// Facts for programs; `null` when there are none.
  const boost::json::value& details() const noexcept;

 private:
  struct Header {
    std::error_code code;
    std::string message;
  };
  struct State;  // Header and the details, whose type only error.cc needs
  std::shared_ptr<const Header> state_;
};

/// An error category over an enum whose names are given in the order of its values, starting at 1 (0 means success).
/// A layer declares one with static storage and returns it from its `make_error_code`.
template <std::size_t N>
class NamedCategory final : public std::error_category {
 public:
  NamedCategory(const char* layer, std::array<std::string_view, N> names) : layer_(layer), names_(names) {}

  const char* name() const noexcept override { return layer_; }
  std::string message(int value) const override {
    const auto index = static_cast<std::size_t>(value) - 1;
    return value >= 1 && index < N ? std::string(names_[index]) : "unknown";
  }

 private:
  const char* layer_;
  std::array<std::string_view, N> names_;
};

/// Errors that no single layer owns.
enum class BaseError {
  kInvalidArgument = 1,  ///< A caller's argument is outside what the function accepts.
  kIoError,              ///< The operating system refused a file operation; details has `errno` and `path`.
  kNotFound,             ///< A named thing does not exist.
  kJsonInvalid,          ///< Text is not JSON; details has `byte`.
  kJsonTooDeep,          ///< JSON nests deeper than the limit.
  kJsonDuplicateKey,     ///< An object names a member twice.
  kAborted,              ///< The caller asked to stop.
  kOutOfMemory,          ///< An allocation failed or would exceed a limit.
  kUnsupported,          ///< Correct, but this build or machine cannot do it.
  kInternal,             ///< A bug in alknet; please report it.
};

const std::error_category& base_category() noexcept;
inline std::error_code make_error_code(BaseError error) noexcept { return {static_cast<int>(error), base_category()}; }

/// An `io_error` for the errno of a failed call: "WHAT: PATH: strerror".
[[nodiscard]] Error io_error(std::string_view what, std::string_view path, int error_number);

}  // namespace alknet

template <>
struct std::is_error_code_enum<alknet::BaseError> : std::true_type {};
