#pragma once

#include <exception>

#include "alknet/base/log.h"
#include "alknet/call/error.h"
#include "alknet/call/operation.h"

namespace alknet::call {

/// What a caller is told of the failure of `operation`'s handler: codes of the protocol and those that the operation
/// declares as they are; another Error as `INTERNAL` with the original code in its details; of other exceptions only a
/// reference, under which `logger` has the text. Any thread.
WireError describe_failure(const std::exception_ptr& failure, const Operation& operation, const Logger& logger);

}  // namespace alknet::call
