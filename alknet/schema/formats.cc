#include "alknet/schema/formats.h"

#include <algorithm>
#include <array>

#include "alknet/schema/regex.h"
#include "alknet/schema/uri.h"

namespace alknet::schema {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_any_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

/// Reads a text from its start, piece by piece.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    return take_one([c](char next) { return next == c; });
  }
  bool take_any_of(std::string_view set) {
    return take_one([set](char next) { return is_any_of(next, set); });
  }

  /// A number of exactly `digits` digits, at most `limit`.
  std::optional<int> number(std::size_t digits, int limit) {
    if (rest_.size() < digits || !std::all_of(rest_.begin(), rest_.begin() + digits, is_digit)) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
    rest_.remove_prefix(digits);
    return value <= limit ? std::optional(value) : std::nullopt;
  }

  /// Takes digits; how many there were.
  std::size_t digits() {
    const auto count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(count);
    return count;
  }

  std::string_view rest() const { return rest_; }

 private:
  template <typename Test>
  bool take_one(const Test& test) {
    if (rest_.empty() || !test(rest_[0])) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view rest_;
};

bool read_date(Reader& in) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const auto year = in.number(4, 9'999);
  if (!year || !in.take('-')) return false;
  const auto month = in.number(2, 12);
  if (!month || *month < 1 || !in.take('-')) return false;
  const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  const int days = kDays[static_cast<std::size_t>(*month - 1)] + (leap && *month == 2 ? 1 : 0);
  const auto day = in.number(2, days);
  return day && *day >= 1;
}

/// A second of 60 is one that was inserted: 23:59:60 in UTC.
bool read_time(Reader& in) {
  const auto hour = in.number(2, 23);
  if (!hour || !in.take(':')) return false;
  const auto minute = in.number(2, 59);
  if (!minute || !in.take(':')) return false;
  const auto second = in.number(2, 60);
  if (!second || (in.take('.') && in.digits() == 0)) return false;
  int offset = 0;
  if (!in.take_any_of("Zz")) {
    const int sign = in.take('+') ? 1 : in.take('-') ? -1 : 0;
    const auto hours = in.number(2, 23);
    if (sign == 0 || !hours || !in.take(':')) return false;
    const auto minutes = in.number(2, 59);
    if (!minutes) return false;
    offset = sign * (*hours * 60 + *minutes);
  }
  constexpr int kDay = 24 * 60;
  return *second < 60 || (*hour * 60 + *minute - offset + kDay) % kDay == kDay - 1;
}

bool is_date(std::string_view text) {
  Reader in(text);
  return read_date(in) && in.at_end();
}
bool is_time(std::string_view text) {
  Reader in(text);
  return read_time(in) && in.at_end();
}
bool is_date_time(std::string_view text) {
  Reader in(text);
  return read_date(in) && in.take_any_of("Tt") && read_time(in) && in.at_end();
}

/// Units in order, each at most once and none skipped between two: "1Y2M", but not "1Y2D".
bool read_units(Reader& in, std::string_view units) {
  std::size_t next = units.size();
  bool any = false;
  while (is_digit(in.at_end() ? '\0' : in.rest()[0])) {
    in.digits();
    const auto unit = in.at_end() ? std::string_view::npos : units.find(in.rest()[0]);
    if (unit == std::string_view::npos || (any && unit != next)) return false;
    in.take(units[unit]);
    next = unit + 1;
    any = true;
  }
  return any;
}

/// RFC 3339 appendix A.
bool is_duration(std::string_view text) {
  Reader in(text);
  if (!in.take('P')) return false;
  if (text.ends_with('W')) return in.digits() > 0 && in.take('W') && in.at_end();
  const bool has_date = !in.at_end() && in.rest()[0] != 'T';
  if (has_date && !read_units(in, "YMD")) return false;
  if (in.at_end()) return has_date;
  return in.take('T') && read_units(in, "HMS") && in.at_end();
}

bool is_ipv4(std::string_view text) {
  Reader in(text);
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && !in.take('.')) return false;
    const auto start = in.rest();
    const auto digits = in.digits();
    if (digits == 0 || digits > 3 || (digits > 1 && start[0] == '0') || !Reader(start).number(digits, 255))
      return false;
  }
  return in.at_end();
}

bool is_ipv6(std::string_view text) {
  int groups = 0;
  bool compressed = false;
  std::size_t at = 0;
  if (text.starts_with("::")) {
    compressed = true;
    at = 2;
  }
  while (at < text.size()) {
    const auto end = std::min(text.find(':', at), text.size());
    const auto group = text.substr(at, end - at);
    if (end == text.size() && is_any_of('.', group)) {
      groups += 2;
      if (!is_ipv4(group)) return false;
      break;
    }
    if (group.empty() || group.size() > 4 || !std::all_of(group.begin(), group.end(), is_hex)) return false;
    ++groups;
    at = end;
    if (at == text.size()) break;
    ++at;
    if (at == text.size()) return false;
    if (text[at] == ':') {
      if (compressed) return false;
      compressed = true;
      ++at;
    }
  }
  return compressed ? groups < 8 : groups == 8;
}

bool is_hostname(std::string_view text) {
  constexpr std::size_t kMaxName = 253, kMaxLabel = 63;
  if (text.empty() || text.size() > kMaxName) return false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('.', at), text.size());
    const auto label = text.substr(at, end - at);
    const bool plain =
        std::all_of(label.begin(), label.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
    if (label.empty() || label.size() > kMaxLabel || !plain || label.front() == '-' || label.back() == '-')
      return false;
    at = end + 1;
  }
  return true;
}

/// RFC 5321's Mailbox.
bool is_email(std::string_view text) {
  constexpr std::size_t kMaxLocal = 64;
  const auto cut = text.rfind('@');
  if (cut == std::string_view::npos || cut == 0 || cut > kMaxLocal) return false;
  const auto local = text.substr(0, cut), domain = text.substr(cut + 1);
  if (domain.starts_with('[') && domain.ends_with(']')) {
    const auto address = domain.substr(1, domain.size() - 2);
    if (!is_ipv4(address) && !(address.starts_with("IPv6:") && is_ipv6(address.substr(5)))) return false;
  } else if (!is_hostname(domain)) {
    return false;
  }
  if (local.size() > 1 && local.front() == '"' && local.back() == '"') {
    bool escaped = false;
    for (const char c : local.substr(1, local.size() - 2)) {
      if (c < ' ' || c > '~' || (c == '"' && !escaped)) return false;
      escaped = c == '\\' && !escaped;
    }
    return !escaped;
  }
  const auto atom = [](char c) { return is_letter(c) || is_digit(c) || is_any_of(c, "!#$%&'*+-/=?^_`{|}~."); };
  return std::all_of(local.begin(), local.end(), atom) && local.front() != '.' && local.back() != '.' &&
         local.find("..") == std::string_view::npos;
}

/// Whether every character is unreserved, a sub-delimiter, one of `more`, or an escaped byte.
bool is_uri_text(std::string_view text, std::string_view more) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_letter(c) && !is_digit(c) && !is_any_of(c, "-._~!$&'()*+,;=") && !is_any_of(c, more)) {
      return false;
    }
  }
  return true;
}

bool is_authority(std::string_view text) {
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    if (!is_uri_text(text.substr(0, at), ":")) return false;
    text.remove_prefix(at + 1);
  }
  auto host_end = text.rfind(':');
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    const auto address = text.substr(1, close - 1);
    const bool future = address.starts_with('v') && address.find('.') > 1 && is_uri_text(address.substr(1), ":");
    if (!is_ipv6(address) && !(future && address.find('.') != std::string_view::npos)) return false;
    host_end = close + 1;
    if (host_end < text.size() && text[host_end] != ':') return false;
  } else if (!is_uri_text(text.substr(0, host_end), "")) {
    return false;
  }
  const auto port = text.substr(std::min(text.size(), host_end == std::string_view::npos ? text.size() : host_end + 1));
  return std::all_of(port.begin(), port.end(), is_digit);
}

bool is_uri_reference(std::string_view text) {
  const auto uri = Uri::parse(text);
  const auto scheme = [](char c) { return is_letter(c) || is_digit(c) || is_any_of(c, "+-."); };
  if (uri.has_scheme && !std::all_of(uri.scheme.begin(), uri.scheme.end(), scheme)) return false;
  if (uri.has_authority && !is_authority(uri.authority)) return false;
  const auto first_segment = std::string_view(uri.path).substr(0, uri.path.find('/'));
  if (!uri.has_scheme && is_any_of(':', first_segment)) return false;
  return is_uri_text(uri.path, ":@/") && is_uri_text(uri.query, ":@/?") && is_uri_text(uri.fragment, ":@/?");
}

bool is_uri(std::string_view text) { return Uri::parse(text).has_scheme && is_uri_reference(text); }

bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
  return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == 'h' ? is_hex(c) : c == '-';
         });
}

bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

bool is_relative_json_pointer(std::string_view text) {
  Reader in(text);
  const auto digits = in.digits();
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  if (in.take_any_of("+-")) {
    const auto index = in.rest();
    if (in.digits() == 0 || index[0] == '0') return false;
  }
  return in.rest() == "#" || is_json_pointer(in.rest());
}

/// What RE2 lacks is a pattern nevertheless.
bool is_regex(std::string_view text) {
  try {
    const Regex regex(text);
    return true;
  } catch (const Error& error) {
    return error.code() != SchemaError::kSchemaInvalid;
  }
}

struct Format {
  std::string_view name;
  bool (*holds)(std::string_view text);
};
constexpr std::array<Format, 14> kFormats = {{
    {"date-time", is_date_time},
    {"uri", is_uri},
    {"uuid", is_uuid},
    {"email", is_email},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"date", is_date},
    {"time", is_time},
    {"duration", is_duration},
    {"hostname", is_hostname},
    {"uri-reference", is_uri_reference},
    {"json-pointer", is_json_pointer},
    {"relative-json-pointer", is_relative_json_pointer},
    {"regex", is_regex},
}};

}  // namespace

std::optional<std::uint64_t> find_format(std::string_view name) {
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    if (kFormats[i].name == name) return i;
  }
  return std::nullopt;
}

bool has_format(std::uint64_t format, std::string_view text) { return kFormats[format].holds(text); }

}  // namespace alknet::schema
