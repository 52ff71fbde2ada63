#pragma once

#include "alknet/base/json.h"
#include "alknet/schema/places.h"

namespace alknet::schema {

/// The main document of `places`, already compiled, in standard keywords only. Every `$ref` becomes a pointer into the
/// result; what they name outside standard keywords of the main document moves to `$defs`. Nested `$id` and `$anchor`
/// go.
Json lower_document(const Places& places);

}  // namespace alknet::schema
