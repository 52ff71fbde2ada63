#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "alknet/graph/graph.h"
#include "alknet/graph/node_writer.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// One call that a gradient passes.
struct BackwardCall {
  const OpSpec& op;
  JsonObject attrs;                      ///< Complete.
  std::vector<Ref> inputs;               ///< Parallel to the op's inputs; absent ones are absent.
  std::vector<Ref> outputs;              ///< Of the call.
  std::vector<Ref> grad_outputs;         ///< One for each.
  std::function<Ref(const Ref&)> value;  ///< Where to read an input or output (a recomputed copy, perhaps).
};

/// Writes what input `input` gains, in its dtype and shape, by the op's expression, cases or derivative. Nothing when
/// that is 0 everywhere. Throws Error `not_differentiable` when the entry does not say how.
std::optional<Ref> write_backward(NodeWriter& writer, const BackwardCall& call, std::size_t input);

}  // namespace alknet::graph
