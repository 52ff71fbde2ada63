#pragma once

#include <vector>

#include "alknet/call/operation.h"
#include "alknet/compute/operations/service.h"

namespace alknet::compute {

/// `tensor/<op>`, one for each entry of the op table: operands by name are handles, or numbers where the operation
/// takes them; parameters by name as in docs/operations.md; `no_grad`, and `ids` for the results. The output is the
/// result's handle, an object of handles by name where there are several results, an array for a list. Random
/// operations draw from the caller's own numbers unless `rng` is given. Everything in the specs comes from the table.
std::vector<call::Registration> tensor_operations(ComputeService& service);

}  // namespace alknet::compute
