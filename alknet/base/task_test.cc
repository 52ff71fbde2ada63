#include "alknet/base/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/pool_executor.h"

namespace alknet {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

/// The code name of the Error that `body` throws, or "none".
template <typename Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code_name();
  }
  return "none";
}

Task<int> give(int value) { co_return value; }
Task<std::unique_ptr<int>> give_unique(int value) { co_return std::make_unique<int>(value); }
Task<> fail() {
  throw std::runtime_error("inner");
  co_return;
}

TEST(Task, IsLazy) {
  bool ran = false;
  const auto body = [&]() -> Task<> {
    ran = true;
    co_return;
  };
  { auto task = body(); }
  EXPECT_FALSE(ran);
  ManualExecutor executor;
  run_until_done(executor, body());
  EXPECT_TRUE(ran);
}

TEST(Task, GivesValuesAlsoThoseThatOnlyMove) {
  ManualExecutor executor;
  const auto body = []() -> Task<int> {
    const auto pointer = co_await give_unique(40);
    co_return *pointer + co_await give(2);
  };
  EXPECT_EQ(run_until_done(executor, body()), 42);
}

TEST(Task, PassesExceptionsToTheAwaiter) {
  ManualExecutor executor;
  const auto body = []() -> Task<std::string> {
    try {
      co_await fail();
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing";
  };
  EXPECT_EQ(run_until_done(executor, body()), "inner");
  EXPECT_THROW(run_until_done(executor, fail()), std::runtime_error);
}

TEST(Task, ReleasesTheArgumentsOfAFinishedChild) {
  ManualExecutor executor;
  auto token = std::make_shared<int>(1);
  const auto child = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
  const auto body = [&]() -> Task<long> {
    co_await child(token);
    co_return token.use_count();
  };
  EXPECT_EQ(run_until_done(executor, body()), 1);
}

TEST(Task, AwaitsManyFinishedChildrenWithoutGrowingTheStack) {
// Only optimised builds turn the transfer between coroutines into a jump on every compiler.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  constexpr int kChildren = 1000000;
#else
  constexpr int kChildren = 1000;
#endif
  ManualExecutor executor;
  const auto body = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < kChildren; ++i) sum += co_await give(1);
    co_return sum;
  };
  EXPECT_EQ(run_until_done(executor, body()), kChildren);
}

TEST(Task, DoesNotRunInsideStart) {
  ManualExecutor executor;
  std::string order;
  const auto body = [&]() -> Task<> {
    order += "task ";
    co_return;
  };
  start(executor, body(), [&](const Outcome<void>& outcome) { order += outcome.ok() ? "done" : "failed"; });
  order += "started ";
  executor.run_ready();
  EXPECT_EQ(order, "started task done");
}

TEST(Task, IsDestroyedWhenItsExecutorEndsBeforeItRuns) {
  const auto alive = std::make_shared<int>();
  const auto body = [](std::shared_ptr<int> held) -> Task<> {
    co_await sleep_for(hours(1));
    held.reset();
  };
  {
    ManualExecutor executor;
    start(executor, body(alive), [](const Outcome<void>&) { FAIL(); });
  }
  EXPECT_EQ(alive.use_count(), 1);
  {
    ManualExecutor executor;
    start(executor, body(alive), [](const Outcome<void>&) { FAIL(); });
    executor.run_ready();
    EXPECT_EQ(executor.timers(), 1U);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Task, InheritsExecutorAndStopTokenFromItsAwaiter) {
  ManualExecutor executor;
  std::stop_source source;
  const auto child = [&]() -> Task<bool> {
    const auto& context = co_await current_context();
    co_return context.executor == &executor&& context.stop == source.get_token();
  };
  const auto body = [&]() -> Task<bool> { co_return co_await child(); };
  EXPECT_TRUE(run_until_done(executor, body(), source.get_token()));
}

TEST(Sleep, ResumesWhenTheTimeHasPassed) {
  ManualExecutor executor;
  bool done = false;
  const auto body = [&]() -> Task<> {
    co_await sleep_for(seconds(2));
    co_await sleep_for(seconds(3));
    done = true;
  };
  start(executor, body(), [](const Outcome<void>& outcome) { EXPECT_TRUE(outcome.ok()); });
  executor.advance(seconds(4));
  EXPECT_FALSE(done);
  executor.advance(seconds(1));
  EXPECT_TRUE(done);
}

TEST(Stop, EndsASleepAtOnceAndCancelsItsTimer) {
  ManualExecutor executor;
  std::stop_source source;
  std::optional<Outcome<void>> outcome;
  const auto body = []() -> Task<> { co_await sleep_for(hours(1)); };
  start(
      executor, body(), [&](Outcome<void> result) { outcome = std::move(result); }, source.get_token());
  executor.run_ready();
  EXPECT_EQ(executor.timers(), 1U);
  source.request_stop();
  EXPECT_EQ(executor.timers(), 0U);
  EXPECT_FALSE(outcome) << "resumed outside the executor";
  executor.run_ready();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(error_of([&] { outcome->take(); }), "aborted");
}

TEST(Stop, MakesTheNextAwaitThrow) {
  ManualExecutor executor;
  std::stop_source source;
  int steps = 0;
  const auto body = [&]() -> Task<> {
    ++steps;
    source.request_stop();
    ++steps;
    co_await give(1);
    ++steps;
  };
  EXPECT_EQ(error_of([&] { run_until_done(executor, body(), source.get_token()); }), "aborted");
  EXPECT_EQ(steps, 2);
}

TEST(Stop, BeforeTheStartKeepsTheTaskFromRunning) {
  ManualExecutor executor;
  std::stop_source source;
  source.request_stop();
  const auto body = []() -> Task<> {
    ADD_FAILURE();
    co_return;
  };
  EXPECT_EQ(error_of([&] { run_until_done(executor, body(), source.get_token()); }), "aborted");
}

TEST(Completion, DeliversAValueSetBeforeOrAfterTheWait) {
  ManualExecutor executor;
  for (const bool early : {true, false}) {
    Completion<std::string> completion;
    const auto body = [completion]() -> Task<std::string> { co_return co_await completion.wait(); };
    if (early) completion.set_value("hello");
    std::string got;
    start(executor, body(), [&](Outcome<std::string> outcome) { got = outcome.take(); });
    executor.run_ready();
    if (!early) {
      EXPECT_TRUE(completion.set_value("hello"));
      EXPECT_EQ(got, "") << "resumed outside the executor";
      executor.run_ready();
    }
    EXPECT_EQ(got, "hello");
    EXPECT_FALSE(completion.set_value("again"));
  }
}

TEST(Completion, DeliversErrorsAndIsInterruptedByAStop) {
  ManualExecutor executor;
  Completion<> failing;
  failing.set_error(std::make_exception_ptr(Error(BaseError::kNotFound, "nothing there")));
  const auto body = [](Completion<> completion) -> Task<> { co_await completion.wait(); };
  EXPECT_EQ(error_of([&] { run_until_done(executor, body(failing)); }), "not_found");

  std::stop_source source;
  Completion<> never;
  std::optional<Outcome<void>> outcome;
  start(
      executor, body(never), [&](Outcome<void> result) { outcome = std::move(result); }, source.get_token());
  executor.run_ready();
  source.request_stop();
  executor.run_ready();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(error_of([&] { outcome->take(); }), "aborted");
  never.set_value();
  executor.run_ready();
}

TEST(Completion, CrossesThreads) {
  PoolExecutor executor(2);
  for (int round = 0; round < 200; ++round) {
    Completion<int> completion;
    const auto body = [completion]() -> Task<int> { co_return co_await completion.wait(); };
    std::thread setter([completion, round]() mutable { completion.set_value(round); });
    EXPECT_EQ(wait_for(executor, body()), round);
    setter.join();
  }
}

TEST(Stop, RacesWithTimersAndCompletionsSafely) {
  PoolExecutor executor(3);
  for (int round = 0; round < 300; ++round) {
    std::stop_source source;
    Completion<int> completion;
    const auto body = [completion, round]() -> Task<int> {
      co_await sleep_for(microseconds(round % 20));
      co_return co_await completion.wait();
    };
    std::thread setter([completion]() mutable { completion.set_value(1); });
    std::thread stopper([source]() mutable { source.request_stop(); });
    int value = 0;
    const auto error = error_of([&] { value = wait_for(executor, body(), source.get_token()); });
    EXPECT_TRUE(error == "aborted" || value == 1) << error;
    setter.join();
    stopper.join();
  }
}

TEST(PoolExecutor, DestroysTasksThatWaitForALaterTime) {
  const auto alive = std::make_shared<int>();
  const auto body = [](std::shared_ptr<int> held, Completion<> waits) -> Task<> {
    waits.set_value();
    co_await sleep_for(hours(1));
    held.reset();
  };
  {
    PoolExecutor executor(1);
    Completion<> waits;
    start(executor, body(alive, waits), [](const Outcome<void>&) { FAIL(); });
    wait_for(executor, [](Completion<> event) -> Task<> { co_await event.wait(); }(waits));
  }
  EXPECT_EQ(alive.use_count(), 1);
}

AsyncGenerator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) {
    if (i % 2 == 0) co_await sleep_for(seconds(1));
    co_yield i;
  }
}

TEST(AsyncGenerator, YieldsAndAwaitsInBetween) {
  ManualExecutor executor;
  std::vector<int> got;
  const auto body = [&]() -> Task<> {
    auto numbers = count_to(5);
    while (const auto number = co_await numbers.next()) got.push_back(*number);
    EXPECT_FALSE(co_await numbers.next());
  };
  start(executor, body(), [](Outcome<void> outcome) { EXPECT_NO_THROW(outcome.take()); });
  executor.run_ready();
  EXPECT_EQ(got, std::vector<int>{1});
  executor.advance(seconds(2));
  EXPECT_EQ(got, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST(AsyncGenerator, ThrowsOnceThenHasEnded) {
  ManualExecutor executor;
  const auto items = []() -> AsyncGenerator<std::string> {
    co_yield "one";
    throw std::runtime_error("broken");
  };
  const auto body = [&]() -> Task<int> {
    auto generator = items();
    int seen = 0;
    try {
      while (co_await generator.next()) ++seen;
    } catch (const std::runtime_error&) {
      seen += 10;
    }
    if (co_await generator.next()) seen += 100;
    co_return seen;
  };
  EXPECT_EQ(run_until_done(executor, body()), 11);
}

TEST(AsyncGenerator, DestroysItsLocalsWhenLeftEarly) {
  ManualExecutor executor;
  const auto alive = std::make_shared<int>();
  const auto items = [](std::shared_ptr<int> held) -> AsyncGenerator<long> {
    for (;;) co_yield held.use_count();
  };
  const auto body = [&]() -> Task<> {
    auto generator = items(alive);
    co_await generator.next();
    EXPECT_GT(alive.use_count(), 1);
  };
  run_until_done(executor, body());
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(AsyncGenerator, StopsAtTheYield) {
  ManualExecutor executor;
  std::stop_source source;
  const auto items = []() -> AsyncGenerator<int> {
    for (int i = 0;; ++i) co_yield i;
  };
  int seen = 0;
  const auto body = [&]() -> Task<> {
    auto generator = items();
    while (co_await generator.next()) {
      if (++seen == 3) source.request_stop();
    }
  };
  EXPECT_EQ(error_of([&] { run_until_done(executor, body(), source.get_token()); }), "aborted");
  EXPECT_EQ(seen, 3);
}

TEST(RunUntilDone, RefusesATaskThatWaitsForever) {
  ManualExecutor executor;
  const auto body = []() -> Task<> { co_await sleep_for(seconds(1)); };
  EXPECT_EQ(error_of([&] { run_until_done(executor, body()); }), "internal");
}

}  // namespace
}  // namespace alknet
