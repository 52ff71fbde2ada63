#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "alknet/base/loop.h"
#include "alknet/call/engine/transport.h"

namespace alknet::call {

struct DescriptorOptions {
  PeerCredentials peer;

  /// `write` answers false while more than this waits to be sent.
  std::size_t high_water = std::size_t{1} << 20;
};

/// A transport with one stream over a connected stream socket, which it takes over and makes non-blocking: a socket
/// pair's end, a Unix socket, plain TCP. What one turn of the loop writes leaves in one system call. Bytes are read 64
/// KiB at a time.
std::unique_ptr<Transport> make_descriptor_transport(Loop& loop, int descriptor, DescriptorOptions options = {});

/// Two connected stream sockets of this process, for a helper that inherits one. Both are closed on exec unless the
/// caller clears that flag. Throws `io_error`.
std::pair<int, int> make_socket_pair();

}  // namespace alknet::call
