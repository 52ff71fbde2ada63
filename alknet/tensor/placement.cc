#include "alknet/tensor/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "alknet/base/bytes.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {

void Placement::append(PlacedEntry& entry) {
  const auto begin = pads_ ? align_up(end_, entry.align) : end_;
  const auto end = begin ? checked_add(*begin, entry.bytes) : std::nullopt;
  if (!end) {
    throw Error(TensorError::kSizeOverflow,
                fmt::format("the data region does not fit 64 bits at entry {}: split the file", quoted(entry.name)));
  }
  if (*begin != end_) {
    const std::uint64_t gap = *begin - end_;
    made_.push_back({fmt::format("{}{}", kPadPrefix, made_.size()),
                     schema::FileDtype::kU8,
                     {static_cast<std::int64_t>(gap)},
                     gap,
                     1,
                     end_});
  }
  entry.begin = *begin;
  end_ = *end;
}

std::vector<PlacedEntry*> placement_order(std::span<PlacedEntry* const> entries, std::span<const std::string> order) {
  std::unordered_map<std::string_view, std::size_t> ranks;
  for (const std::string& name : order) ranks.emplace(name, ranks.size());
  const auto key = [&](const PlacedEntry* entry) {
    const auto rank = ranks.find(entry->name);
    return std::tuple(rank == ranks.end() ? ranks.size() : rank->second, ~entry->align, std::string_view(entry->name));
  };
  std::vector<PlacedEntry*> sorted(entries.begin(), entries.end());
  std::ranges::sort(sorted, [&](const PlacedEntry* a, const PlacedEntry* b) { return key(a) < key(b); });
  return sorted;
}

}  // namespace alknet::tensor
