#pragma once

#include <map>
#include <string>
#include <vector>

#include "alknet/graph/graph.h"

namespace alknet::graph {

/// For tests: a value in double, row-major.
struct ReferenceTensor {
  Shape shape;
  std::vector<double> data;
};
using ReferenceValues = std::map<std::string, ReferenceTensor, std::less<>>;

/// For tests: runs a valid graph with plain loops in double precision, whatever its dtypes; integers stay integers.
/// `inputs` has graph inputs and states; `dims` the values of symbols. Returns the outputs by name.
ReferenceValues reference_run(const Graph& graph, const ReferenceValues& inputs, const DimValues& dims = {},
                              const OpTable& ops = OpTable::builtin());

}  // namespace alknet::graph
