#include "alknet/compute/eager/layout.h"

#include "alknet/compute/eager/hash_words.h"

namespace alknet::compute {

std::shared_ptr<const Layout> LayoutTable::intern(graph::Strided strided) {
  std::uint64_t hash = static_cast<std::uint64_t>(strided.offset);
  for (const auto* numbers : {&strided.shape, &strided.strides}) {
    for (const std::int64_t number : *numbers) hash = mix_word(hash, static_cast<std::uint64_t>(number));
  }
  const auto [begin, end] = layouts_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second->strided == strided) return it->second;
  }
  const std::int64_t elements = graph::element_count(strided.shape);
  const bool contiguous = graph::is_contiguous(strided);
  auto layout = std::make_shared<const Layout>(Layout{std::move(strided), elements, contiguous});
  layouts_.emplace(hash, layout);
  return layout;
}

}  // namespace alknet::compute
