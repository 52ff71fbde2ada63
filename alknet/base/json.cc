#include "alknet/base/json.h"

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json_print.h"

namespace alknet {
namespace {

namespace bj = boost::json;

constexpr auto kOptions = [] {
  bj::parse_options options;
  options.numbers = bj::number_precision::precise;
  return options;
}();

/// Builds a value from parser events and refuses duplicate keys, which Boost's own parser silently merges.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit StrictHandler(bool refuse_duplicates) : refuse_duplicates_(refuse_duplicates) {}

  Json take() { return std::move(root_); }
  const std::optional<std::string>& duplicate() const { return duplicate_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(Json(bj::object_kind)); }
  bool on_object_end(std::size_t, bj::error_code&) { return close(); }
  bool on_array_begin(bj::error_code&) { return open(Json(bj::array_kind)); }
  bool on_array_end(std::size_t, bj::error_code&) { return close(); }
  bool on_key_part(std::string_view part, std::size_t, bj::error_code&) {
    key_.append(part);
    return true;
  }
  bool on_key(std::string_view part, std::size_t, bj::error_code& ec) {
    // The member gets its place now and its value when that is complete.
    if (!key_.empty()) part = key_.append(part);
    auto& object = stack_.back().as_object();
    const auto [member, added] = object.emplace(part, nullptr);
    if (!added && refuse_duplicates_) {
      duplicate_ = part;
      ec = bj::error::syntax;
      return false;
    }
    members_.push_back(static_cast<std::size_t>(member - object.begin()));
    key_.clear();
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, bj::error_code&) {
    text_.append(part);
    return true;
  }
  bool on_string(std::string_view part, std::size_t, bj::error_code&) {
    if (!text_.empty()) part = text_.append(part);
    add(Json(part));
    text_.clear();
    return true;
  }
  bool on_number_part(std::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t number, std::string_view, bj::error_code&) { return add(Json(number)); }
  bool on_uint64(std::uint64_t number, std::string_view, bj::error_code&) { return add(Json(number)); }
  bool on_double(double number, std::string_view, bj::error_code&) { return add(Json(number)); }
  bool on_bool(bool flag, bj::error_code&) { return add(Json(flag)); }
  bool on_null(bj::error_code&) { return add(Json(nullptr)); }
  bool on_comment_part(std::string_view, bj::error_code&) { return true; }
  bool on_comment(std::string_view, bj::error_code&) { return true; }

 private:
  bool open(Json container) {
    stack_.push_back(std::move(container));
    return true;
  }
  bool close() {
    Json done = std::move(stack_.back());
    stack_.pop_back();
    return add(std::move(done));
  }
  bool add(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = stack_.back().if_array()) {
      array->push_back(std::move(value));
    } else {
      (stack_.back().as_object().begin() + static_cast<std::ptrdiff_t>(members_.back()))->value() = std::move(value);
      members_.pop_back();
    }
    return true;
  }

  bool refuse_duplicates_;
  Json root_;
  std::vector<Json> stack_;
  std::vector<std::size_t> members_;  // of the open objects, the one whose value comes
  std::string key_, text_;            // parts seen of a key or a string that spans buffers
  std::optional<std::string> duplicate_;
};

/// Whether JSON text must escape the character.
constexpr bool is_escaped(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  // Runs that need no escape are copied whole.
  while (!text.empty()) {
    const auto run = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_escaped) - text.begin());
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) break;
    append_escaped(out, text.front());
    text.remove_prefix(1);
  }
  out += '"';
}

/// Prints a value at the end of a text.
class Printer {
 public:
  Printer(std::string& text, bool pretty) : out(text), pretty_(pretty) {}

  std::string& out;

  void print(const Json& value, std::size_t level) {
    switch (value.kind()) {
      case bj::kind::null: out += "null"; break;
      case bj::kind::bool_: out += value.get_bool() ? "true" : "false"; break;
      case bj::kind::int64: out += std::to_string(value.get_int64()); break;
      case bj::kind::uint64: out += std::to_string(value.get_uint64()); break;
      case bj::kind::double_: out += number_text(value.get_double()); break;
      case bj::kind::string: append_text(out, value.get_string()); break;
      case bj::kind::array: print_array(value.get_array(), level); break;
      case bj::kind::object: print_object(value.get_object(), level); break;
    }
  }

 private:
  void print_array(const JsonArray& array, std::size_t level) {
    const bool one_line =
        !pretty_ || std::none_of(array.begin(), array.end(), [](const Json& item) { return item.is_structured(); });
    out += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i != 0) out += one_line && pretty_ ? ", " : ",";
      if (!one_line) new_line(level + 1);
      print(array[i], level + 1);
    }
    if (!one_line && !array.empty()) new_line(level);
    out += ']';
  }
  void print_object(const JsonObject& object, std::size_t level) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : object) {
      if (!first) out += ',';
      first = false;
      if (pretty_) new_line(level + 1);
      append_text(out, key);
      out += pretty_ ? ": " : ":";
      print(member, level + 1);
    }
    if (pretty_ && !object.empty()) new_line(level);
    out += '}';
  }
  void new_line(std::size_t level) {
    out += '\n';
    out.append(2 * level, ' ');
  }

  bool pretty_;
};

std::string print(const Json& value, bool pretty) {
  std::string text;
  Printer(text, pretty).print(value, 0);
  return text;
}

}  // namespace

Json parse_json(std::string_view text, const JsonLimits& limits) {
  auto options = kOptions;
  options.max_depth = limits.max_depth;
  bj::basic_parser<StrictHandler> parser(options, limits.refuse_duplicate_keys);
  bj::error_code ec;
  std::size_t byte = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && byte < text.size()) ec = bj::error::extra_data;
  if (!ec) return parser.handler().take();
  const JsonObject details{{"byte", byte}};
  if (const auto& key = parser.handler().duplicate()) {
    throw Error(BaseError::kJsonDuplicateKey,
                fmt::format("JSON: the member \"{}\" appears twice, second time before byte {}", *key, byte), details);
  }
  if (ec == bj::error::too_deep) {
    throw Error(BaseError::kJsonTooDeep, fmt::format("JSON: nested deeper than {} at byte {}", limits.max_depth, byte),
                details);
  }
  throw Error(BaseError::kJsonInvalid, fmt::format("JSON: {} at byte {}", ec.message(), byte), details);
}

std::string json_text(const Json& value) { return print(value, false); }
void append_json(std::string& out, const Json& value) { Printer(out, false).print(value, 0); }
void append_json_string(std::string& out, std::string_view text) { append_text(out, text); }
std::string json_pretty(const Json& value) { return print(value, true); }

std::string number_text(double number) {
  if (!std::isfinite(number)) return "null";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string text(buffer, end);
  // A double stays a double when read back: 1.0, not 1.
  if (text.find_first_of(".eE") == std::string::npos) text += ".0";
  return text;
}

}  // namespace alknet
