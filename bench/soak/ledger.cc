#include "bench/soak/ledger.h"

#include <fmt/format.h>

#include <utility>

namespace alknet::bench::soak {
namespace {

constexpr std::size_t kMostTold = 40;

}  // namespace

Ledger::Entry::~Entry() { lose("it has no ending"); }

void Ledger::Entry::end(Ending ending) {
  const auto found = ledger_.running_.extract(number_);
  if (!found) return;
  ++ledger_.ended_.at(static_cast<std::size_t>(ending));
  const auto age = Clock::now() - found.mapped().since;
  if (ending != Ending::kAnswered || age <= ledger_.slowest_) return;
  ledger_.slowest_ = age;
  ledger_.slowest_what_ = std::move(found.mapped().what);
}

void Ledger::Entry::lose(std::string_view why) {
  const auto found = ledger_.running_.extract(number_);
  if (!found) return;
  const auto age = std::chrono::duration<double>(Clock::now() - found.mapped().since);
  ledger_.lose(found.mapped().what, fmt::format("{} (after {:.1f} s)", why, age.count()));
}

Ledger::Entry Ledger::begin(Family family, std::string what) {
  ++begun_.at(static_cast<std::size_t>(family));
  running_.emplace(++last_, Running{std::move(what), Clock::now()});
  return {*this, last_};
}

void Ledger::lose(std::string_view what, std::string_view why) {
  ++lost_;
  if (losses_.size() == kMostTold) return;
  losses_.push_back(fmt::format("{}: {}", what, why));
  fmt::print(stderr, "soak: lost {}\n", losses_.back());
}

void Ledger::lose_overdue(Clock::duration limit) {
  const auto now = Clock::now();
  for (auto it = running_.begin(); it != running_.end();) {
    const auto age = now - it->second.since;
    if (age <= limit) {
      ++it;
      continue;
    }
    lose(it->second.what, fmt::format("runs for {} s", std::chrono::duration_cast<std::chrono::seconds>(age).count()));
    it = running_.erase(it);
  }
}

}  // namespace alknet::bench::soak
