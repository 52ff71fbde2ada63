#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/tensor/error.h"

namespace alknet::tensor {

/// Where in a file something is wrong.
struct Where {
  std::string_view path;
  std::optional<std::string_view> entry = std::nullopt;
  std::optional<std::uint64_t> offset = std::nullopt;  ///< Byte, counted from the start of the file.
};

/// An Error whose message reads "WHAT: PATH, entry "NAME", byte N: REMEDY" and whose details hold path, entry, offset.
Error file_error(TensorError code, const Where& where, std::string_view what, std::string_view remedy);

/// An untrusted name for messages: in double quotes, controls escaped, cut after 120 bytes.
std::string quoted(std::string_view name);
// Without these, a call with a std::string means std::quoted wherever <iomanip> is known.
inline std::string quoted(const std::string& name) { return quoted(std::string_view(name)); }
inline std::string quoted(const char* name) { return quoted(std::string_view(name)); }
inline std::string quoted(std::string& name) { return quoted(std::string_view(name)); }

/// A shape for messages: "[2, 3]".
template <typename Shape>
std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (const auto dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

inline constexpr std::string_view kDamagedRemedy = "the file is damaged or was not written completely; fetch it again";

}  // namespace alknet::tensor
