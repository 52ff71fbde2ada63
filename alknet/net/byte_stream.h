#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"

namespace alknet::net {

/// Who is at the other end of a ByteStream, as far as it is proved.
struct StreamPeer {
  std::string address;                          ///< "127.0.0.1:4433", "[::1]:80" or "unix:PATH"
  bool loopback = false;                        ///< on this machine
  bool secure = false;                          ///< TLS
  bool same_user = false;                       ///< a Unix socket whose other end runs as our user
  std::string alpn;                             ///< the protocol that TLS agreed on; empty when none
  std::optional<std::string> fingerprint;       ///< "sha256:HEX" of the peer's certificate
  std::optional<std::string> certificate_name;  ///< its common name, when a CA that we trust signed it
};

/// An ordered, reliable sequence of bytes in each direction: TCP, TLS or a Unix socket. Used on its loop's thread only.
///
/// Handlers are called on the loop, never inside a function of this class; after `close` and after the destructor with
/// `std::errc::operation_canceled`. So a handler must not assume that its owner still lives.
class ByteStream {
 public:
  using ReadHandler = std::function<void(const std::error_code& error, std::span<const std::byte> bytes)>;
  using DoneHandler = std::function<void(const std::error_code& error)>;

  /// Closes at once.
  virtual ~ByteStream() = default;

  /// Gives the next bytes, valid until the next `read`; none without an error when the peer sends no more. One at a
  /// time.
  virtual void read(ReadHandler handler) = 0;

  /// Puts bytes back, to be read next. Not while a read is pending.
  virtual void unread(std::span<const std::byte> bytes) = 0;

  /// Sends all bytes, gathered. One at a time.
  virtual void write(std::vector<SharedBytes> bytes, DoneHandler handler) = 0;

  /// Tells the peer that no more bytes follow. After all writes.
  virtual void shutdown(DoneHandler handler) = 0;

  /// Ends both directions at once. May be called again.
  virtual void close() = 0;

  virtual const StreamPeer& peer() const = 0;
};

/// `read` for coroutines. Throws `connection_lost` with `where` in its message.
Task<std::span<const std::byte>> read_some(ByteStream& stream, std::string where);

/// `write` for coroutines. Throws `connection_lost`.
Task<void> write_all(ByteStream& stream, std::vector<SharedBytes> bytes, std::string where);

/// Tells the peer that no more bytes follow; a peer that is gone is no error here.
Task<void> shut_down(ByteStream& stream);

}  // namespace alknet::net
