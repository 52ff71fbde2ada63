#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "alknet/graph/shape.h"

namespace alknet::compute {

/// Where a tensor's elements lie, with what is asked of it often. Immutable and shared, so that tensors of equal layout
/// cost no copies and are recognised by address.
struct Layout {
  graph::Strided strided;
  std::int64_t elements = 0;
  bool contiguous = false;
};

/// The layouts of one context, each once. Used by one thread at a time.
class LayoutTable {
 public:
  std::shared_ptr<const Layout> intern(graph::Strided strided);

  /// Forgets all; layouts in use live on, but equal ones made later are other objects.
  void clear() { layouts_.clear(); }
  std::size_t size() const { return layouts_.size(); }

 private:
  std::unordered_multimap<std::size_t, std::shared_ptr<const Layout>> layouts_;  // by hash
};

}  // namespace alknet::compute
