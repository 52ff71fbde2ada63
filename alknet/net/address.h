#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "alknet/base/loop.h"
#include "alknet/base/task.h"

namespace alknet::net {

/// A host, by name or number, and a port, as a user writes them.
struct HostPort {
  std::string host;  ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;

  HostPort() = default;
  HostPort(std::string name, std::uint16_t number) : host(std::move(name)), port(number) {}

  /// "host:port", with brackets around an IPv6 address.
  std::string text() const;
};

/// Reads "host:port" or "[ipv6]:port"; the port may be missing when `default_port` is not 0. Throws `configuration`.
HostPort parse_host_port(std::string_view text, std::uint16_t default_port = 0);

/// An IP address with a port, as sockets want it (a sockaddr).
class SocketAddress {
 public:
  /// No address.
  SocketAddress() = default;

  /// The address that `host` (an IPv4 or IPv6 number) and `port` mean. Throws `configuration` when host is a name.
  static SocketAddress of(const HostPort& place);

  /// Copies a sockaddr of `size` bytes.
  static SocketAddress of(const void* sockaddr, std::size_t size);

  const void* data() const { return bytes_.data(); }
  void* data() { return bytes_.data(); }
  std::size_t size() const { return size_; }
  void set_size(std::size_t size) { size_ = size; }
  static constexpr std::size_t capacity() { return 28; }

  bool is_ipv6() const;
  std::uint16_t port() const;
  bool is_loopback() const;

  /// "127.0.0.1:4433" or "[::1]:4433".
  std::string text() const;

  bool operator==(const SocketAddress& other) const;

 private:
  alignas(8) std::array<std::byte, 28> bytes_{};
  std::size_t size_ = 0;
};

/// The first address of a host; a name is looked up without blocking the loop, which the task must run on. Throws
/// `transport` when there is none.
Task<SocketAddress> resolve(Loop& loop, HostPort place);

}  // namespace alknet::net
