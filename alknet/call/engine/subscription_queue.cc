#include "alknet/call/engine/subscription_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace alknet::call {

namespace {

constexpr std::int64_t kMostCredit = std::numeric_limits<std::int64_t>::max() / 4;

std::int64_t raised(std::int64_t left, std::int64_t more) {
  return std::min(kMostCredit, left + std::clamp<std::int64_t>(more, 0, kMostCredit));
}

}  // namespace

void SendWindow::sent(std::uint64_t bytes) {
  left_.items -= 1;
  left_.bytes -= static_cast<std::int64_t>(bytes);
}

void SendWindow::add(const Window& credit) {
  left_.items = raised(left_.items, credit.items);
  left_.bytes = raised(left_.bytes, credit.bytes);
}

void SubscriptionQueue::push(Message item, std::uint64_t bytes) { fill(reserve(bytes), std::move(item)); }

std::uint64_t SubscriptionQueue::reserve(std::uint64_t bytes) {
  items_.push_back({std::nullopt, bytes});
  held_.items += 1;
  held_.bytes += static_cast<std::int64_t>(bytes);
  ++unfilled_;
  return first_ + items_.size() - 1;
}

void SubscriptionQueue::fill(std::uint64_t place, Message item) {
  if (place < first_ || place - first_ >= items_.size()) return;  // dropped
  items_[place - first_].message = std::move(item);
  --unfilled_;
}

std::optional<Message> SubscriptionQueue::take() {
  if (!readable()) return std::nullopt;
  Item item = std::move(items_.front());
  items_.pop_front();
  ++first_;
  const auto bytes = static_cast<std::int64_t>(item.bytes);
  held_.items -= 1;
  held_.bytes -= bytes;
  taken_.items += 1;
  taken_.bytes += bytes;
  return std::move(item.message);
}

std::optional<Window> SubscriptionQueue::credit() {
  if (taken_.items < std::max<std::int64_t>(1, limit_.items / 2) && taken_.bytes < limit_.bytes / 2) {
    return std::nullopt;
  }
  return std::exchange(taken_, Window{});
}

void SubscriptionQueue::drop_unfilled() {
  const auto first = std::find_if(items_.begin(), items_.end(), [](const Item& item) { return !item.message; });
  for (auto item = first; item != items_.end(); ++item) {
    held_.items -= 1;
    held_.bytes -= static_cast<std::int64_t>(item->bytes);
  }
  items_.erase(first, items_.end());
  unfilled_ = 0;
}

}  // namespace alknet::call
