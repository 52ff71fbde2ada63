#pragma once

#include <string_view>
#include <vector>

namespace alknet {

/// The names of `probe`.
std::vector<std::string_view> probe_names();

/// Asks the system for something that no script or kernel may have, as foreign code inside a helper would, and returns
/// what it should never: 0 when it was given; 1 when it was refused. For tests and for whoever wants to see that the
/// confinement of this machine holds: `alknet-sandbox --probe=NAME` is to end by SIGSYS, `alknet-worker --probe=NAME`
/// as docs/sandbox.md lists. `open` and `write` (of a file that is there) take one after a colon: "open:/etc/hosts".
/// Unknown names give -1.
int probe(std::string_view name);

}  // namespace alknet
