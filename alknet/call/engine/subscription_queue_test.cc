#include "alknet/call/engine/subscription_queue.h"

#include <gtest/gtest.h>

#include <limits>

namespace alknet::call {
namespace {

Message item(int number) { return {Json(number), {}}; }

int number_of(const std::optional<Message>& message) {
  return message ? static_cast<int>(message->value.as_int64()) : -1;
}

TEST(SubscriptionQueue, GivesItemsInOrderAndIsFullByItemsOrBytes) {
  SubscriptionQueue queue({3, 100});
  queue.push(item(1), 10);
  queue.push(item(2), 10);
  EXPECT_FALSE(queue.full());
  queue.push(item(3), 10);
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(number_of(queue.take()), 1);
  EXPECT_FALSE(queue.full());
  queue.push(item(4), 100);
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(number_of(queue.take()), 2);
  EXPECT_TRUE(queue.full()) << "the bytes are still there";
  EXPECT_FALSE(queue.half_empty());
  EXPECT_EQ(number_of(queue.take()), 3);
  EXPECT_EQ(number_of(queue.take()), 4);
  EXPECT_EQ(number_of(queue.take()), -1);
  EXPECT_TRUE(queue.half_empty());
  EXPECT_EQ(queue.held(), (Window{0, 0}));
}

TEST(SubscriptionQueue, KeepsThePlaceOfAnItemThatIsNotWhole) {
  SubscriptionQueue queue({10, 100});
  const auto first = queue.reserve(5);
  const auto second = queue.reserve(5);
  queue.push(item(3), 5);
  EXPECT_FALSE(queue.readable());
  EXPECT_EQ(queue.unfilled(), 2U);
  queue.fill(second, item(2));
  EXPECT_FALSE(queue.readable());
  queue.fill(first, item(1));
  EXPECT_EQ(queue.unfilled(), 0U);
  for (int expected = 1; expected <= 3; ++expected) EXPECT_EQ(number_of(queue.take()), expected);
}

TEST(SubscriptionQueue, DropsFromTheFirstItemThatIsNotWhole) {
  SubscriptionQueue queue({10, 100});
  queue.push(item(1), 5);
  const auto place = queue.reserve(5);
  queue.push(item(3), 5);
  queue.drop_unfilled();
  queue.fill(place, item(2));
  EXPECT_EQ(queue.held(), (Window{1, 5}));
  EXPECT_EQ(number_of(queue.take()), 1);
  EXPECT_TRUE(queue.empty());
}

TEST(SubscriptionQueue, GivesCreditForHalfAWindow) {
  SubscriptionQueue queue({4, 1000});
  for (int i = 0; i < 4; ++i) queue.push(item(i), 10);
  queue.take();
  EXPECT_EQ(queue.credit(), std::nullopt);
  queue.take();
  EXPECT_EQ(queue.credit(), (Window{2, 20}));
  EXPECT_EQ(queue.credit(), std::nullopt);
  queue.push(item(5), 600);
  for (int i = 0; i < 3; ++i) queue.take();
  EXPECT_EQ(queue.credit(), (Window{3, 620}));
}

TEST(SendWindow, ClosesByItemsOrBytesAndAllowsOneItemBeyondTheBytes) {
  SendWindow window({2, 100});
  EXPECT_TRUE(window.open());
  window.sent(1'000);
  EXPECT_FALSE(window.open());
  window.add({0, 901});
  EXPECT_TRUE(window.open());
  window.sent(1);
  EXPECT_FALSE(window.open()) << "no items left";
  window.add({1, 1});
  EXPECT_TRUE(window.open());
}

TEST(SendWindow, DoesNotOverflowByCredit) {
  SendWindow window({1, 1});
  const auto most = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 10; ++i) window.add({most, most});
  EXPECT_TRUE(window.open());
  window.add({-5, std::numeric_limits<std::int64_t>::min()});
  EXPECT_TRUE(window.open()) << "credit is never negative";
}

}  // namespace
}  // namespace alknet::call
