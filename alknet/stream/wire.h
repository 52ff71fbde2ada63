#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"

// What travels on `alknet/tensor`. A request and its reply share a bidirectional stream:
//
//   client: u32 length | {"id", "token", "tensors"?, "priority"?, "compression"?, "header"?}
//           u32 length | {"id", "priority"}                       any number, while the request is being served
//   server: u32 length | {"ok": true, "header_bytes", "file_bytes", "compression"?} | header
//       or  u32 length | {"error": {"code", "message"}}
//
// and each tensor comes on a unidirectional stream: u32 request id | u32 index | u64 start offset | bytes. Integers in
// front of bytes are big-endian. The header is the beginning of the file up to its data region. The server ends its
// side of the request's stream when the client has all that was asked for.

namespace alknet::stream {

/// Bytes [begin, end) of a tensor, counted from its start; without an end, to its own.
struct TensorRange {
  std::string name;
  std::uint64_t begin = 0;
  std::optional<std::uint64_t> end = {};

  bool operator==(const TensorRange&) const = default;
};

/// What a client asks for.
struct Request {
  std::uint32_t id = 0;  ///< The client's choice, another one for each request of a connection.
  std::string token = {};
  std::optional<std::vector<TensorRange>> tensors = {};  ///< Absent: all entries of the file.
  std::vector<std::string> priority = {};                ///< Sent first, in this order.
  bool zstd = false;                                     ///< The client would like compressed streams.
  bool header = true;                                    ///< Whether the reply is followed by the header.

  /// With the length in front.
  SharedBytes encode() const;
  /// Members that are not known are ignored. Throws `invalid_input` naming the member that is missing or wrong.
  static Request parse(const Json& message);
};

/// A new order for what an open request has not begun to send.
struct PriorityUpdate {
  std::uint32_t id = 0;
  std::vector<std::string> priority;

  SharedBytes encode() const;
  static PriorityUpdate parse(const Json& message);
};

/// The answer to a request that is granted.
struct Reply {
  std::uint64_t header_bytes = 0;  ///< That follow; 0 when the request wanted none.
  std::uint64_t file_bytes = 0;    ///< Of the whole file.
  bool zstd = false;               ///< The streams of this request are zstd frames behind their stream header.

  SharedBytes encode() const;
  /// Throws the error that an error reply carries, and `protocol_error` for any other message.
  static Reply parse(const Json& message);
};

/// A reply that refuses: code and message of `error`.
SharedBytes encode_refusal(const Error& error);

/// What comes first on a tensor's stream.
struct StreamHeader {
  static constexpr std::size_t kBytes = 16;

  std::uint32_t request = 0;
  std::uint32_t index = 0;   ///< The entry's rank in data order.
  std::uint64_t offset = 0;  ///< Of the first byte that follows, in the tensor.

  std::array<std::byte, kBytes> encode() const;
  static StreamHeader parse(std::span<const std::byte, kBytes> bytes);
};

/// Puts together the first `kBytes` of a tensor's stream from pieces of any size.
class StreamHeaderReader {
 public:
  /// Takes from the front of `bytes` what the header still lacks. The header once it is whole.
  std::optional<StreamHeader> read(std::span<const std::byte>& bytes);

 private:
  std::array<std::byte, StreamHeader::kBytes> buffer_{};
  std::size_t have_ = 0;
};

/// The JSON of a frame. Throws `protocol_error` for what is not UTF-8, not JSON, or nested too deep.
Json parse_message(std::span<const std::byte> frame);

/// Reads the server's side of a request's stream: the reply, then the header.
class ReplyReader {
 public:
  /// `max_header` is the most header bytes taken.
  explicit ReplyReader(std::uint64_t max_header) : max_header_(max_header) {}

  /// Takes the next bytes, of any number. True once reply and header are whole. Throws as Reply::parse, and
  /// `protocol_error` for lengths beyond the limits, before so much has come, and for bytes behind the header.
  bool read(std::span<const std::byte> bytes);

  const Reply& reply() const { return *reply_; }

  /// The header's bytes, once they are whole; call once.
  std::vector<std::byte> take_header() { return std::move(buffer_); }

 private:
  bool fill(std::span<const std::byte>& bytes, std::uint64_t size);

  std::uint64_t max_header_;
  std::optional<std::uint32_t> length_;
  std::optional<Reply> reply_;
  std::vector<std::byte> buffer_;
};

}  // namespace alknet::stream
