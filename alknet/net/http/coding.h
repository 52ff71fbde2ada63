#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/shared_bytes.h"

namespace alknet::net {

/// A content coding (RFC 9110 section 8.4.1).
enum class Coding { kIdentity, kGzip, kDeflate, kZstd };

/// "gzip", ...; empty for identity.
std::string_view coding_name(Coding coding);

/// The coding of a Content-Encoding value, also "x-gzip" and "identity"; nothing when it is not known here.
std::optional<Coding> parse_coding(std::string_view name);

/// What to send to a client whose Accept-Encoding is `accepted`: zstd, gzip or identity, by its weights and then in
/// this order.
Coding choose_coding(std::string_view accepted);

/// What a compressed body may grow to.
struct DecodeLimits {
  std::uint64_t output_bytes = 1ULL << 30U;  ///< `too_large` beyond

  /// `decoding_failed` when the output is this many times the input; asked once 8 MiB have come out. Deflate reaches at
  /// most 1032; honest text stays below 100.
  std::uint64_t ratio = 500;
};

/// Decompresses a body that comes in pieces, without I/O and holding at most one piece of each side. Windows of more
/// than 8 MiB are refused (RFC 9659). "deflate" is read with and without zlib's header, as browsers do.
class BodyDecoder {
 public:
  BodyDecoder(Coding coding, const DecodeLimits& limits);
  ~BodyDecoder();
  BodyDecoder(BodyDecoder&&) noexcept;

  /// The next input, once `next` has given nothing. It is used until then.
  void set_input(SharedBytes input);

  /// Up to 64 KiB of output, or nothing when more input is needed. Throws `decoding_failed`, `too_large`.
  std::optional<SharedBytes> next();

  /// The input has ended. Throws `decoding_failed` when that is too early.
  void finish();

  class Engine;

 private:
  std::unique_ptr<Engine> engine_;
  DecodeLimits limits_;
  SharedBytes input_;
  std::size_t used_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t produced_ = 0;
};

/// The whole of `bytes` compressed with gzip or zstd at a speed fit for answers.
std::vector<std::byte> encode_body(Coding coding, std::span<const std::byte> bytes);

}  // namespace alknet::net
