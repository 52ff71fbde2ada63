#pragma once

#include <string>

#include "alknet/base/json.h"
#include "alknet/call/registry.h"

namespace alknet::net {

/// The OpenAPI 3.1 document of a gateway that serves `operations`: its own paths, and for each operation a path of its
/// own, POST `/call/NAME` or, for a subscription, GET `/subscribe/NAME`. Schemas are in standard keywords only, with
/// Bytes as base64 text.
Json openapi_document(const call::OperationMap& operations, const std::string& title, const std::string& version);

}  // namespace alknet::net
