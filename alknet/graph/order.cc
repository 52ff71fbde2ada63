#include "alknet/graph/order.h"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>

#include <algorithm>
#include <functional>
#include <queue>

namespace alknet::graph {
namespace {

/// A closed path through one strongly connected group: from its lowest node along producers of the group until a node
/// repeats.
std::vector<std::size_t> find_cycle(std::size_t start, std::span<const std::vector<std::size_t>> producers,
                                    const std::vector<std::size_t>& component) {
  std::vector<std::size_t> path;
  std::vector<std::size_t> place(producers.size(), producers.size());
  std::size_t node = start;
  while (place[node] == producers.size()) {
    place[node] = path.size();
    path.push_back(node);
    node = *std::find_if(producers[node].begin(), producers[node].end(),
                         [&](std::size_t producer) { return component[producer] == component[start]; });
  }
  path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(place[node]));
  // Found from consumer to producer; told in the direction of the data, from the lowest index.
  std::reverse(path.begin(), path.end());
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  return path;
}

std::vector<std::vector<std::size_t>> find_cycles(std::span<const std::vector<std::size_t>> producers) {
  boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS> graph(producers.size());
  for (std::size_t node = 0; node < producers.size(); ++node) {
    for (const std::size_t producer : producers[node]) boost::add_edge(node, producer, graph);
  }
  std::vector<std::size_t> component(producers.size());
  const auto count = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  std::vector<std::size_t> size(count, 0);
  for (const std::size_t c : component) ++size[c];
  std::vector<bool> told(count, false);
  std::vector<std::vector<std::size_t>> cycles;
  for (std::size_t node = 0; node < producers.size(); ++node) {
    const auto& reads = producers[node];
    const bool reads_itself = std::find(reads.begin(), reads.end(), node) != reads.end();
    if (told[component[node]] || (size[component[node]] == 1 && !reads_itself)) continue;
    told[component[node]] = true;
    cycles.push_back(find_cycle(node, producers, component));
  }
  return cycles;
}

}  // namespace

NodeOrder order_nodes(std::span<const std::vector<std::size_t>> producers) {
  std::vector<std::vector<std::size_t>> consumers(producers.size());
  std::vector<std::size_t> waiting(producers.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t node = 0; node < producers.size(); ++node) {
    waiting[node] = producers[node].size();
    for (const std::size_t producer : producers[node]) consumers[producer].push_back(node);
    if (waiting[node] == 0) ready.push(node);
  }
  NodeOrder result;
  while (!ready.empty()) {
    const std::size_t node = ready.top();
    ready.pop();
    result.order.push_back(node);
    for (const std::size_t consumer : consumers[node]) {
      if (--waiting[consumer] == 0) ready.push(consumer);
    }
  }
  if (result.order.size() < producers.size()) result.cycles = find_cycles(producers);
  return result;
}

}  // namespace alknet::graph
