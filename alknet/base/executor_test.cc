#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/manual_executor.h"
#include "alknet/base/pool_executor.h"

namespace alknet {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Callback, OwnsWhatItCapturesAndReleasesItAfterTheCall) {
  auto owned = std::make_unique<int>(7);
  int seen = 0;
  Callback callback = [&seen, owned = std::move(owned)] { seen = *owned; };
  Callback moved = std::move(callback);
  EXPECT_FALSE(callback);
  moved();
  EXPECT_EQ(seen, 7);
  EXPECT_FALSE(moved);
}

TEST(ManualExecutor, RunsInOrderAndOnlyWhenTold) {
  ManualExecutor executor;
  std::string order;
  executor.post([&] {
    order += 'a';
    executor.post([&] { order += 'c'; });
  });
  executor.post([&] { order += 'b'; });
  EXPECT_EQ(order, "");
  EXPECT_EQ(executor.run_ready(), 3U);
  EXPECT_EQ(order, "abc");
}

TEST(ManualExecutor, RunsTimersAtTheirTimes) {
  ManualExecutor executor;
  const auto start = executor.now();
  std::vector<Executor::Clock::duration> at;
  const auto note = [&] { at.push_back(executor.now() - start); };
  executor.post_after(seconds(3), note);
  executor.post_after(seconds(1), [&] {
    note();
    executor.post_after(seconds(1), note);
  });
  EXPECT_EQ(executor.advance(milliseconds(999)), 0U);
  EXPECT_EQ(executor.timers(), 2U);
  EXPECT_EQ(executor.advance(seconds(10)), 3U);
  EXPECT_EQ(at, (std::vector<Executor::Clock::duration>{seconds(1), seconds(2), seconds(3)}));
  EXPECT_EQ(executor.now() - start, milliseconds(10999));
}

TEST(ManualExecutor, RunsTimersOfZeroDelayWithoutTimePassing) {
  ManualExecutor executor;
  int ran = 0;
  executor.post_after(seconds(-1), [&] { ++ran; });
  executor.post_after(seconds(0), [&] { ++ran; });
  executor.run_ready();
  EXPECT_EQ(ran, 2);
}

TEST(ManualExecutor, CancelsATimerOnce) {
  ManualExecutor executor;
  const auto timer = executor.post_after(seconds(1), [] { FAIL(); });
  EXPECT_TRUE(executor.cancel(timer));
  EXPECT_FALSE(executor.cancel(timer));
  executor.advance(seconds(2));
  const auto other = executor.post_after(seconds(1), [] {});
  executor.advance(seconds(2));
  EXPECT_FALSE(executor.cancel(other));
}

TEST(PoolExecutor, RunsEverythingPostedBeforeItsEnd) {
  std::atomic<int> ran = 0;
  {
    PoolExecutor executor(3);
    for (int i = 0; i < 100; ++i) {
      executor.post([&] {
        ++ran;
        executor.post([&] { ++ran; });
      });
    }
  }
  EXPECT_EQ(ran, 200);
}

TEST(PoolExecutor, WithOneThreadKeepsTheOrder) {
  std::string order;
  {
    PoolExecutor executor(1);
    for (char c = 'a'; c <= 'z'; ++c) executor.post([&order, c] { order += c; });
  }
  EXPECT_EQ(order, "abcdefghijklmnopqrstuvwxyz");
}

TEST(PoolExecutor, RunsTimersInTheOrderOfTheirTimes) {
  std::mutex mutex;
  std::condition_variable changed;
  std::string order;
  PoolExecutor executor(1);
  const auto note = [&](char c) {
    const std::lock_guard lock(mutex);
    order += c;
    changed.notify_all();
  };
  // Posted from the executor's own thread, so that none can be due before all are there.
  executor.post([&] {
    executor.post_after(milliseconds(2), [&] { note('b'); });
    executor.post_after(microseconds(1), [&] { note('a'); });
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return order.size() == 2; });
  EXPECT_EQ(order, "ab");
}

TEST(PoolExecutor, CancelsAndDropsTimers) {
  const auto alive = std::make_shared<int>();
  {
    PoolExecutor executor(2);
    const auto timer = executor.post_after(hours(1), [alive] { FAIL(); });
    executor.post_after(hours(1), [alive] { FAIL(); });
    EXPECT_EQ(alive.use_count(), 3);
    EXPECT_TRUE(executor.cancel(timer));
    EXPECT_FALSE(executor.cancel(timer));
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace alknet
