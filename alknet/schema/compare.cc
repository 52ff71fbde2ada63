#include "alknet/schema/compare.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "alknet/base/error.h"

namespace alknet::schema {
namespace {

using boost::json::kind;
using Wide = unsigned __int128;
constexpr int kMaxDepth = 1'000;

/// `integer` against `real`, without rounding either.
template <typename Integer>
std::partial_ordering compare_mixed(Integer integer, double real) {
  constexpr Integer kExact = Integer{1} << 53;  // integers up to it are doubles
  const bool above_low = std::is_unsigned_v<Integer> || integer >= Integer{0} - kExact;
  if (integer <= kExact && above_low) return static_cast<double>(integer) <=> real;
  if (std::isnan(real)) return std::partial_ordering::unordered;
  // The limits of Integer plus one are powers of two, so exact as doubles.
  const double above = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  if (real >= above) return std::partial_ordering::less;
  if (real < static_cast<double>(std::numeric_limits<Integer>::min())) return std::partial_ordering::greater;
  const double whole = std::trunc(real);
  const auto truncated = static_cast<Integer>(whole);
  if (integer != truncated) return integer <=> truncated;
  return whole <=> real;
}

std::partial_ordering reversed(std::partial_ordering order) { return 0 <=> order; }

/// digits x 10^exponent, the shortest decimal that reads back as the number.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
};

Decimal decimal_of(const Json& number) {
  if (number.is_int64()) {
    const auto value = number.get_int64();
    return {value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value), 0};
  }
  if (number.is_uint64()) return {number.get_uint64(), 0};
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::fabs(number.get_double()), std::chars_format::scientific).ptr;
  Decimal decimal;
  bool fraction = false;
  for (const char* c = buffer; c != end; ++c) {
    if (*c == 'e') {
      int exponent = 0;
      std::from_chars(c[1] == '+' ? c + 2 : c + 1, end, exponent);
      decimal.exponent += exponent;
      break;
    }
    if (*c == '.') {
      fraction = true;
      continue;
    }
    decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*c - '0');
    decimal.exponent -= fraction ? 1 : 0;
  }
  return decimal;
}

/// 10^exponent mod divisor.
std::uint64_t power_of_ten(int exponent, std::uint64_t divisor) {
  Wide result = 1 % divisor, base = 10 % divisor;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result * base % divisor;
    base = base * base % divisor;
  }
  return static_cast<std::uint64_t>(result);
}

int rank(const Json& value) {
  switch (value.kind()) {
    case kind::null: return 0;
    case kind::bool_: return 1;
    case kind::int64:
    case kind::uint64:
    case kind::double_: return 2;
    case kind::string: return 3;
    case kind::array: return 4;
    default: return 5;
  }
}

using Member = const JsonObject::value_type*;

std::vector<Member> sorted_members(const JsonObject& object) {
  std::vector<Member> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](Member a, Member b) { return a->key() < b->key(); });
  return members;
}

std::strong_ordering order_text(std::string_view a, std::string_view b) { return a.compare(b) <=> 0; }

std::strong_ordering compare_at(const Json& a, const Json& b, int depth);

std::strong_ordering compare_objects(const JsonObject& a, const JsonObject& b, int depth) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  const auto left = sorted_members(a), right = sorted_members(b);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (const auto order = order_text(left[i]->key(), right[i]->key()); order != 0) return order;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (const auto order = compare_at(left[i]->value(), right[i]->value(), depth); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_at(const Json& a, const Json& b, int depth) {
  if (depth > kMaxDepth) throw Error(BaseError::kJsonTooDeep, "compare: the JSON value is nested deeper than 1000");
  if (rank(a) != rank(b)) return rank(a) <=> rank(b);
  switch (rank(a)) {
    case 0: return std::strong_ordering::equal;
    case 1: return a.get_bool() <=> b.get_bool();
    case 2: {
      const auto order = compare_numbers(a, b);
      return order < 0   ? std::strong_ordering::less
             : order > 0 ? std::strong_ordering::greater
                         : std::strong_ordering::equal;
    }
    case 3: return order_text(a.get_string(), b.get_string());
    case 4: {
      const auto &left = a.get_array(), &right = b.get_array();
      if (left.size() != right.size()) return left.size() <=> right.size();
      for (std::size_t i = 0; i < left.size(); ++i) {
        if (const auto order = compare_at(left[i], right[i], depth + 1); order != 0) return order;
      }
      return std::strong_ordering::equal;
    }
    default: return compare_objects(a.get_object(), b.get_object(), depth + 1);
  }
}

}  // namespace

std::partial_ordering compare_numbers(const Json& a, const Json& b) {
  if (a.is_int64() && b.is_int64()) return a.get_int64() <=> b.get_int64();
  if (a.is_double() && b.is_double()) return a.get_double() <=> b.get_double();
  if (a.is_double()) return reversed(compare_numbers(b, a));
  if (b.is_double()) {
    return a.is_int64() ? compare_mixed(a.get_int64(), b.get_double()) : compare_mixed(a.get_uint64(), b.get_double());
  }
  if (a.is_uint64() && b.is_uint64()) return a.get_uint64() <=> b.get_uint64();
  if (a.is_uint64()) return reversed(compare_numbers(b, a));
  if (a.get_int64() < 0) return std::partial_ordering::less;
  return static_cast<std::uint64_t>(a.get_int64()) <=> b.get_uint64();
}

bool is_integer(const Json& number) {
  if (!number.is_double()) return number.is_int64() || number.is_uint64();
  return std::isfinite(number.get_double()) && std::trunc(number.get_double()) == number.get_double();
}

bool is_multiple_of(const Json& value, const Json& divisor) {
  if (value.is_double() && !std::isfinite(value.get_double())) return false;
  const auto a = decimal_of(value), b = decimal_of(divisor);
  if (a.digits == 0) return true;
  const int shift = a.exponent - b.exponent;
  if (shift >= 0) return static_cast<Wide>(a.digits % b.digits) * power_of_ten(shift, b.digits) % b.digits == 0;
  // a.digits must be a multiple of b.digits x 10^-shift; a.digits has at most 20 digits.
  if (shift < -20) return false;
  Wide scaled = b.digits;
  for (int i = shift; i < 0; ++i) {
    scaled *= 10;
    if (scaled > a.digits) return false;
  }
  return a.digits % scaled == 0;
}

std::strong_ordering compare_json(const Json& a, const Json& b) { return compare_at(a, b, 0); }

std::optional<std::uint64_t> as_count(const Json& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  if (!value.is_double() || !is_integer(value) || value.get_double() < 0) return std::nullopt;
  if (value.get_double() >= std::ldexp(1.0, 64)) return UINT64_MAX;
  return static_cast<std::uint64_t>(value.get_double());
}

}  // namespace alknet::schema
