#pragma once

#include "alknet/net/http/server.h"

namespace alknet::net {

/// Serves the page at `/` and its files at `/page/*` of the gateway that `server` is. Browsers keep them and ask each
/// time whether they are still the same: a request whose If-None-Match has the entity tag is answered with 304.
void add_page(HttpServer& server);

}  // namespace alknet::net
