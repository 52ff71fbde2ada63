#include "alknet/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace alknet {
namespace {

TEST(ThreadPool, RunsEachIndexExactlyOnce) {
  ThreadPool pool(4);
  EXPECT_EQ(pool.threads(), 4U);
  for (const std::size_t count : {1UL, 2UL, 3UL, 15UL, 16UL, 17UL, 1000UL, 65537UL}) {
    for (const std::size_t grain : {0UL, 1UL, 7UL, 1000UL}) {
      std::vector<std::atomic<int>> runs(count);
      pool.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
        ASSERT_LT(begin, end);
        ASSERT_LE(end, count);
        for (std::size_t i = begin; i < end; ++i) ++runs[i];
      });
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(runs[i], 1) << i << " of " << count << " grain " << grain;
    }
  }
}

TEST(ThreadPool, MakesChunksOfAtLeastTheGrainExceptTheLast) {
  ThreadPool pool(8);
  std::atomic<int> small = 0;
  pool.parallel_for(1003, 100, [&](std::size_t begin, std::size_t end) {
    if (end - begin < 100 && end != 1003) ++small;
  });
  EXPECT_EQ(small, 0);
}

TEST(ThreadPool, DoesNothingForZeroItems) {
  ThreadPool pool(2);
  pool.parallel_for(0, 1, [](std::size_t, std::size_t) { FAIL(); });
}

TEST(ThreadPool, RunsASmallLoopInlineInOnePiece) {
  ThreadPool pool(4);
  int calls = 0;
  pool.parallel_for(64, 64, [&, caller = std::this_thread::get_id()](std::size_t begin, std::size_t end) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(begin, 0U);
    EXPECT_EQ(end, 64U);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadPool, WithOneThreadIsALoop) {
  ThreadPool pool(1);
  std::size_t sum = 0;
  pool.parallel_for(100, 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) sum += begin;
  });
  EXPECT_EQ(sum, 4950U);
}

TEST(ThreadPool, UsesItsWorkers) {
  ThreadPool pool(2);
  // Each of the two chunks waits for the other one to start, so this ends only when two threads run them.
  std::atomic<int> started = 0;
  pool.parallel_for(2, 1, [&](std::size_t, std::size_t) {
    ++started;
    while (started < 2) std::this_thread::yield();
  });
  EXPECT_EQ(started, 2);
}

TEST(ThreadPool, RunsNestedLoopsInlineOnTheThreadThatMetThem) {
  ThreadPool pool(3);
  std::atomic<int> total = 0;
  pool.parallel_for(30, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto thread = std::this_thread::get_id();
      pool.parallel_for(10, 1, [&](std::size_t from, std::size_t to) {
        EXPECT_EQ(std::this_thread::get_id(), thread);
        total += static_cast<int>(to - from);
      });
    }
  });
  EXPECT_EQ(total, 300);
}

TEST(ThreadPool, RethrowsTheFirstExceptionAndStaysUsable) {
  ThreadPool pool(4);
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(pool.parallel_for(1000, 1,
                                   [](std::size_t begin, std::size_t) {
                                     if (begin >= 500) throw std::runtime_error("half");
                                   }),
                 std::runtime_error);
    std::atomic<std::size_t> done = 0;
    pool.parallel_for(1000, 1, [&](std::size_t begin, std::size_t end) { done += end - begin; });
    EXPECT_EQ(done, 1000U);
  }
}

TEST(ThreadPool, SharesItsWorkersBetweenCallers) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<std::size_t> total = 0;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        std::atomic<std::size_t> mine = 0;
        pool.parallel_for(100, 1, [&](std::size_t begin, std::size_t end) { mine += end - begin; });
        total += mine;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(total, 4U * 200U * 100U);
}

TEST(ThreadPool, MakesWritesOfTheBodiesVisibleToTheCaller) {
  ThreadPool pool(4);
  std::vector<int> values(10000);
  for (int round = 1; round <= 100; ++round) {
    pool.parallel_for(values.size(), 16, [&](std::size_t begin, std::size_t end) {
      for (; begin < end; ++begin) values[begin] += 1;
    });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), 0), round * 10000);
  }
}

TEST(FunctionRef, CallsWithArgumentsAndGivesTheResult) {
  int calls = 0;
  const auto twice = [&](int x) {
    ++calls;
    return 2 * x;
  };
  const FunctionRef<int(int)> borrowed = twice;
  EXPECT_EQ(borrowed(21), 42);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace alknet
