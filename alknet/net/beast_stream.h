#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "alknet/base/loop_asio.h"
#include "alknet/net/byte_stream.h"

namespace alknet::net {

/// A ByteStream as Boost.Beast wants its lower layer (AsyncStream), so that Beast's templates are compiled once for TCP
/// and TLS. Included by websocket.cc only.
class BeastStream {
 public:
  using executor_type = boost::asio::io_context::executor_type;  // NOLINT(readability-identifier-naming): Asio's names

  BeastStream(Loop& loop, std::unique_ptr<ByteStream> stream)
      : executor_(io_context(loop).get_executor()), shared_(std::make_shared<Shared>(std::move(stream))) {}
  BeastStream(BeastStream&&) = default;
  BeastStream& operator=(BeastStream&&) = default;
  ~BeastStream() {
    if (shared_) shared_->stream.reset();  // from now on handlers leave Beast's buffers alone
  }

  executor_type get_executor() const { return executor_; }  // NOLINT(readability-identifier-naming)
  void close() {
    if (shared_->stream) shared_->stream->close();
  }
  ByteStream& stream() { return *shared_->stream; }

  template <typename Buffers, typename Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {  // NOLINT(readability-identifier-naming)
    return boost::asio::async_initiate<Handler, void(boost::system::error_code, std::size_t)>(
        [](auto done, auto* self, const Buffers& into) { self->read(into, std::move(done)); }, handler, this, buffers);
  }

  template <typename Buffers, typename Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {  // NOLINT(readability-identifier-naming)
    return boost::asio::async_initiate<Handler, void(boost::system::error_code, std::size_t)>(
        [](auto done, auto* self, const Buffers& from) { self->write(from, std::move(done)); }, handler, this, buffers);
  }

 private:
  struct Shared {
    explicit Shared(std::unique_ptr<ByteStream> made) : stream(std::move(made)) {}
    std::unique_ptr<ByteStream> stream;
  };

  template <typename Buffers, typename Done>
  void read(const Buffers& into, Done done) {
    if (boost::asio::buffer_size(into) == 0) {
      boost::asio::post(executor_,
                        [done = std::move(done)]() mutable { done(boost::system::error_code(), std::size_t{0}); });
      return;
    }
    const auto held = std::make_shared<Done>(std::move(done));
    shared_->stream->read(
        [held, into, shared = shared_](const std::error_code& error, std::span<const std::byte> bytes) {
          boost::system::error_code code;
          std::size_t size = 0;
          if (!shared->stream) {
            code = boost::asio::error::operation_aborted;
          } else if (error) {
            code = boost::asio::error::connection_reset;
          } else if (bytes.empty()) {
            code = boost::asio::error::eof;
          } else {
            size = boost::asio::buffer_copy(into, boost::asio::buffer(bytes.data(), bytes.size()));
            if (size < bytes.size()) shared->stream->unread(bytes.subspan(size));
          }
          std::move (*held)(code, size);
        });
  }

  template <typename Buffers, typename Done>
  void write(const Buffers& from, Done done) {
    const std::size_t size = boost::asio::buffer_size(from);
    std::vector<std::byte> copy(size);
    boost::asio::buffer_copy(boost::asio::buffer(copy.data(), copy.size()), from);
    const auto held = std::make_shared<Done>(std::move(done));
    std::vector<SharedBytes> bytes{SharedBytes::take(std::move(copy))};
    shared_->stream->write(std::move(bytes), [held, size, shared = shared_](const std::error_code& error) {
      boost::system::error_code code;
      if (!shared->stream) code = boost::asio::error::operation_aborted;
      if (error) code = boost::asio::error::connection_reset;
      std::move (*held)(code, code ? 0 : size);
    });
  }

  executor_type executor_;
  std::shared_ptr<Shared> shared_;
};

/// How Beast ends a connection (found by argument-dependent lookup).
inline void beast_close_socket(BeastStream& stream) { stream.close(); }
inline void teardown(boost::beast::role_type, BeastStream& stream, boost::system::error_code& error) {
  error = {};
  stream.close();
}
template <typename Handler>
void async_teardown(boost::beast::role_type, BeastStream& stream, Handler&& handler) {
  stream.close();
  boost::asio::post(stream.get_executor(),
                    [done = std::forward<Handler>(handler)]() mutable { done(boost::system::error_code()); });
}

}  // namespace alknet::net
