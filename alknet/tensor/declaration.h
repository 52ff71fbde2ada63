#pragma once

#include <string_view>

#include "alknet/tensor/placement.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {

/// How far a Writer is.
enum class Stage { kDeclaring, kWriting, kClosed };

/// For messages: "while entries are declared", "after start", "after close".
std::string_view name(Stage stage);

/// Checks what a caller declares by the rules that readers check by, and measures it. For a growing entry `bytes` are
/// those of one row. Throws `bad_name`, `rank_too_large`, `size_overflow`, `partial_byte`, `invalid_argument`.
PlacedEntry checked_entry(const EntrySpec& spec, bool growing, bool metatensor, std::string_view path);

}  // namespace alknet::tensor
