#include "alknet/base/loop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "alknet/base/await.h"

namespace alknet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Loop, RunsWhatIsPostedInOrderOnItsThread) {
  LoopThread thread;
  std::vector<int> order;
  std::promise<std::thread::id> done;
  for (int i = 0; i < 100; ++i) thread.loop().post([&order, i] { order.push_back(i); });
  thread.loop().post([&] { done.set_value(std::this_thread::get_id()); });
  EXPECT_NE(done.get_future().get(), std::this_thread::get_id());
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(Loop, RunsTimersInTheOrderOfTheirTimes) {
  LoopThread thread;
  std::vector<int> order;
  std::promise<void> done;
  thread.loop().post([&] {
    thread.loop().post_after(milliseconds(20), [&] {
      order.push_back(2);
      done.set_value();
    });
    thread.loop().post_after(milliseconds(5), [&] { order.push_back(1); });
  });
  done.get_future().get();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(Loop, ACancelledTimerDropsItsCallback) {
  LoopThread thread;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  const TimerId timer = thread.loop().post_after(hours(1), [owned = std::move(owned)] {});
  EXPECT_FALSE(watched.expired());
  EXPECT_TRUE(thread.loop().cancel(timer));
  EXPECT_TRUE(watched.expired());
  EXPECT_FALSE(thread.loop().cancel(timer));
}

TEST(Loop, ATaskResumesOnItAfterASleep) {
  LoopThread thread;
  const auto task = []() -> Task<bool> {
    co_await sleep_for(milliseconds(1));
    co_return true;
  };
  EXPECT_TRUE(wait_for(thread.loop(), task()));
}

TEST(Loop, ItsEndDropsWhatWaits) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  {
    Loop loop;
    loop.post([owned] {});
    loop.post_after(hours(1), [owned = std::move(owned)] {});
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace alknet
