#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alknet/net/http/client.h"
#include "alknet/runtime/value.h"

namespace alknet::platform {

/// Which servers a script may talk to. A value.
class FetchPrivileges {
 public:
  /// None.
  FetchPrivileges() = default;

  /// All.
  static FetchPrivileges everything();

  /// Those of these origins ("https://example.com", "http://127.0.0.1:8080"); ws and wss count as http and https.
  /// Throws `invalid_url` for what is no origin.
  explicit FetchPrivileges(const std::vector<std::string>& origins);

  /// Throws Error `permission_denied` unless the URL's origin is allowed, `invalid_url` for none.
  void require(std::string_view url) const;

 private:
  bool everything_ = false;
  std::vector<std::string> origins_;
};

struct FetchOptions {
  /// Used on the isolate's executor.
  std::shared_ptr<net::HttpClient> client;
  FetchPrivileges privileges;
};

/// The network behind `fetch` (runtime::WebOptions::fetch): asks the privileges for the URL and for that of every
/// redirect before it is followed. Bodies of answers are pulled piece by piece. Failures of the network, and what the
/// privileges forbid, are TypeErrors with the members `code` and `details`.
std::function<runtime::Value(runtime::Realm, const runtime::Value& request)> make_fetch(FetchOptions options);

}  // namespace alknet::platform
