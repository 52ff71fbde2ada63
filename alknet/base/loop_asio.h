#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "alknet/base/loop.h"

namespace alknet {

/// What a Loop is made of. Included by the sources that wait on sockets, never by a public header.
struct Loop::State {
  struct Timer {
    boost::asio::steady_timer timer;
    Callback callback;
  };

  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::unique_ptr<Timer>> timers;
  std::uint64_t last_timer = 0;
  boost::asio::io_context io{1};  // goes first: the tasks that it drops cancel their timers
};

inline boost::asio::io_context& io_context(Loop& loop) { return loop.state().io; }

}  // namespace alknet
