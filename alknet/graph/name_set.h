#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "alknet/graph/graph.h"

namespace alknet::graph {

/// The names that values of a graph have, for nodes that are added to it.
class NameSet {
 public:
  explicit NameSet(const Graph& graph);

  /// `wish`, or where that is taken `wish_1`, `wish_2`, ...; taken from now on.
  std::string unique(std::string_view wish);

 private:
  std::set<std::string, std::less<>> names_;
  std::map<std::string, std::size_t, std::less<>> tried_;  ///< By wish: the last number, so that many cost no search.
};

}  // namespace alknet::graph
