#pragma once

#include <set>
#include <string>
#include <string_view>

namespace alknet::net {

/// `text` as (part of) a name that the registry takes: letters, digits, `_`, `-`, `.` and single slashes inside; other
/// characters become `_`. At most 200 bytes, so that a prefix fits; empty when nothing is left.
std::string valid_operation_name(std::string_view text);

/// `base`, or `base_2`, `base_3`, ... when it is in `used`; puts the name there.
std::string fresh_name(std::set<std::string>& used, const std::string& base);

}  // namespace alknet::net
