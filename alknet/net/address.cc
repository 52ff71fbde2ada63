#include "alknet/net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <cstring>
#include <memory>

#include "alknet/base/await.h"
#include "alknet/base/loop_asio.h"
#include "alknet/call/error.h"

namespace alknet::net {

static_assert(SocketAddress::capacity() >= sizeof(sockaddr_in6));

std::string HostPort::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

HostPort parse_host_port(std::string_view text, std::uint16_t default_port) {
  const auto refuse = [&](std::string_view problem) -> Error {
    return {call::CallError::kConfiguration,
            fmt::format("[address] `{}`: {}; write host:port or [ipv6]:port", text, problem)};
  };
  HostPort place;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) throw refuse("the bracket is not closed");
    place.host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) throw refuse("a port must follow the bracket");
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    place.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (place.host.empty()) throw refuse("the host is missing");
  if (port.empty()) {
    if (default_port == 0) throw refuse("the port is missing");
    place.port = default_port;
    return place;
  }
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (problem != std::errc() || end != port.data() + port.size()) throw refuse("the port is no number below 65536");
  return place;
}

SocketAddress SocketAddress::of(const HostPort& place) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(place.port);
  if (::inet_pton(AF_INET, place.host.c_str(), &v4.sin_addr) == 1) return of(&v4, sizeof v4);
  if (::inet_pton(AF_INET6, place.host.c_str(), &v6.sin6_addr) == 1) return of(&v6, sizeof v6);
  throw Error(call::CallError::kConfiguration,
              fmt::format("[address] `{}` is no IP address; an address to listen on is a number, such as 127.0.0.1",
                          place.host));
}

SocketAddress SocketAddress::of(const void* sockaddr, std::size_t size) {
  SocketAddress address;
  address.size_ = std::min(size, capacity());
  std::memcpy(address.bytes_.data(), sockaddr, address.size_);
  return address;
}

bool SocketAddress::is_ipv6() const {
  sa_family_t family = 0;
  std::memcpy(&family, bytes_.data() + offsetof(sockaddr, sa_family), sizeof family);
  return family == AF_INET6;
}

std::uint16_t SocketAddress::port() const {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  in_port_t port = 0;
  std::memcpy(&port, bytes_.data() + offsetof(sockaddr_in, sin_port), sizeof port);
  return ntohs(port);
}

bool SocketAddress::is_loopback() const {
  if (!is_ipv6()) return size_ > 0 && bytes_[offsetof(sockaddr_in, sin_addr)] == std::byte{127};
  return std::memcmp(bytes_.data() + offsetof(sockaddr_in6, sin6_addr), &in6addr_loopback, sizeof(in6_addr)) == 0;
}

std::string SocketAddress::text() const {
  if (size_ == 0) return "(no address)";
  std::array<char, INET6_ADDRSTRLEN> number{};
  const auto* from = bytes_.data() + (is_ipv6() ? offsetof(sockaddr_in6, sin6_addr) : offsetof(sockaddr_in, sin_addr));
  ::inet_ntop(is_ipv6() ? AF_INET6 : AF_INET, from, number.data(), number.size());
  return HostPort{number.data(), port()}.text();
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return size_ == other.size_ && std::memcmp(bytes_.data(), other.bytes_.data(), size_) == 0;
}

Task<SocketAddress> resolve(Loop& loop, HostPort place) {
  using boost::asio::ip::tcp;
  Completion<SocketAddress> done;
  auto resolver = std::make_shared<tcp::resolver>(io_context(loop));
  resolver->async_resolve(
      place.host, std::to_string(place.port), tcp::resolver::numeric_service,
      [done, resolver, name = place.text()](const boost::system::error_code& error,
                                            const tcp::resolver::results_type& found) mutable {
        if (error || found.empty()) {
          done.set_error(std::make_exception_ptr(
              Error(call::CallError::kTransport, fmt::format("[resolve] {}: no address ({})", name, error.message()))));
          return;
        }
        const auto endpoint = found.begin()->endpoint();
        done.set_value(SocketAddress::of(endpoint.data(), endpoint.size()));
      });
  co_return co_await done.wait();
}

}  // namespace alknet::net
