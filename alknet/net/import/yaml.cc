#include "alknet/net/import/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alknet/base/utf8.h"
#include "alknet/call/error.h"

namespace alknet::net {

namespace {

using call::CallError;

constexpr std::size_t kValueCost = 16;
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

[[noreturn]] void refuse(const YAML::Mark& mark, std::string_view what) {
  throw Error(CallError::kSchemaParse,
              fmt::format("[yaml] line {}, column {}: {}", mark.line + 1, mark.column + 1, what),
              JsonObject{{"line", mark.line + 1}, {"column", mark.column + 1}});
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t count_digits(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - begin;
}

/// Whether `text` is a number as YAML 1.2 writes decimals: `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]?
/// [0-9]+ )?`; `integer` tells whether it has neither point nor exponent.
bool is_decimal(std::string_view text, bool& integer) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = count_digits(text, at);
  at += whole;
  integer = true;
  std::size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    integer = false;
    fraction = count_digits(text, ++at);
    at += fraction;
  }
  if (whole + fraction == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    integer = false;
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::size_t exponent = count_digits(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

template <typename T>
std::optional<T> whole_number(std::string_view digits, int base) {
  T number{};
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

Json integer_or_double(std::string_view digits, int base) {
  if (const auto number = whole_number<std::int64_t>(digits, base)) return *number;
  if (const auto number = whole_number<std::uint64_t>(digits, base)) return *number;
  double wide = 0;
  for (const char c : digits) {
    if (c == '-') continue;
    const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    wide = wide * base + digit;
  }
  return digits.starts_with('-') ? -wide : wide;
}

std::optional<Json> number_of(std::string_view text) {
  for (const auto& [prefix, base] : {std::pair<std::string_view, int>{"0o", 8}, {"0x", 16}}) {
    if (!text.starts_with(prefix) || text.size() == 2) continue;
    const auto digits = text.substr(2);
    const auto fits = [base = base](char c) {
      if (base == 8) return c >= '0' && c <= '7';
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (std::all_of(digits.begin(), digits.end(), fits)) return integer_or_double(digits, base);
  }
  bool integer = false;
  if (!is_decimal(text, integer)) return std::nullopt;
  const auto unsigned_text = text.starts_with('+') ? text.substr(1) : text;
  if (integer) return integer_or_double(unsigned_text, 10);
  double number = 0;
  const auto read = std::from_chars(unsigned_text.data(), unsigned_text.data() + unsigned_text.size(), number);
  if (read.ec == std::errc::result_out_of_range) {
    const bool tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    return tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return number;
}

/// A plain scalar by the core schema. Nothing for infinities and NaN, which JSON lacks.
std::optional<Json> plain_scalar(const std::string& text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return Json(nullptr);
  if (one_of(text, {"true", "True", "TRUE"})) return Json(true);
  if (one_of(text, {"false", "False", "FALSE"})) return Json(false);
  if (auto number = number_of(text)) {
    if (number->is_double() && !std::isfinite(number->get_double())) return std::nullopt;
    return number;
  }
  const std::string_view unsigned_text =
      text[0] == '-' || text[0] == '+' ? std::string_view(text).substr(1) : std::string_view(text);
  if (one_of(unsigned_text, {".inf", ".Inf", ".INF"}) || one_of(text, {".nan", ".NaN", ".NAN"})) return std::nullopt;
  return Json(text);
}

/// Builds JSON from the parser's events, so that depth, aliases and size are limited while they happen.
class JsonBuilder final : public YAML::EventHandler {
 public:
  explicit JsonBuilder(const YamlLimits& limits) : limits_(limits) {}

  Json take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark, "one document was expected, another follows");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) {
      take_key(mark, "!", "null");
      return;
    }
    put(mark, {nullptr, kValueCost, 0}, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (wants_key()) {
      take_key(mark, tag, text);
      return;
    }
    put(mark, {scalar(mark, tag, text), kValueCost + text.size(), 0}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) refuse(mark, "an alias cannot be a key");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "the alias is inside its own anchor");
    if (frames_.size() + found->second.depth > limits_.max_depth) refuse_depth(mark);
    spend(mark, found->second.cost);  // before the copy is made
    insert(mark, found->second, YAML::NullAnchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, "seq", JsonArray{}, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, "map", JsonObject{}, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Value {
    Json value;
    std::size_t cost = 0;   // when it is copied
    std::size_t depth = 0;  // of containers inside
  };
  struct Frame {
    Value made;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    std::optional<std::string> key;
  };

  bool wants_key() const {
    return !frames_.empty() && frames_.back().made.value.is_object() && !frames_.back().key.has_value();
  }

  void spend(const YAML::Mark& mark, std::size_t cost) {
    spent_ += cost;
    if (spent_ > limits_.max_expanded) {
      refuse(mark,
             fmt::format("the document grows past {} bytes: it has too many values or aliases", limits_.max_expanded));
    }
  }

  [[noreturn]] void refuse_depth(const YAML::Mark& mark) const {
    refuse(mark, fmt::format("the document nests deeper than {}", limits_.max_depth));
  }

  void take_key(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    if (text == "<<" && tag == "?") refuse(mark, "merge keys are not part of YAML 1.2: write the members out");
    if (frames_.back().made.value.get_object().contains(text)) {
      refuse(mark, fmt::format("the key \"{:.80}\" comes twice", text));
    }
    frames_.back().key = text;
    frames_.back().made.cost += text.size();
    spend(mark, text.size());
  }

  static Json scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    if (tag == "!") return Json(text);
    if (tag != "?" && !tag.empty()) {
      const std::string_view name = tag.starts_with(kTagPrefix) ? std::string_view(tag).substr(kTagPrefix.size()) : "";
      if (name == "str") return Json(text);
      if (!one_of(name, {"int", "float", "bool", "null"}))
        refuse(mark, fmt::format("the tag {:.80} is not known", tag));
    }
    auto value = plain_scalar(text);
    if (!value) refuse(mark, fmt::format("JSON has no number {:.40}", text));
    const bool fits = tag == "?" || tag.empty() || (tag.ends_with(":null") && value->is_null()) ||
                      (tag.ends_with(":bool") && value->is_bool()) || (tag.ends_with(":float") && value->is_number()) ||
                      (tag.ends_with(":int") && value->is_number() && !value->is_double());
    if (!fits) refuse(mark, fmt::format("{:.40} is not what its tag says", text));
    return std::move(*value);
  }

  void open(const YAML::Mark& mark, const std::string& tag, std::string_view usual, Json empty, YAML::anchor_t anchor) {
    if (wants_key()) refuse(mark, "a key must be a scalar");
    const bool known = tag.empty() || tag == "?" || tag == "!" ||
                       (tag.starts_with(kTagPrefix) && std::string_view(tag).substr(kTagPrefix.size()) == usual);
    if (!known) refuse(mark, fmt::format("the tag {:.80} is not known", tag));
    if (frames_.size() >= limits_.max_depth) refuse_depth(mark);
    spend(mark, kValueCost);
    frames_.push_back({{std::move(empty), kValueCost, 0}, anchor, mark, std::nullopt});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    ++frame.made.depth;
    insert(frame.mark, std::move(frame.made), frame.anchor);
  }

  void put(const YAML::Mark& mark, Value made, YAML::anchor_t anchor) {
    spend(mark, made.cost);
    insert(mark, std::move(made), anchor);
  }

  /// The same for what is paid already.
  void insert(const YAML::Mark& mark, Value made, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      spend(mark, made.cost);
      anchors_[anchor] = made;
    }
    if (frames_.empty()) {
      root_ = std::move(made.value);
      return;
    }
    Frame& frame = frames_.back();
    frame.made.cost += made.cost;
    frame.made.depth = std::max(frame.made.depth, made.depth);
    if (frame.made.value.is_array()) {
      frame.made.value.get_array().push_back(std::move(made.value));
    } else {
      frame.made.value.get_object().emplace(*frame.key, std::move(made.value));
      frame.key.reset();
    }
  }

  YamlLimits limits_;
  Json root_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Value> anchors_;
  std::size_t spent_ = 0;
  int documents_ = 0;
};

}  // namespace

Json parse_yaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(CallError::kSchemaParse,
                fmt::format("[yaml] the document has {} bytes, over the limit of {}", text.size(), limits.max_bytes));
  }
  if (const auto bad = find_invalid_utf8(text)) {
    throw Error(CallError::kSchemaParse, fmt::format("[yaml] the document is not UTF-8 at byte {}", *bad),
                JsonObject{{"byte", *bad}});
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    JsonBuilder builder(limits);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const YAML::Exception& error) {
    refuse(error.mark, error.msg);
  }
}

Json parse_json_or_yaml(std::string_view text, const YamlLimits& limits) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool like_json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  if (!like_json) return parse_yaml(text, limits);
  try {
    if (text.size() <= limits.max_bytes) return parse_json(text, {.max_depth = limits.max_depth});
    return parse_yaml(text, limits);
  } catch (const Error& error) {
    if (error.code() == CallError::kSchemaParse) throw;
    const Error json_error(CallError::kSchemaParse, error.message(), error.details());
    if (error.code() != BaseError::kJsonInvalid) throw json_error;
    try {
      return parse_yaml(text, limits);  // a flow mapping also begins with a brace
    } catch (const Error&) {
      throw json_error;
    }
  }
}

}  // namespace alknet::net
