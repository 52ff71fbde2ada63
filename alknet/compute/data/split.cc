#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "alknet/base/error.h"
#include "alknet/compute/data/dataset.h"
#include "alknet/compute/data/random_stream.h"

namespace alknet::compute {

std::vector<std::size_t> random_permutation(std::size_t count, std::uint64_t seed, std::uint64_t step) {
  RandomStream random(seed, 0, step);
  std::vector<std::uint32_t> words(count);
  std::generate(words.begin(), words.end(), [&] { return random.word(); });
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return words[a] < words[b]; });
  return order;
}

Split stratified_split(std::span<const std::int64_t> labels, std::size_t held_out, std::uint64_t seed) {
  if (held_out > labels.size()) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("{} of {} samples cannot be held out", held_out, labels.size()));
  }
  struct Class {
    std::vector<std::size_t> samples;  // in random order
    std::size_t share = 0;             // held out
    std::size_t remainder = 0;         // of held_out * size / all
  };
  std::map<std::int64_t, Class> classes;
  for (const std::size_t sample : random_permutation(labels.size(), seed, 0)) {
    classes[labels[sample]].samples.push_back(sample);
  }
  std::size_t left = held_out;
  std::vector<Class*> by_remainder;
  for (auto& [label, members] : classes) {
    members.share = held_out * members.samples.size() / labels.size();
    members.remainder = held_out * members.samples.size() % labels.size();
    left -= members.share;
    by_remainder.push_back(&members);
  }
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [](const Class* a, const Class* b) { return a->remainder > b->remainder; });
  for (std::size_t i = 0; i < left; ++i) ++by_remainder[i]->share;

  Split split;
  for (const auto& [label, members] : classes) {
    for (std::size_t i = 0; i < members.samples.size(); ++i) {
      (i < members.share ? split.held_out : split.train).push_back(members.samples[i]);
    }
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.held_out.begin(), split.held_out.end());
  return split;
}

}  // namespace alknet::compute
