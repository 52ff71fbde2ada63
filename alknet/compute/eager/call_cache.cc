#include "alknet/compute/eager/call_cache.h"

#include <algorithm>

namespace alknet::compute {

CallCache::CallCache() : places_(64) {}
CallCache::~CallCache() = default;

Call* CallCache::find(std::span<const std::uint64_t> key, std::uint64_t hash) const {
  for (std::size_t i = hash;; ++i) {
    const Place& place = places_[i & (places_.size() - 1)];
    if (!place.call) return nullptr;
    if (place.hash == hash && std::equal(key.begin(), key.end(), place.call->key.begin(), place.call->key.end())) {
      return place.call.get();
    }
  }
}

void CallCache::insert(Place place) {
  std::size_t i = place.hash & (places_.size() - 1);
  while (places_[i].call) i = (i + 1) & (places_.size() - 1);
  places_[i] = std::move(place);
}

Call& CallCache::add(std::unique_ptr<Call> call, std::uint64_t hash) {
  if (2 * (size_ + 1) > places_.size()) {
    std::vector<Place> old(2 * places_.size());
    old.swap(places_);
    for (Place& place : old) {
      if (place.call) insert(std::move(place));
    }
  }
  Call& added = *call;
  insert({hash, std::move(call)});
  ++size_;
  return added;
}

void CallCache::clear() {
  places_ = std::vector<Place>(64);
  size_ = 0;
}

}  // namespace alknet::compute
