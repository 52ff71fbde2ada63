#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "alknet/call/engine/link.h"

// What the sources of Link share.

namespace alknet::call {

/// One stream of the transport, as the link sees it.
struct Link::Stream {
  Stream(StreamId number, bool opened_by_us, std::size_t max_frame)
      : id(number), ours(opened_by_us), reader(max_frame) {}

  StreamId id;
  bool ours;
  FrameReader reader;
  AttachmentQueue outgoing;
  Clock::time_point heard{};  ///< when something came last, or when we finished it
  std::uint64_t unsent = 0;   ///< bytes written since it was last writable
  std::uint32_t running = 0;  ///< requests that it carries and that have no final answer
  std::uint32_t pauses = 0;   ///< full queues that hold it
  bool writable = true;
  bool reading = false;  ///< inside `read`
  bool finished_by_peer = false;
  bool finished_by_us = false;
  bool gone = false;                                ///< removed when the turn ends
  std::vector<std::weak_ptr<InboundCall>> waiting;  ///< calls whose handlers want room
};

/// One public function of the link. When the outermost returns, what was put off is done.
class Link::Turn {
 public:
  explicit Turn(Link& link) : link_(link) { ++link_.depth_; }
  ~Turn() {
    if (link_.depth_ == 1) link_.settle();
    --link_.depth_;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Link& link_;
};

/// A limit of ours was reached: `name` is its member in LinkLimits.
inline Error limit_reached(std::string_view name, std::uint64_t maximum, std::string_view what) {
  return {CallError::kResourceExhausted, std::string(what), JsonObject{{"limit", name}, {"maximum", maximum}}};
}

/// The same as it travels.
inline WireError limit_answer(std::string_view name, std::uint64_t maximum, std::string_view what) {
  return {"RESOURCE_EXHAUSTED", std::string(what), true, JsonObject{{"limit", name}, {"maximum", maximum}}};
}

}  // namespace alknet::call
