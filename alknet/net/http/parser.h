#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/net/http/headers.h"

namespace alknet::net {

/// Limits of one HTTP message; each is refused with `too_large`.
struct HttpLimits {
  std::size_t header_bytes = 64U << 10U;  ///< start line and header fields together
  std::size_t header_fields = 128;
  std::uint64_t body_bytes = std::numeric_limits<std::uint64_t>::max();  ///< as received, after the chunk framing
};

/// What stands before the body of a message.
struct HttpHead {
  std::string method;  ///< of a request
  std::string target;  ///< of a request
  int status = 0;      ///< of a response
  std::string reason;  ///< of a response
  int version = 11;    ///< 10 or 11
  HttpHeaders headers;
};

/// Reads HTTP/1.0 and HTTP/1.1 messages from bytes, without I/O (Boost.Beast's parser; RFC 9112). One message an
/// object. What makes two readers disagree about where a message ends is refused: both Content-Length and
/// Transfer-Encoding, contradicting lengths, an unknown last transfer coding. Trailer fields are dropped.
class HttpParser {
 public:
  enum class Kind { kRequest, kResponse };

  HttpParser(Kind kind, const HttpLimits& limits);
  ~HttpParser();
  HttpParser(HttpParser&&) noexcept;

  /// For a response: its request was HEAD, so no body follows whatever the header says.
  void expect_no_body();

  /// Takes bytes up to the end of the message and says how many; those behind belong to the next message.
  /// Throws `malformed` and `too_large`; then the parser is of no further use.
  std::size_t feed(std::span<const std::byte> bytes);

  /// The peer sends no more: the end of a body without a length. Throws `malformed` in the middle of a message.
  void finish();

  /// Whether any byte of a message has come.
  bool started() const;
  bool head_complete() const;
  bool complete() const;

  /// Valid once `head_complete`.
  const HttpHead& head() const;
  bool keep_alive() const;
  bool chunked() const;
  std::optional<std::uint64_t> content_length() const;

  /// Bytes of the body that have come since the last call.
  std::vector<std::byte> take_body();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::net
