#include "alknet/graph/name_set.h"

#include <fmt/format.h>

#include "alknet/graph/analysis.h"

namespace alknet::graph {

NameSet::NameSet(const Graph& graph) {
  for (const auto& [name, source] : value_sources(graph)) names_.insert(name);
}

std::string NameSet::unique(std::string_view wish) {
  std::string name(wish);
  if (names_.insert(name).second) return name;
  std::size_t& number = tried_.try_emplace(name, 0).first->second;
  do name = fmt::format("{}_{}", wish, ++number);
  while (!names_.insert(name).second);
  return name;
}

}  // namespace alknet::graph
