#pragma once

#include <set>
#include <string>

#include "alknet/base/json.h"
#include "alknet/schema/node.h"

namespace alknet::schema {

/// Keywords in which two nodes differ.
struct KeywordChanges {
  std::set<std::string> names;
  JsonObject before, after;  ///< Those among them that each side has.
  bool adds = false;         ///< `after` has one that `before` has not alike.
};

/// Standard keywords that limit values beyond what the kind says: `minimum`, `pattern`, ... What a kind lowers to, and
/// what the structure tells (`properties`, `items`, `default`), does not count.
KeywordChanges limit_changes(const Node& before, const Node& after);

/// Keywords that say nothing of values: `title`, `description`, ...
KeywordChanges note_changes(const Node& before, const Node& after);

}  // namespace alknet::schema
