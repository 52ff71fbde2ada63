#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alknet {

/// Bytes as base64 text with padding (RFC 4648 section 4).
std::string base64_text(std::span<const std::byte> bytes);

/// The bytes that such text stands for; nothing when it is malformed: another character, missing padding, or bits set
/// behind the last byte.
std::optional<std::vector<std::byte>> parse_base64(std::string_view text);

}  // namespace alknet
