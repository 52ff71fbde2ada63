#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/message.h"
#include "alknet/call/operation.h"

namespace alknet::net::mcp {

/// A tool's description, an element of `tools/list`, as the specification of the operation `name`. What its schemas
/// have that is left out is added to `notes`. Throws `schema_parse`.
call::OperationSpec tool_spec(const JsonObject& tool, std::string name, std::vector<std::string>& notes);

/// What the operation answers for the result of its tool: `structuredContent` when there is one, else the text of the
/// content, else {content}. Throws `TOOL_ERROR`, and `transport` for what is no result.
Message tool_answer(const std::string& tool, const Json& result);

/// The member of that name when it is a string, else an empty one.
std::string text_of(const JsonObject& object, std::string_view name);

}  // namespace alknet::net::mcp
