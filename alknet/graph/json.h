#pragma once

#include <cstdint>

#include "alknet/base/message.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// The `alknet_graph` member of documents that this program writes and reads.
inline constexpr std::int64_t kGraphVersion = 1;

/// The graph's document as in the design; constants' data become `{"$bytes": i}`, and a scalar that JSON cannot write
/// becomes "inf", "-inf" or "nan". `ops` gives operands their names.
Message to_message(const Graph& graph, const OpTable& ops = OpTable::builtin());

/// Reads such a document. Throws Error `graph_invalid` with a JSON pointer when its form is wrong, also for members
/// that are unknown; meaning is checked by `validate`.
Graph from_message(const Message& message, const OpTable& ops = OpTable::builtin());

}  // namespace alknet::graph
