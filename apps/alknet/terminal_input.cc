#include "apps/alknet/terminal_input.h"

#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "alknet/base/loop_asio.h"

namespace alknet::app {

struct TerminalInput::Descriptor {
  boost::asio::posix::stream_descriptor stream;
};

TerminalInput::TerminalInput(Loop& loop)
    : descriptor_(std::make_unique<Descriptor>(
          Descriptor{boost::asio::posix::stream_descriptor(io_context(loop), ::dup(STDIN_FILENO))})) {}

TerminalInput::~TerminalInput() = default;

void TerminalInput::when_readable(std::function<void()> then) {
  descriptor_->stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                                 [then = std::move(then)](const boost::system::error_code& error) {
                                   if (error != boost::asio::error::operation_aborted) then();
                                 });
}

}  // namespace alknet::app
