#pragma once

#include <string>
#include <string_view>

#include "alknet/schema/schema.h"

namespace alknet::schema {

/// A C++20 header that has the aligned layout of the schema as the struct `name`, and the types that it is made of,
/// whose names start with `name`: a record that encode wrote can be copied into it. Of a file's schema, each struct
/// tensor has a struct. Every size, alignment and offset is asserted.
///
/// Float16 and BFloat16 are their bits, Boolean is a byte (FieldAccess checks hostile ones), an Enum is an `enum
/// class`, text with `maxBytes` is {size, bytes}, what is offset-indirect is {offset, bytes}, and so is a Blob.
/// Nullable fields have `has_<field>()` and `set_has_<field>(bool)`. Names that C++ lacks are changed, which a comment
/// says.
///
/// Throws `invalid_argument` for a `name` that is none and a file without records, and what layout() throws.
std::string generate_cpp(const Schema& schema, std::string_view name);

}  // namespace alknet::schema
