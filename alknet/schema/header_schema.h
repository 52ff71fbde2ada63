#pragma once

#include "alknet/base/json.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {

/// The JSON Schema, in standard keywords only, of the headers of files with this schema: one member per entry with its
/// dtype, shape and offsets, `__metadata__`, and the pads and blob stores that a writer adds. Any 2020-12 validator can
/// check a header with it. Throws what file_entries throws, and `not_a_file_schema` for an entry named `__metadata__`.
Json to_header_schema(const Schema& schema);

}  // namespace alknet::schema
