#include "alknet/net/error.h"

#include <fmt/format.h>

#include "alknet/base/json.h"

namespace alknet::net {

const std::error_category& net_category() noexcept {
  static const NamedCategory<15> category(
      "net", {"invalid_url", "name_not_found", "connect_failed", "tls_failed", "certificate_rejected", "timeout",
              "connection_lost", "malformed", "too_large", "too_many_redirects", "decoding_failed",
              "insecure_credentials", "listen_failed", "unauthorized", "refused"});
  return category;
}

Error net_error(NetError code, std::string_view where, const std::error_code& reason) {
  return {code, fmt::format("[{}] {}", where, reason.message()), JsonObject{{"errno", reason.value()}}};
}

}  // namespace alknet::net
