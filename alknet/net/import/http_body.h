#pragma once

#include <string_view>

#include "alknet/net/import/http_endpoint.h"

namespace alknet::net {

/// Writes the body that `endpoint` has for `input`, with its type, into `request`; nothing when the input has none.
/// Throws `invalid_input` for what has no form in it.
void write_body(const HttpEndpoint& endpoint, const Message& input, FetchRequest& request);

/// Throws `invalid_input`: the operation, and what its input has wrong.
[[noreturn]] void refuse_input(const HttpEndpoint& endpoint, std::string_view what);

}  // namespace alknet::net
