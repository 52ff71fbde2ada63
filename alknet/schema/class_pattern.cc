#include "alknet/schema/class_pattern.h"

#include <algorithm>
#include <cstddef>

namespace alknet::schema {
namespace {

// What stands for itself in a class; escapes and nested notation are left to the automaton.
bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '\\' && c != '[' && c != ']' && c != '^'; }

}  // namespace

std::optional<ClassPattern> ClassPattern::parse(std::string_view pattern) {
  const bool star = pattern.ends_with("]*$");
  if (!pattern.starts_with("^[") || (!star && !pattern.ends_with("]+$")) || pattern.size() < 6) return std::nullopt;
  ClassPattern out;
  out.may_be_empty_ = star;
  return out.parse_class(pattern.substr(2, pattern.size() - 5)) ? std::optional(out) : std::nullopt;
}

bool ClassPattern::parse_class(std::string_view inside) {
  if (!std::all_of(inside.begin(), inside.end(), is_plain)) return false;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const bool range = i + 2 < inside.size() && inside[i + 1] == '-';
    const auto first = static_cast<unsigned char>(inside[i]);
    const auto last = range ? static_cast<unsigned char>(inside[i + 2]) : first;
    for (unsigned c = first; c <= last; ++c) members_[c] = 1;
    if (range) i += 2;
  }
  return true;
}

bool ClassPattern::matches(std::string_view text) const {
  if (text.empty()) return may_be_empty_;
  // In steps, so that a long text that fails early ends early and the rest is free of branches.
  constexpr std::size_t kStep = 64;
  for (std::size_t begin = 0; begin < text.size(); begin += kStep) {
    std::uint8_t all = 1;
    for (const char c : text.substr(begin, kStep)) all &= members_[static_cast<unsigned char>(c)];
    if (all == 0) return false;
  }
  return true;
}

}  // namespace alknet::schema
