#pragma once

#include <string_view>

namespace alknet::schema {

/// The text of a meta-schema that every schema may name without registering it: those of drafts 6, 7 and 2020-12 with
/// its vocabularies, by their URI without a fragment. Empty for any other.
std::string_view find_meta_schema(std::string_view uri);

}  // namespace alknet::schema
