#pragma once

#include "alknet/runtime/bundle.h"

namespace alknet::runtime {

/// The modules that are part of this program: the core packages and what the runtime itself runs.
Bundles embedded_bundles();

}  // namespace alknet::runtime
