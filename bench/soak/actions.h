#pragma once

#include <cstddef>
#include <span>

#include "bench/soak/user.h"

namespace alknet::bench::soak {

/// Something that a user does now and then. It throws nothing: what goes wrong is in the ledger.
struct Action {
  std::size_t weight;  ///< how often, beside the others
  Task<void> (*run)(User& user);
};

std::span<const Action> actions();

/// Streams the model's tensors: all, some, with some given up, or not to the end.
Task<void> stream_tensors(User& user);

}  // namespace alknet::bench::soak
