#pragma once

#include <optional>
#include <string>

#include "alknet/base/json.h"
#include "alknet/call/access.h"
#include "alknet/call/registry.h"

namespace alknet::net {

/// The OpenAPI 3.1 document of a gateway that serves `operations`: its own paths, and for each operation a path of its
/// own, POST `/call/NAME` or, for a subscription, GET `/subscribe/NAME`. Schemas are in standard keywords only, with
/// Bytes as base64 text. A bearer token is asked for where an operation is not open to all; it is optional where
/// `anonymous`, whoever comes without one, may call the operation too.
Json openapi_document(const call::OperationMap& operations, const std::optional<call::Identity>& anonymous,
                      const std::string& title, const std::string& version);

}  // namespace alknet::net
