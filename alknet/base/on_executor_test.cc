#include "alknet/base/on_executor.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/base/testing.h"

namespace alknet {
namespace {

Task<std::thread::id> where() { co_return std::this_thread::get_id(); }

Task<void> forever() { co_await sleep_for(std::chrono::hours(1)); }

AsyncGenerator<std::thread::id> places() {
  co_yield std::this_thread::get_id();
  co_await reschedule();
  co_yield std::this_thread::get_id();
}

Task<std::vector<std::thread::id>> all_places(Executor& there) {
  AsyncGenerator<std::thread::id> items = on_executor(there, places());
  std::vector<std::thread::id> all;
  while (auto item = co_await items.next()) all.push_back(*item);
  co_return all;
}

TEST(OnExecutor, TasksAndGeneratorsRunThere) {
  LoopThread waiting;  // goes last: the other thread posts to it
  LoopThread there;
  const std::thread::id other = wait_for(there.loop(), where());
  EXPECT_EQ(wait_for(waiting.loop(), on_executor(there.loop(), where())), other);
  EXPECT_EQ(wait_for(waiting.loop(), all_places(there.loop())), (std::vector{other, other}));
}

TEST(OnExecutor, AStopReachesTheTaskThere) {
  ManualExecutor there, here;
  std::stop_source stop;
  std::optional<Outcome<void>> outcome;
  start(
      here, on_executor(there, forever()), [&](Outcome<void> result) { outcome.emplace(std::move(result)); },
      stop.get_token());
  here.run_ready();
  there.run_ready();
  EXPECT_EQ(there.timers(), 1U);
  stop.request_stop();
  here.run_ready();
  there.run_ready();
  EXPECT_EQ(there.timers(), 0U);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(code_of([&] { outcome->take(); }), "aborted");
}

TEST(OnExecutor, AnExecutorThatEndsFirstIsAnError) {
  ManualExecutor here;
  std::optional<Outcome<void>> outcome;
  std::optional<ManualExecutor> there(std::in_place);
  start(here, on_executor(*there, forever()), [&](Outcome<void> result) { outcome.emplace(std::move(result)); });
  here.run_ready();
  there->run_ready();
  there.reset();
  here.run_ready();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(code_of([&] { outcome->take(); }), "aborted");
}

}  // namespace
}  // namespace alknet
