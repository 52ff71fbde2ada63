#include "alknet/compute/kernels/source_scan.h"

#include <charconv>
#include <cstring>
#include <string>

namespace alknet::compute {
namespace {

using Size = std::array<std::uint32_t, 3>;

/// The number at the start of `text` behind white space, which moves past it.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// The last `@workgroup_size(...)` before the entry's name.
std::optional<Size> wgsl_size(std::string_view source, std::string_view entry) {
  const std::size_t function = source.find("fn " + std::string(entry));
  const std::size_t attribute = source.rfind("@workgroup_size", function);
  if (attribute == std::string_view::npos) return std::nullopt;
  const std::size_t open = source.find('(', attribute), close = source.find(')', attribute);
  if (open == std::string_view::npos || close == std::string_view::npos || open > close) return std::nullopt;
  std::string_view list = source.substr(open + 1, close - open - 1);
  Size size = {1, 1, 1};
  for (std::uint32_t& dimension : size) {
    if (list.find_first_not_of(" \t\r\n") == std::string_view::npos) break;
    const auto number = take_number(list);
    if (!number) return std::nullopt;  // the name of a constant
    dimension = *number;
    const std::size_t next = list.find_first_not_of("iu \t\r\n");
    if (next == std::string_view::npos) break;
    if (list[next] != ',') return std::nullopt;
    list.remove_prefix(next + 1);
  }
  return size;
}

std::optional<Size> glsl_size(std::string_view source) {
  constexpr std::array<std::string_view, 3> kNames = {"local_size_x", "local_size_y", "local_size_z"};
  Size size = {1, 1, 1};
  bool any = false;
  for (std::size_t d = 0; d < kNames.size(); ++d) {
    const std::size_t at = source.find(kNames[d]);
    if (at == std::string_view::npos) continue;
    std::string_view rest = source.substr(at + kNames[d].size());
    const std::size_t equals = rest.find_first_not_of(" \t\r\n");
    if (equals == std::string_view::npos || rest[equals] != '=') return std::nullopt;  // local_size_x_id
    rest.remove_prefix(equals + 1);
    const auto number = take_number(rest);
    if (!number) return std::nullopt;
    size[d] = *number;
    any = true;
  }
  return any ? std::optional(size) : std::nullopt;
}

// Of the SPIR-V specification, sections 3.3, 3.6, 3.20, 3.21.
constexpr std::uint32_t kOpExecutionMode = 16, kOpDecorate = 71;
constexpr std::uint32_t kModeLocalSize = 17, kDecorationBuiltIn = 11, kBuiltInNumWorkgroups = 24;
constexpr std::size_t kHeaderWords = 5;

/// Of the module's first entry point with a size.
SourceScan scan_spirv(std::string_view source) {
  SourceScan scan;
  const std::size_t words = source.size() / 4;
  const auto word = [&](std::size_t index) {
    std::uint32_t value = 0;
    std::memcpy(&value, source.data() + index * 4, sizeof value);
    return value;
  };
  for (std::size_t at = kHeaderWords; at < words;) {
    const std::size_t length = word(at) >> 16;
    const std::uint32_t opcode = word(at) & 0xffff;
    if (length == 0 || length > words - at) break;
    if (opcode == kOpExecutionMode && length == 6 && word(at + 2) == kModeLocalSize && !scan.workgroup_size) {
      scan.workgroup_size = Size{word(at + 3), word(at + 4), word(at + 5)};
    }
    scan.reads_workgroup_count |= opcode == kOpDecorate && length == 4 && word(at + 2) == kDecorationBuiltIn &&
                                  word(at + 3) == kBuiltInNumWorkgroups;
    at += length;
  }
  return scan;
}

}  // namespace

SourceScan scan_source(gpu::ShaderLanguage language, std::string_view source, std::string_view entry) {
  switch (language) {
    case gpu::ShaderLanguage::kSpirv: return scan_spirv(source);
    case gpu::ShaderLanguage::kGlsl:
      return {glsl_size(source), source.find("gl_NumWorkGroups") != std::string_view::npos};
    case gpu::ShaderLanguage::kWgsl: break;
  }
  return {wgsl_size(source, entry), source.find("num_workgroups") != std::string_view::npos};
}

}  // namespace alknet::compute
