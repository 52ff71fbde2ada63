#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "alknet/base/json.h"
#include "alknet/schema/error.h"
#include "alknet/schema/regex.h"

namespace alknet::schema {
namespace {

// ECMAScript's \s; RE2's knows ASCII only. And what it leaves.
constexpr std::string_view kSpace =
    R"(\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF})";
constexpr std::string_view kNotSpace =
    R"(\x{0}-\x{8}\x{E}-\x{1F}!-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E})"
    R"(\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF})";
constexpr std::string_view kDot = R"([^\n\r\x{2028}\x{2029}])";

struct PropertyName {
  std::string_view ecma, re2;
};

// Names of Unicode's general categories and the scripts' short names; RE2 knows the others by the same name.
constexpr std::array<PropertyName, 62> kProperties = {{
    {"Letter", "L"},
    {"Cased_Letter", "LC"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Arab", "Arabic"},
    {"Armn", "Armenian"},
    {"Beng", "Bengali"},
    {"Cyrl", "Cyrillic"},
    {"Deva", "Devanagari"},
    {"Ethi", "Ethiopic"},
    {"Geor", "Georgian"},
    {"Grek", "Greek"},
    {"Hang", "Hangul"},
    {"Hani", "Han"},
    {"Hebr", "Hebrew"},
    {"Hira", "Hiragana"},
    {"Kana", "Katakana"},
    {"Khmr", "Khmer"},
    {"Latn", "Latin"},
    {"Mong", "Mongolian"},
    {"Taml", "Tamil"},
    {"Telu", "Telugu"},
    {"Thai", "Thai"},
    {"Tibt", "Tibetan"},
    {"Zyyy", "Common"},
}};

// Properties that are sets of our own.
constexpr std::array<PropertyName, 2> kSets = {{
    {"LC", R"(\p{Lu}\p{Ll}\p{Lt})"},
    {"ASCII", R"(\x{0}-\x{7F})"},
}};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  std::string run() {
    while (at_ < in_.size()) translate_one();
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(SchemaError code, std::size_t position, std::string_view what) const {
    throw Error(code, fmt::format("pattern: {} at byte {}", what, position),
                JsonObject{{"pattern_position", position}});
  }
  bool looking_at(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  void translate_one() {
    const char c = in_[at_];
    switch (c) {
      case '\\': escape(false); break;
      case '[': character_class(); break;
      case '(': group(); break;
      case '.': append(kDot, 1); break;
      case '{': brace(); break;
      case '}': append("\\}", 1); break;
      case ']': append("\\]", 1); break;
      default: out_ += c; ++at_;
    }
  }

  void append(std::string_view text, std::size_t consumed) {
    out_ += text;
    at_ += consumed;
  }

  void group() {
    constexpr std::array<PropertyName, 4> kRefused = {
        {{"(?=", "look-ahead"}, {"(?!", "look-ahead"}, {"(?<=", "look-behind"}, {"(?<!", "look-behind"}}};
    for (const auto& [start, what] : kRefused) {
      if (looking_at(start)) fail(SchemaError::kPatternUnsupported, at_, fmt::format("{} is not supported", what));
    }
    if (looking_at("(?:")) return append("(?:", 3);
    if (looking_at("(?<")) {
      const auto end = in_.find('>', at_);
      if (end == std::string_view::npos || end == at_ + 3) fail(SchemaError::kSchemaInvalid, at_, "a bad group name");
      return append("(?:", end + 1 - at_);
    }
    if (looking_at("(?")) fail(SchemaError::kSchemaInvalid, at_, "an unknown kind of group");
    append("(?:", 1);
  }

  // A brace that is no quantifier stands for itself.
  void brace() {
    std::size_t end = at_ + 1;
    const auto digits = [&] {
      const auto begin = end;
      while (end < in_.size() && std::isdigit(static_cast<unsigned char>(in_[end])) != 0) ++end;
      return end > begin;
    };
    if (digits()) {
      if (end < in_.size() && in_[end] == ',') {
        ++end;
        digits();
      }
      if (end < in_.size() && in_[end] == '}') return append(in_.substr(at_, end + 1 - at_), end + 1 - at_);
    }
    append("\\{", 1);
  }

  void character_class() {
    const std::size_t start = at_++;
    const bool negated = looking_at("^");
    if (negated) ++at_;
    if (looking_at("]")) return append(negated ? R"([\x{0}-\x{10FFFF}])" : R"([^\x{0}-\x{10FFFF}])", 1);
    out_ += negated ? "[^" : "[";
    while (at_ < in_.size() && in_[at_] != ']') {
      const char c = in_[at_];
      if (c == '\\') {
        escape(true);
      } else if (c == '[' || c == '^' || c == '&' || c == '~') {
        out_ += '\\';
        append(in_.substr(at_, 1), 1);
      } else if (c == '-' && set_beside_dash()) {
        append("\\-", 1);
      } else {
        append(in_.substr(at_, 1), 1);
      }
      after_set_ = c == '\\' && after_set_;
    }
    if (at_ >= in_.size()) fail(SchemaError::kSchemaInvalid, start, "a character class that is not closed");
    append("]", 1);
  }

  /// A dash beside \d or the like is a dash, not a range.
  bool set_beside_dash() const {
    const bool before_set = at_ + 2 < in_.size() && in_[at_ + 1] == '\\' &&
                            std::string_view("dDwWsSpP").find(in_[at_ + 2]) != std::string_view::npos;
    return after_set_ || before_set;
  }

  void escape(bool in_class) {
    const std::size_t start = at_;
    after_set_ = false;
    if (at_ + 1 >= in_.size()) fail(SchemaError::kSchemaInvalid, start, "a backslash at the end");
    const char c = in_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
        after_set_ = true;
        out_ += '\\';
        out_ += c;
        return;
      case 's': return set(kSpace, in_class);
      case 'S': return set(kNotSpace, in_class);
      case 'p':
      case 'P': return property(start, c == 'P', in_class);
      case 'b':
        if (in_class) return code_point(8);
        out_ += "\\b";
        return;
      case 'B':
        if (in_class) fail(SchemaError::kSchemaInvalid, start, "\\B inside a character class");
        out_ += "\\B";
        return;
      case 't': return code_point('\t');
      case 'n': return code_point('\n');
      case 'v': return code_point('\v');
      case 'f': return code_point('\f');
      case 'r': return code_point('\r');
      case 'c': {
        if (at_ >= in_.size() || std::isalpha(static_cast<unsigned char>(in_[at_])) == 0) {
          fail(SchemaError::kSchemaInvalid, start, "\\c without a letter");
        }
        return code_point(static_cast<std::uint32_t>(in_[at_++]) % 32);
      }
      case 'x': return code_point(hex(start, 2));
      case 'u': return code_point(unicode(start));
      case '0':
        if (at_ < in_.size() && std::isdigit(static_cast<unsigned char>(in_[at_])) != 0) {
          fail(SchemaError::kSchemaInvalid, start, "an octal escape");
        }
        return code_point(0);
      case 'k': fail(SchemaError::kPatternUnsupported, start, "a back-reference is not supported");
      default: break;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      fail(SchemaError::kPatternUnsupported, start, "a back-reference is not supported");
    }
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      fail(SchemaError::kSchemaInvalid, start, fmt::format("the unknown escape \\{}", c));
    }
    if (static_cast<unsigned char>(c) < 0x80 && c != '_') out_ += '\\';
    out_ += c;
  }

  void set(std::string_view ranges, bool in_class) {
    after_set_ = true;
    if (in_class) {
      out_ += ranges;
    } else {
      out_ += '[';
      out_ += ranges;
      out_ += ']';
    }
  }

  void code_point(std::uint32_t value) { out_ += fmt::format("\\x{{{:X}}}", value); }

  std::uint32_t hex(std::size_t start, std::size_t digits) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const char c = at_ < in_.size() ? in_[at_] : ' ';
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0)
        fail(SchemaError::kSchemaInvalid, start, "a bad hex escape");
      value = value * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
  }

  std::uint32_t unicode(std::size_t start) {
    std::uint32_t value = 0;
    if (looking_at("{")) {
      const auto end = in_.find('}', at_);
      if (end == std::string_view::npos || end == at_ + 1 || end > at_ + 9) {
        fail(SchemaError::kSchemaInvalid, start, "a bad \\u{...} escape");
      }
      ++at_;
      value = hex(start, end - at_);
      ++at_;
    } else {
      value = hex(start, 4);
      if (value >= 0xD800 && value < 0xDC00 && looking_at("\\u")) {
        const auto back = at_;
        at_ += 2;
        const auto low = looking_at("{") ? 0 : hex(start, 4);
        if (low >= 0xDC00 && low < 0xE000) return 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
        at_ = back;
      }
    }
    if (value > 0x10FFFF) fail(SchemaError::kSchemaInvalid, start, "a code point above 10FFFF");
    if (value >= 0xD800 && value < 0xE000)
      fail(SchemaError::kPatternUnsupported, start, "a lone surrogate is not supported");
    return value;
  }

  void property(std::size_t start, bool negated, bool in_class) {
    const auto end = in_.find('}', at_);
    if (!looking_at("{") || end == std::string_view::npos) fail(SchemaError::kSchemaInvalid, start, "a bad \\p{...}");
    auto name = in_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    for (const std::string_view prefix : {"General_Category=", "gc=", "Script=", "sc="}) {
      if (name.starts_with(prefix)) {
        name.remove_prefix(prefix.size());
        break;
      }
    }
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) {
          return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
        })) {
      fail(SchemaError::kPatternUnsupported, start, fmt::format("the Unicode property \"{}\" is not supported", name));
    }
    for (const auto& row : kProperties) {
      if (row.ecma == name) name = row.re2;
    }
    after_set_ = true;
    for (const auto& row : kSets) {
      if (row.ecma != name) continue;
      if (negated && in_class) {
        fail(SchemaError::kPatternUnsupported, start, fmt::format("\\P{{{}}} inside a class is not supported", name));
      }
      out_ += in_class ? std::string(row.re2) : fmt::format("[{}{}]", negated ? "^" : "", row.re2);
      return;
    }
    out_ += fmt::format("\\{}{{{}}}", negated ? 'P' : 'p', name);
  }

  std::string_view in_;
  std::string out_;
  std::size_t at_ = 0;
  bool after_set_ = false;
};

}  // namespace

std::string translate_pattern(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace alknet::schema
