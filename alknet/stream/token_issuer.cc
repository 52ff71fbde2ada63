#include "alknet/stream/token_issuer.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>

#include "alknet/base/hash.h"
#include "alknet/call/error.h"

namespace alknet::stream {
namespace {

std::array<std::byte, 32> random_bytes() {
  std::array<std::byte, 32> bytes{};
  ssize_t got = 0;
  do {
    got = getrandom(bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes come whole (getrandom(2)).
  if (got != static_cast<ssize_t>(bytes.size())) throw io_error("getrandom", "random numbers", errno);
  return bytes;
}

std::array<std::byte, 32> digest_of(std::string_view token) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(token)));
  return hash.digest();
}

}  // namespace

TokenIssuer::Token TokenIssuer::issue(std::optional<std::string> identity, std::shared_ptr<tensor::Source> model) {
  Token token{hex_text(random_bytes()), options_.lifetime};
  const std::lock_guard lock(mutex_);
  if (grants_.size() >= options_.max_tokens) drop_expired();
  if (grants_.size() >= options_.max_tokens) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("[open_model] {} stream tokens are in use; wait until some expire", options_.max_tokens),
                JsonObject{{"limit", options_.max_tokens}});
  }
  grants_.emplace(digest_of(token.text),
                  Grant{std::move(identity), std::move(model), clock_.now() + options_.lifetime});
  return token;
}

std::shared_ptr<tensor::Source> TokenIssuer::check(std::string_view token, const std::optional<std::string>& identity) {
  const std::lock_guard lock(mutex_);
  const auto found = grants_.find(digest_of(token));
  if (found == grants_.end() || found->second.identity != identity) {
    throw Error(call::CallError::kForbidden,
                "[alknet/tensor] the token is not valid here; get one with compute/open_model");
  }
  if (found->second.expiry <= clock_.now()) {
    grants_.erase(found);
    throw Error(call::CallError::kForbidden,
                "[alknet/tensor] the token has expired; get a new one with compute/open_model");
  }
  return found->second.model;
}

bool TokenIssuer::revoke(std::string_view token) {
  const std::lock_guard lock(mutex_);
  return grants_.erase(digest_of(token)) > 0;
}

std::size_t TokenIssuer::revoke_all(const std::optional<std::string>& identity) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(grants_, [&](const auto& grant) { return grant.second.identity == identity; });
}

void TokenIssuer::drop_expired() {
  const auto now = clock_.now();
  std::erase_if(grants_, [&](const auto& grant) { return grant.second.expiry <= now; });
}

}  // namespace alknet::stream
