#include "alknet/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace alknet {
namespace {

/// How long an idle worker and a waiting caller spin before they sleep: about the cost of waking a sleeping thread.
constexpr auto kSpinTime = std::chrono::microseconds(30);

/// Chunks a thread gets when they are even: enough to balance, few enough that handing out costs nothing.
constexpr std::size_t kChunksPerThread = 4;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// Spins until `ready()` or the spin time is over; returns whether it became ready.
template <typename Ready>
bool spin_until(Ready ready) {
  if (ready()) return true;
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 16; ++i) {
      relax();
      if (ready()) return true;
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

/// True on a thread that runs a body now, so that nested loops run inline.
thread_local bool inside_loop = false;

class InsideLoop {
 public:
  InsideLoop() { inside_loop = true; }
  ~InsideLoop() { inside_loop = false; }
};

/// One parallel_for, on the stack of its caller.
struct Loop {
  FunctionRef<void(std::size_t, std::size_t)> body;
  std::size_t count;
  std::size_t chunk;
  std::size_t chunks;
  Loop* next_loop = nullptr;                         // list of published loops, under State::mutex_
  alignas(64) std::atomic<std::size_t> next = 0;     // the next chunk to hand out
  alignas(64) std::atomic<std::size_t> helpers = 0;  // workers inside; the last touch of a worker is its decrement
  std::atomic<bool> failed = false;
  std::exception_ptr error{};  // written by the thread that set `failed`

  bool has_work() const { return next.load(std::memory_order_relaxed) < chunks; }

  void run_chunks() {
    const InsideLoop inside;
    for (;;) {
      const std::size_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= chunks) return;
      const std::size_t begin = index * chunk;
      try {
        body(begin, begin + std::min(chunk, count - begin));
      } catch (...) {
        next.store(chunks, std::memory_order_relaxed);
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  }
};

}  // namespace

class ThreadPool::State {
 public:
  explicit State(std::size_t workers) {
    workers_.reserve(workers);
    try {
      for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~State() { stop(); }

  std::size_t workers() const { return workers_.size(); }

  void run(Loop& loop) {
    publish(loop);
    loop.run_chunks();
    std::unique_lock lock(mutex_);
    withdraw(loop);
    lock.unlock();
    // From here no worker can join; those inside finish their chunk.
    const auto left = [&] { return loop.helpers.load(std::memory_order_acquire) == 0; };
    if (spin_until(left)) return;
    lock.lock();
    left_.wait(lock, left);
  }

 private:
  void publish(Loop& loop) {
    std::size_t sleeping;
    {
      const std::lock_guard lock(mutex_);
      loop.next_loop = loops_;
      loops_ = &loop;
      sleeping = sleeping_;
      published_.fetch_add(1, std::memory_order_release);
    }
    const std::size_t wanted = std::min(loop.chunks - 1, workers_.size());
    if (wanted >= sleeping) {
      if (sleeping != 0) wake_.notify_all();
    } else {
      for (std::size_t i = 0; i < wanted; ++i) wake_.notify_one();
    }
  }

  void withdraw(Loop& loop) {
    Loop** link = &loops_;
    while (*link != &loop) link = &(*link)->next_loop;
    *link = loop.next_loop;
  }

  Loop* find_work() const {
    Loop* loop = loops_;
    while (loop && !loop->has_work()) loop = loop->next_loop;
    return loop;
  }

  void work() {
    std::size_t seen = 0;
    for (;;) {
      spin_until([&] { return published_.load(std::memory_order_acquire) != seen; });
      std::unique_lock lock(mutex_);
      Loop* loop = find_work();
      while (!loop && !stopping_) {
        ++sleeping_;
        wake_.wait(lock);
        --sleeping_;
        loop = find_work();
      }
      if (!loop) return;
      seen = published_.load(std::memory_order_relaxed);
      loop->helpers.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      loop->run_chunks();
      lock.lock();
      // The caller may return, and the loop vanish, as soon as this reaches zero.
      if (loop->helpers.fetch_sub(1, std::memory_order_release) == 1) left_.notify_all();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      published_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  std::mutex mutex_;
  std::condition_variable wake_;  // workers sleep here
  std::condition_variable left_;  // callers wait here for the last worker of their loop
  Loop* loops_ = nullptr;
  std::size_t sleeping_ = 0;
  bool stopping_ = false;
  alignas(64) std::atomic<std::size_t> published_ = 0;  // counts loops, for spinning workers
  std::vector<std::thread> workers_;
};

ThreadPool::ThreadPool(std::size_t threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  state_ = std::make_unique<State>(threads - 1);
}

ThreadPool::~ThreadPool() = default;

std::size_t ThreadPool::threads() const { return state_->workers() + 1; }

void ThreadPool::parallel_for(std::size_t count, std::size_t grain, FunctionRef<void(std::size_t, std::size_t)> body) {
  if (count == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  if (count <= grain || state_->workers() == 0 || inside_loop) {
    body(0, count);
    return;
  }
  const std::size_t most_chunks = kChunksPerThread * threads();
  const std::size_t chunk = std::max(grain, (count - 1) / most_chunks + 1);
  Loop loop{body, count, chunk, (count - 1) / chunk + 1};
  state_->run(loop);
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace alknet
