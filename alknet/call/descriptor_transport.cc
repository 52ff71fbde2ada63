#include "alknet/call/descriptor_transport.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/loop_asio.h"
#include "alknet/call/engine/high_water.h"
#include "alknet/call/engine/single_stream_transport.h"
#include "alknet/call/error.h"

namespace alknet::call {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::size_t kGatheredBuffers = 64;  // for one system call

// After `close`, a peer that does not read gets no more than this long to take what was written.
constexpr std::chrono::seconds kLinger{5};

Error lost(std::string_view what) { return {CallError::kTransport, std::string(what)}; }

/// The socket and its queues. Handlers of the loop hold it weakly where they must not keep it.
class DescriptorState : public std::enable_shared_from_this<DescriptorState> {
 public:
  DescriptorState(Loop& on, int descriptor, std::size_t mark)
      : loop(on), socket(io_context(on), descriptor), queued(mark) {
    socket.non_blocking(true);
  }

  void start(TransportEvents& to) {
    events = &to;
    wait_readable();
  }

  bool write(SharedBytes bytes) {
    if (closing || !open()) return true;
    const bool room = queued.add(bytes.size());
    if (!bytes.empty()) waiting.push_back(std::move(bytes));
    if (!flush_posted) {
      flush_posted = true;
      loop.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->flush();
      });
    }
    return room;
  }

  void set_reading(bool wanted) {
    reading = wanted;
    if (reading) wait_readable();
  }

  void close(TransportCode, std::string_view why) {
    if (closing || !open()) return;
    closing = true;
    reason = lost(why);
    loop.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->flush();
    });
    loop.post_after(kLinger, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
  }

  /// The user is gone: what was written may still leave, nobody hears of it.
  void abandon() {
    events = nullptr;
    if (!open()) return;
    flush_now();
    socket.close();
  }

 private:
  bool open() const { return socket.is_open(); }

  void wait_readable() {
    if (read_waits || !reading || closing || !open() || events == nullptr) return;
    read_waits = true;
    socket.async_wait(asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](const auto& error) {
      const auto self = weak.lock();
      if (!self) return;
      self->read_waits = false;
      if (!error) self->read();
    });
  }

  void read() {
    if (!reading || closing || !open() || events == nullptr) return;
    // On the stack: idle connections hold no buffer. Whatever is there after this comes in the next turn.
    std::array<std::byte, kReadBytes> bytes;
    const ssize_t count = ::read(socket.native_handle(), bytes.data(), bytes.size());
    if (count > 0) {
      events->received(0, std::span(bytes).first(static_cast<std::size_t>(count)));
    } else if (count == 0) {
      return fail("the peer closed the connection");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      return fail(fmt::format("reading failed: {}", std::generic_category().message(errno)));
    }
    wait_readable();
  }

  void flush() {
    flush_posted = false;
    if (!open() || write_waits) return;
    if (const int error = flush_now(); error != 0) {
      return fail(fmt::format("writing failed: {}", std::generic_category().message(error)));
    }
    if (!waiting.empty()) {
      write_waits = true;
      socket.async_wait(asio::posix::stream_descriptor::wait_write, [weak = weak_from_this()](const auto& error) {
        const auto self = weak.lock();
        if (!self) return;
        self->write_waits = false;
        if (!error) self->flush();
      });
    } else if (closing) {
      return end();
    }
    if (queued.resumes() && events != nullptr) events->writable(0);
  }

  /// Sends until the socket takes no more. Returns an errno that is not about that, or 0.
  int flush_now() {
    while (!waiting.empty()) {
      std::array<iovec, kGatheredBuffers> buffers;
      const std::size_t count = std::min(waiting.size(), buffers.size());
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t skip = i == 0 ? front_sent : 0;
        buffers[i] = {const_cast<std::byte*>(waiting[i].data()) + skip, waiting[i].size() - skip};
      }
      msghdr message{};
      message.msg_iov = buffers.data();
      message.msg_iovlen = count;
      const ssize_t sent = ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
      drop_sent(static_cast<std::size_t>(sent));
    }
    return 0;
  }

  void drop_sent(std::size_t sent) {
    queued.remove(sent);
    front_sent += sent;
    while (!waiting.empty() && front_sent >= waiting.front().size()) {
      front_sent -= waiting.front().size();
      waiting.pop_front();
    }
  }

  void fail(std::string_view why) {
    if (!reason) reason = lost(why);
    end();
  }

  void end() {
    if (!open()) return;
    socket.close();
    waiting.clear();
    if (auto* told = std::exchange(events, nullptr)) told->closed(*reason);
  }

  Loop& loop;
  asio::posix::stream_descriptor socket;
  TransportEvents* events = nullptr;
  std::deque<SharedBytes> waiting;
  std::size_t front_sent = 0;  // of waiting.front()
  HighWater queued;
  bool reading = true;
  bool closing = false;
  bool flush_posted = false;
  bool read_waits = false;
  bool write_waits = false;
  std::optional<Error> reason;
};

using DescriptorTransport = SingleStreamTransport<DescriptorState, Framing::kLengthPrefix>;

}  // namespace

std::unique_ptr<Transport> make_descriptor_transport(Loop& loop, int descriptor, DescriptorOptions options) {
  auto state = std::make_shared<DescriptorState>(loop, descriptor, options.high_water);
  return std::make_unique<DescriptorTransport>(std::move(state), std::move(options.peer));
}

std::pair<int, int> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw io_error("socketpair", "a link to a helper process", errno);
  }
  return {ends[0], ends[1]};
}

}  // namespace alknet::call
