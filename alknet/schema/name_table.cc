#include "alknet/schema/name_table.h"

#include <algorithm>

namespace alknet::schema {
namespace {

constexpr std::uint64_t kFirstSeed = 0x9E3779B97F4A7C15;  // the golden ratio, as in Fibonacci hashing
constexpr int kSeeds = 32;
constexpr std::size_t kMaxInTurn = 8;

}  // namespace

NameTable::NameTable(const std::vector<std::string_view>& names) {
  if (names.size() <= kMaxInTurn) {
    for (const auto name : names) few_.emplace_back(name);
    return;
  }
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(4 * names.size(), 4));
  shift_ = 64 - std::countr_zero(size);
  seed_ = kFirstSeed;
  // A seed by which no two names meet is nearly always found among the first few.
  for (int attempt = 1; attempt <= kSeeds; ++attempt) {
    slots_.assign(size, {});
    if (fill(names, attempt < kSeeds)) return;
    seed_ += 2 * kFirstSeed;
  }
}

bool NameTable::fill(const std::vector<std::string_view>& names, bool perfect) {
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const ShortText name(names[i]);
    auto at = name.hash(seed_) >> shift_;
    while (slots_[at].index != kNotFound) {
      if (perfect) return false;
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {name, i};
  }
  return true;
}

}  // namespace alknet::schema
