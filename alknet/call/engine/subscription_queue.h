#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "alknet/base/message.h"

namespace alknet::call {

/// Items and bytes: a size, or what may still be sent.
struct Window {
  std::int64_t items = 0;
  std::int64_t bytes = 0;

  bool operator==(const Window&) const = default;
};

/// What the handler's side may send of a subscription before the receiver takes some. The last item that fits may be
/// larger than what is left.
class SendWindow {
 public:
  explicit SendWindow(Window initial) : left_(initial) {}

  bool open() const { return left_.items > 0 && left_.bytes > 0; }
  void sent(std::uint64_t bytes);

  /// Credit saturates: a peer cannot make the numbers overflow.
  void add(const Window& credit);

  const Window& left() const { return left_; }

 private:
  Window left_;
};

/// The unread items of a subscription, in the order in which they came, also when the bytes of one are still on their
/// way. Counts what the reader took, to give as credit.
class SubscriptionQueue {
 public:
  explicit SubscriptionQueue(Window limit) : limit_(limit) {}

  /// Whether one more item would pass the limit.
  bool full() const { return held_.items >= limit_.items || held_.bytes >= limit_.bytes; }

  /// Whether there is room for half of what there may be.
  bool half_empty() const { return held_.items <= limit_.items / 2 && held_.bytes <= limit_.bytes / 2; }

  /// Takes an item of `bytes` on the wire.
  void push(Message item, std::uint64_t bytes);

  /// Keeps the place of an item that is not whole yet; `fill` puts it there, while `take` waits for it.
  std::uint64_t reserve(std::uint64_t bytes);
  void fill(std::uint64_t place, Message item);

  /// The next item, when it is whole.
  std::optional<Message> take();

  bool empty() const { return items_.empty(); }

  /// Items whose place is kept and that are not there.
  std::size_t unfilled() const { return unfilled_; }

  /// Drops the first item that is not whole and all behind it.
  void drop_unfilled();
  bool readable() const { return !items_.empty() && items_.front().message.has_value(); }
  const Window& held() const { return held_; }

  /// What was taken since the last credit once it is half of the limit, and counts from zero again.
  std::optional<Window> credit();

 private:
  struct Item {
    std::optional<Message> message;
    std::uint64_t bytes;
  };

  Window limit_;
  Window held_;
  Window taken_;
  std::deque<Item> items_;
  std::uint64_t first_ = 0;  // the place of items_.front()
  std::size_t unfilled_ = 0;
};

}  // namespace alknet::call
