#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {

/// The draft whose meta-schema has this URI (with or without an empty fragment); nothing for other URIs.
std::optional<Draft> find_draft(std::string_view uri);

/// A schema of draft 6 or 7 as 2020-12 has it: lists of `items` become `prefixItems`, `dependencies` split in two,
/// `$id`s that are fragments become anchors, what stands beside a `$ref` is set aside in kSetAside, as are keywords
/// that the draft does not know.
///
/// References still say where things were in the draft: Places looks them up by the two functions below.
Json translate_draft(const Json& schema, Draft draft);

/// The member of translated schemas that holds what has no meaning, but may be named by a reference.
constexpr std::string_view kSetAside = "$setAside";

/// The name of the member of a translated schema object where the draft's member `name` is now, when it was renamed or
/// set aside. `below`: the next step of the pointer, empty at its end.
std::string_view translated_name(const JsonObject& schema, std::string_view name, std::string_view below);

/// The opposite: the draft's name of a member of a translated schema that is not kSetAside.
std::string_view draft_name(const JsonObject& schema, std::string_view name);

}  // namespace alknet::schema
