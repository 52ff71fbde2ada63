#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/executor.h"
#include "alknet/tensor/source.h"

namespace alknet::stream {

struct TokenOptions {
  std::chrono::seconds lifetime{600};
  std::size_t max_tokens = 10'000;  ///< Living at a time.
};

/// Gives and checks the tokens that let a peer stream a model: 256 random bits each, good for one identity, until they
/// expire or are revoked. Only hashes of tokens are kept. Thread-safe.
class TokenIssuer {
 public:
  struct Token {
    std::string text;  ///< 64 hexadecimal digits. Secret.
    std::chrono::seconds lifetime;
  };

  /// Lifetimes count in `clock`'s time; it must outlive the issuer.
  explicit TokenIssuer(Executor& clock, TokenOptions options = {}) : clock_(clock), options_(options) {}

  /// A token for the connections of `identity` (those that proved none when there is none) to stream `model`. Throws
  /// `resource_exhausted` (details `limit`) beyond max_tokens.
  Token issue(std::optional<std::string> identity, std::shared_ptr<tensor::Source> model);

  /// The model behind a token. Throws `forbidden`: "expired" to whom it was given, one and the same message for a
  /// token that was never given, was revoked or belongs to another.
  std::shared_ptr<tensor::Source> check(std::string_view token, const std::optional<std::string>& identity);

  /// Ends a token. False when there is no such.
  bool revoke(std::string_view token);

  /// Ends all tokens of an identity, for example one that was disabled; how many there were.
  std::size_t revoke_all(const std::optional<std::string>& identity);

 private:
  struct Grant {
    std::optional<std::string> identity;
    std::shared_ptr<tensor::Source> model;
    Executor::Clock::time_point expiry;
  };
  using Digest = std::array<std::byte, 32>;
  using Grants = std::map<Digest, Grant>;

  void drop_expired();

  Executor& clock_;
  const TokenOptions options_;
  std::mutex mutex_;
  Grants grants_;  // by SHA-256 of the token: how long a search takes tells nothing about a token
};

}  // namespace alknet::stream
