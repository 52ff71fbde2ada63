#pragma once

#include <string>
#include <string_view>

#include "alknet/base/json.h"

// Printing JSON at the end of a text, for those who put an envelope around it and want no copy.

namespace alknet {

/// Appends what `json_text` gives.
void append_json(std::string& out, const Json& value);

/// Appends a JSON string: `text`, which must be UTF-8, in quotes and escaped.
void append_json_string(std::string& out, std::string_view text);

}  // namespace alknet
