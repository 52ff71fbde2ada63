#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace alknet::stream {

/// Bytes [begin, end).
struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

/// A set of bytes as the fewest intervals, in order. Adding behind the last one, as streams do, is O(1).
class Intervals {
 public:
  void add(Interval more) {
    if (more.begin >= more.end) return;
    // The first that touches or follows `more`.
    const auto first = std::ranges::lower_bound(parts_, more.begin, {}, &Interval::end);
    auto last = first;
    for (; last != parts_.end() && last->begin <= more.end; ++last) {
      more.begin = std::min(more.begin, last->begin);
      more.end = std::max(more.end, last->end);
    }
    if (first == last) {
      parts_.insert(first, more);
    } else {
      *first = more;
      parts_.erase(first + 1, last);
    }
  }

  /// The parts of `whole` that are not in the set.
  std::vector<Interval> missing(Interval whole) const {
    std::vector<Interval> gaps;
    for (const Interval& part : parts_) {
      if (part.end <= whole.begin) continue;
      if (part.begin >= whole.end) break;
      if (part.begin > whole.begin) gaps.push_back({whole.begin, part.begin});
      whole.begin = part.end;
    }
    if (whole.begin < whole.end) gaps.push_back(whole);
    return gaps;
  }

  bool covers(Interval whole) const { return missing(whole).empty(); }
  const std::vector<Interval>& parts() const { return parts_; }
  void clear() { parts_.clear(); }

 private:
  std::vector<Interval> parts_;
};

}  // namespace alknet::stream
