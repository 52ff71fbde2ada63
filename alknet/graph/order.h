#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace alknet::graph {

/// An order of nodes that can run, and what prevents one.
struct NodeOrder {
  /// Producers before consumers; among ready nodes the lowest index first. Without nodes on or behind a cycle.
  std::vector<std::size_t> order;
  /// Each closed path of nodes that depend on themselves, one per group, from its lowest index.
  std::vector<std::vector<std::size_t>> cycles;
};

/// Orders nodes 0 .. n-1; `producers[i]` are the nodes that node i reads. Linear but for a logarithm; no recursion.
NodeOrder order_nodes(std::span<const std::vector<std::size_t>> producers);

}  // namespace alknet::graph
