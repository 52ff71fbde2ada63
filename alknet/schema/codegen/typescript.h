#pragma once

#include <string>
#include <string_view>

#include "alknet/schema/schema.h"

namespace alknet::schema {

/// A TypeScript module that exports the JSON instances of the schema as the type `name`, and the types that it is made
/// of, whose names start with `name`. Structs are interfaces, Unions discriminated unions; members that an instance may
/// leave out are optional. What the schema says in standard keywords alone is `unknown`.
///
/// Throws `invalid_argument` for a `name` that is none.
std::string generate_typescript(const Schema& schema, std::string_view name);

}  // namespace alknet::schema
