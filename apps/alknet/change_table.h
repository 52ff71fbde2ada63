#pragma once

#include <string>

#include "alknet/schema/diff.h"
#include "apps/alknet/command.h"

namespace alknet::app {

/// The changes of a schema as a table for people, and the version bump; "" when there are none.
std::string change_table(const schema::Diff& diff, const Globals& globals);

}  // namespace alknet::app
