#pragma once

#include <cstddef>

namespace alknet::compute::testing {

/// How often this program has called operator new, on any thread. Linking allocation_counter.cc makes it count.
std::size_t allocation_count();

}  // namespace alknet::compute::testing
