#pragma once

#include <vector>

#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/compute/store.h"

namespace alknet::compute {

/// The states of a session, ready to run on.
struct SessionStates {
  std::vector<Tensor> tensors;  ///< By state of the graph.
  graph::DimValues dims;        ///< Of their shapes.
};

/// Finds or makes them; throws as the constructor of Session.
SessionStates find_states(const Plan& plan, Store& store, const SessionOptions& options);

}  // namespace alknet::compute
