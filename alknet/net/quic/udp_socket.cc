#include "alknet/net/quic/udp_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "alknet/base/loop_asio.h"
#include "alknet/call/error.h"

namespace alknet::net::quic {

namespace {

constexpr std::size_t kInboxMessages = 8;
constexpr std::size_t kInboxBytes = 65'536;      // what UDP_GRO may join
constexpr std::size_t kArenaBytes = 4 * 65'536;  // what leaves by one sendmmsg
constexpr std::size_t kMostSegments = 64;        // UDP_MAX_SEGMENTS of older kernels
constexpr std::size_t kMostBatchBytes = 65'487;  // one IP packet
constexpr int kKernelBufferBytes = 8 << 20;

void set_option(int socket, int level, int name, int value) {
  // Each option makes things faster or nicer; none is needed, so a kernel without it is served as well.
  static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

int open_socket(const SocketAddress& address) {
  const int socket = ::socket(address.is_ipv6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    throw Error(call::CallError::kTransport, fmt::format("[quic] no socket: {}", std::strerror(errno)));
  }
  set_option(socket, SOL_SOCKET, SO_RCVBUF, kKernelBufferBytes);
  set_option(socket, SOL_SOCKET, SO_SNDBUF, kKernelBufferBytes);
  set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, kKernelBufferBytes);
  set_option(socket, SOL_SOCKET, SO_SNDBUFFORCE, kKernelBufferBytes);
  set_option(socket, SOL_UDP, UDP_GRO, 1);
  if (address.is_ipv6()) {
    set_option(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  } else {
    set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  }
  if (::bind(socket, static_cast<const sockaddr*>(address.data()), static_cast<socklen_t>(address.size())) != 0) {
    const int problem = errno;
    ::close(socket);
    throw Error(call::CallError::kTransport,
                fmt::format("[quic] cannot bind UDP {}: {}{}", address.text(), std::strerror(problem),
                            problem == EADDRINUSE ? "; another program has it, choose another port" : ""),
                JsonObject{{"errno", problem}});
  }
  return socket;
}

}  // namespace

class UdpSocket::Memory final : public boost::asio::execution_context::service {
 public:
  using key_type = Memory;
  static inline boost::asio::execution_context::id id;  // NOLINT: Asio finds the service by it
  explicit Memory(boost::asio::execution_context& context) : service(context) {}

  /// Where a batch is received; in use only inside `receive`.
  struct Inbox {
    std::array<mmsghdr, kInboxMessages> headers{};
    std::array<iovec, kInboxMessages> vectors{};
    std::array<SocketAddress, kInboxMessages> from{};
    alignas(cmsghdr) std::array<std::array<char, CMSG_SPACE(sizeof(int))>, kInboxMessages> controls{};
    std::unique_ptr<std::byte[]> bytes{new std::byte[kInboxMessages * kInboxBytes]};  // not touched before it is used
  };
  Inbox inbox;

  /// An arena for what is queued; pages of it that no datagram reaches stay untouched.
  std::unique_ptr<std::uint8_t[]> take_arena() {
    if (spare_) return std::move(spare_);
    return std::unique_ptr<std::uint8_t[]>(new std::uint8_t[kArenaBytes]);
  }
  void give_back(std::unique_ptr<std::uint8_t[]> arena) { spare_ = std::move(arena); }

 private:
  void shutdown() override {}

  std::unique_ptr<std::uint8_t[]> spare_;
};

UdpSocket::UdpSocket(Loop& loop, const SocketAddress& address)
    : descriptor_(io_context(loop), open_socket(address)), memory_(boost::asio::use_service<Memory>(io_context(loop))) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&bound), &size);
  address_ = SocketAddress::of(&bound, size);
}

void UdpSocket::connect(const SocketAddress& peer) {
  connected_ = ::connect(descriptor_.native_handle(), static_cast<const sockaddr*>(peer.data()),
                         static_cast<socklen_t>(peer.size())) == 0;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&bound), &size);
  address_ = SocketAddress::of(&bound, size);
}

bool UdpSocket::receive(FunctionRef<void(const Datagram&)> take, FunctionRef<void()> refused) {
  Memory::Inbox& inbox = memory_.inbox;
  for (std::size_t i = 0; i < kInboxMessages; ++i) {
    inbox.vectors[i] = {inbox.bytes.get() + i * kInboxBytes, kInboxBytes};
    msghdr& header = inbox.headers[i].msg_hdr;
    header.msg_name = inbox.from[i].data();
    header.msg_namelen = static_cast<socklen_t>(SocketAddress::capacity());
    header.msg_iov = &inbox.vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = inbox.controls[i].data();
    header.msg_controllen = inbox.controls[i].size();
    header.msg_flags = 0;
  }
  const int count =
      ::recvmmsg(descriptor_.native_handle(), inbox.headers.data(), kInboxMessages, MSG_DONTWAIT, nullptr);
  if (count <= 0) {
    if (count < 0 && errno == ECONNREFUSED) refused();
    return false;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    msghdr& header = inbox.headers[i].msg_hdr;
    inbox.from[i].set_size(header.msg_namelen);
    std::span<const std::byte> bytes(inbox.bytes.get() + i * kInboxBytes, inbox.headers[i].msg_len);
    std::size_t segment = bytes.size();
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
      if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
      int joined = 0;
      std::memcpy(&joined, CMSG_DATA(control), sizeof joined);
      if (joined > 0) segment = static_cast<std::size_t>(joined);
    }
    while (!bytes.empty()) {
      const std::size_t size = std::min(segment, bytes.size());
      take({bytes.first(size), inbox.from[i]});
      bytes = bytes.subspan(size);
    }
  }
  return static_cast<std::size_t>(count) == kInboxMessages;
}

void UdpSocket::wait_receivable(std::function<void()> ready) {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [ready = std::move(ready)](const boost::system::error_code& error) {
                           if (!error) ready();
                         });
}

void UdpSocket::wait_sendable(std::function<void()> ready) {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                         [ready = std::move(ready)](const boost::system::error_code& error) {
                           if (!error) ready();
                         });
}

std::span<std::uint8_t> UdpSocket::space(std::size_t size) {
  if (kArenaBytes - used_ < size) flush();
  if (kArenaBytes - used_ < size) {
    batches_.clear();
    used_ = 0;
  }
  if (!arena_) arena_ = memory_.take_arena();
  return {arena_.get() + used_, size};
}

void UdpSocket::queue(std::size_t size, const SocketAddress& to) {
  if (!batches_.empty()) {
    Batch& last = batches_.back();
    if (last.open && segmentation_ && size <= last.segment && last.segments < kMostSegments &&
        last.size + size <= kMostBatchBytes && last.to == to) {
      last.size += size;
      ++last.segments;
      last.open = size == last.segment;
      used_ += size;
      return;
    }
  }
  batches_.push_back({used_, size, size, 1, to, true});
  used_ += size;
}

std::size_t UdpSocket::send(std::span<Batch> batches, int& problem) {
  constexpr std::size_t kMost = 16;
  std::array<mmsghdr, kMost> headers{};
  std::array<iovec, kMost> vectors{};
  alignas(cmsghdr) std::array<std::array<char, CMSG_SPACE(sizeof(std::uint16_t))>, kMost> controls{};
  const std::size_t count = std::min(batches.size(), kMost);
  for (std::size_t i = 0; i < count; ++i) {
    Batch& batch = batches[i];
    vectors[i] = {arena_.get() + batch.begin, batch.size};
    msghdr& header = headers[i].msg_hdr;
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    if (!connected_) {
      header.msg_name = batch.to.data();
      header.msg_namelen = static_cast<socklen_t>(batch.to.size());
    }
    if (batch.segments > 1) {
      header.msg_control = controls[i].data();
      header.msg_controllen = controls[i].size();
      cmsghdr* control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = SOL_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto segment = static_cast<std::uint16_t>(batch.segment);
      std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
    }
  }
  const int sent = ::sendmmsg(descriptor_.native_handle(), headers.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
  problem = sent < 0 ? errno : 0;
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void UdpSocket::send_singly(const Batch& batch) {
  for (std::size_t at = 0; at < batch.size; at += batch.segment) {
    Batch one{batch.begin + at, std::min(batch.segment, batch.size - at), batch.segment, 1, batch.to, false};
    int problem = 0;
    send({&one, 1}, problem);
  }
}

void UdpSocket::flush() {
  std::size_t done = 0;
  while (done < batches_.size() && !full_) {
    int problem = 0;
    const std::size_t sent = send(std::span(batches_).subspan(done), problem);
    done += sent;
    if (sent > 0 || problem == EINTR) continue;
    if (problem == EAGAIN || problem == EWOULDBLOCK || problem == ENOBUFS) {
      full_ = true;
    } else if (batches_[done].segments > 1) {
      // The device or the kernel does not segment; a path with a smaller limit than a datagram is found out singly too.
      if (problem == EIO || problem == EINVAL) segmentation_ = false;
      send_singly(batches_[done++]);
    } else {
      ++done;
    }
  }
  batches_.erase(batches_.begin(), batches_.begin() + static_cast<std::ptrdiff_t>(done));
  if (!batches_.empty()) return;
  used_ = 0;
  if (arena_) memory_.give_back(std::move(arena_));
}

}  // namespace alknet::net::quic
