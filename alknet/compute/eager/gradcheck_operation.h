#pragma once

#include <optional>

#include "alknet/compute/context.h"
#include "alknet/compute/eager/gradcheck.h"
#include "alknet/compute/eager/gradcheck_cases.h"

namespace alknet::compute {

/// For tests: checks the gradients of one call of an operation, with operands from the domain that the op table names,
/// inside where it is smooth. Nothing when no input of the call has a gradient. Throws what the call throws: shapes of
/// `gradcheck_cases` that were guessed need not suit.
std::optional<GradcheckReport> gradcheck_operation(const Context& context, const graph::OpSpec& op,
                                                   const GradcheckCase& made);

}  // namespace alknet::compute
