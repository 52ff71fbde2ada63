#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/base/loop.h"
#include "alknet/net/address.h"

namespace alknet::net::quic {

/// A UDP socket that receives and sends many datagrams by one system call: recvmmsg with UDP_GRO, sendmmsg with
/// UDP_SEGMENT where the kernel has them. It never blocks. One thread.
class UdpSocket {
 public:
  struct Datagram {
    std::span<const std::byte> bytes;
    const SocketAddress& from;
  };

  /// Binds `address`. Throws `transport` when the port is in use or the address is not of this machine.
  UdpSocket(Loop& loop, const SocketAddress& address);

  /// Where it is bound.
  const SocketAddress& address() const { return address_; }

  /// Lets it talk to one peer only, which makes sending faster and tells of a peer that does not listen.
  void connect(const SocketAddress& peer);

  /// Calls `take` for the datagrams that are there, at most a batch of them. True when there may be more.
  /// `refused` is called when the kernel reports that nobody listens at a connected peer's port.
  bool receive(FunctionRef<void(const Datagram&)> take, FunctionRef<void()> refused);

  /// Calls `ready` once when something can be received, or, for `wait_sendable`, when a full socket takes bytes again:
  /// possibly just after the socket was destroyed.
  void wait_receivable(std::function<void()> ready);
  void wait_sendable(std::function<void()> ready);

  /// Room for a datagram of at most `size` bytes (<= kLargestDatagram), which `queue` then sends; what was queued may
  /// leave to make it, or be lost where the kernel's buffer is full.
  std::span<std::uint8_t> space(std::size_t size);

  /// Queues the first `size` bytes of the last `space` for `to`.
  void queue(std::size_t size, const SocketAddress& to);

  /// Sends what is queued. Datagrams that the kernel refuses for good (too large for the path, no route) are dropped,
  /// as the network may do.
  void flush();

  /// The kernel's buffer is full: nothing leaves until `set_room`, which belongs after `wait_sendable`.
  bool is_full() const { return full_; }
  void set_room() { full_ = false; }

  /// The largest payload of a UDP datagram that we make or take.
  static constexpr std::size_t kLargestDatagram = 65'487;

 private:
  /// Datagrams to one address behind each other in the arena; all but the last have `segment` bytes.
  struct Batch {
    std::size_t begin;
    std::size_t size;
    std::size_t segment;
    std::size_t segments;
    SocketAddress to;
    bool open;  ///< the last datagram has `segment` bytes, so another may follow
  };

  std::size_t send(std::span<Batch> batches, int& problem);
  void send_singly(const Batch& batch);

  /// What the sockets of one loop use in turn, so that an idle one holds no buffers.
  class Memory;

  boost::asio::posix::stream_descriptor descriptor_;
  Memory& memory_;
  SocketAddress address_;
  bool connected_ = false;
  bool full_ = false;
  bool segmentation_ = true;
  std::unique_ptr<std::uint8_t[]> arena_;  ///< While something is queued.
  std::size_t used_ = 0;
  std::vector<Batch> batches_;
};

}  // namespace alknet::net::quic
