#pragma once

#include <cstdint>

namespace alknet {

/// Bytes of memory that this process may use at most: those of the machine, or of the control group (container) that it
/// runs in where those are fewer. Reads the system's files at each call.
std::uint64_t machine_memory();

}  // namespace alknet
