#pragma once

namespace alknet::runtime {

struct IsolateState;

/// Makes the engine of `state` find modules: native ones by name, all others through the resolver of its options.
void set_module_loader(IsolateState& state);

}  // namespace alknet::runtime
