#include "alknet/schema/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "alknet/base/json.h"
#include "alknet/schema/class_pattern.h"
#include "alknet/schema/error.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

re2::RE2::Options options(std::size_t max_memory) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingUTF8);
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(static_cast<std::int64_t>(max_memory));
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

/// The start of a pattern, for messages.
std::string shown(std::string_view pattern) {
  constexpr std::size_t kShown = 80;
  if (pattern.size() <= kShown) return std::string(pattern);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(pattern[end]) & 0xC0) == 0x80) --end;
  return std::string(pattern.substr(0, end)) + "...";
}

}  // namespace

struct Regex::Compiled {
  Compiled(const std::string& translated, std::size_t max_memory) : re(translated, options(max_memory)) {}
  re2::RE2 re;
  std::optional<ClassPattern> simple;  // the same, when it has that form
};

Regex::Regex(std::string_view pattern, std::size_t max_memory) {
  if (pattern.size() > kMaxPatternText) {
    throw Error(SchemaError::kPatternTooLarge,
                fmt::format("pattern: {} bytes, at most {} are allowed", pattern.size(), kMaxPatternText),
                JsonObject{{"pattern_position", kMaxPatternText}});
  }
  auto compiled = std::make_shared<Compiled>(translate_pattern(pattern), max_memory);
  if (!compiled->re.ok()) {
    using Code = re2::RE2::ErrorCode;
    const auto code = compiled->re.error_code();
    const std::string argument(compiled->re.error_arg());
    const auto found = argument.empty() ? std::string_view::npos : pattern.find(argument);
    const std::size_t position = found == std::string_view::npos ? 0 : found;
    const bool lacking = code == Code::ErrorRepeatSize || code == Code::ErrorBadCharRange;
    throw Error(code == Code::ErrorPatternTooLarge ? SchemaError::kPatternTooLarge
                : lacking                          ? SchemaError::kPatternUnsupported
                                                   : SchemaError::kSchemaInvalid,
                fmt::format("pattern \"{}\": {} at byte {}", shown(pattern), compiled->re.error(), position),
                JsonObject{{"pattern_position", position}});
  }
  compiled->simple = ClassPattern::parse(pattern);
  compiled_ = std::move(compiled);
}

bool Regex::matches(std::string_view text) const {
  if (compiled_->simple) return compiled_->simple->matches(text);
  return compiled_->re.Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace alknet::schema
