#include "alknet/schema/timestamp.h"

#include <array>

namespace alknet::schema {
namespace {

constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

/// Takes the text apart from its front; once something is not as asked, `good` stays false.
struct Scanner {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count) {
    int value = 0;
    good = good && rest.size() >= count;
    for (std::size_t i = 0; good && i < count; ++i) {
      good = rest[i] >= '0' && rest[i] <= '9';
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(good ? count : 0);
    return value;
  }
  int digits_in(std::size_t count, int low, int high) {
    const int value = digits(count);
    good = good && value >= low && value <= high;
    return value;
  }
  bool take(std::string_view any_of) {
    if (!good || rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return false;
    rest.remove_prefix(1);
    return true;
  }
  void need(std::string_view any_of) { good = take(any_of); }
};

}  // namespace

bool is_timestamp(std::string_view text) {
  Scanner scan{text};
  scan.digits(4);
  scan.need("-");
  const int month = scan.digits_in(2, 1, 12);
  scan.need("-");
  if (scan.good) scan.digits_in(2, 1, kDays[static_cast<std::size_t>(month - 1)]);
  scan.need("Tt");
  scan.digits_in(2, 0, 23);
  scan.need(":");
  scan.digits_in(2, 0, 59);
  scan.need(":");
  scan.digits_in(2, 0, 60);
  if (scan.take(".")) {
    scan.digits(1);
    while (scan.take("0123456789")) continue;
  }
  if (!scan.take("Zz")) {
    scan.need("+-");
    scan.digits_in(2, 0, 23);
    scan.need(":");
    scan.digits_in(2, 0, 59);
  }
  return scan.good && scan.rest.empty();
}

}  // namespace alknet::schema
