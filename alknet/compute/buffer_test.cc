#include "alknet/compute/buffer.h"

#include <gtest/gtest.h>

#include <thread>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"

namespace alknet::compute {
namespace {

class BufferManagerTest : public testing::Test {
 protected:
  std::shared_ptr<Backend> cpu = make_cpu_backend({1});
  BufferManager manager;
};

TEST_F(BufferManagerTest, CountsLiveAndPeakBytesExactly) {
  auto a = manager.allocate(cpu, 1024, "a");
  auto b = manager.allocate(cpu, 4096, "b");
  EXPECT_EQ(manager.statistics(*cpu).live, 5120u);
  EXPECT_EQ(manager.statistics(*cpu).buffers, 2u);
  b.reset();
  EXPECT_EQ(manager.statistics(*cpu).live, 1024u);
  EXPECT_EQ(manager.statistics(*cpu).pooled, 4096u);
  EXPECT_EQ(manager.statistics(*cpu).peak, 5120u);
}

TEST_F(BufferManagerTest, ReusesPooledMemoryOfTheSameSizeClass) {
  const auto first = manager.allocate(cpu, 5000, "a")->memory()->data();
  const auto second = manager.allocate(cpu, 4900, "b");
  EXPECT_EQ(second->memory()->data(), first);
  EXPECT_EQ(manager.statistics(*cpu).pooled, 0u);
}

TEST_F(BufferManagerTest, KeepsNoMemoryOfADeviceForAnotherOfItsName) {
  // As after a lost device, whose successor has its id.
  const std::shared_ptr<Backend> successor = make_cpu_backend({1});
  ASSERT_EQ(successor->id(), cpu->id());
  manager.allocate(cpu, 4096, "a");
  auto late = manager.allocate(cpu, 1024, "b");
  EXPECT_EQ(manager.statistics(*cpu).pooled, 4096u);
  const auto made = manager.allocate(successor, 4096, "c");
  EXPECT_EQ(manager.statistics(*successor).pooled, 0u) << "that of the first is let go";
  late.reset();
  EXPECT_EQ(manager.statistics(*successor).pooled, 0u) << "and what comes later is not kept";
  EXPECT_EQ(successor->statistics().live_bytes, 4096u);
  EXPECT_EQ(cpu->statistics().live_bytes, 0u);
}

TEST_F(BufferManagerTest, WastesAtMostAQuarter) {
  for (std::size_t bytes : {257u, 1000u, 4097u, 1048577u, 3000000u}) {
    EXPECT_LE(manager.allocate(cpu, bytes, "x")->memory()->bytes(), bytes + bytes / 4) << bytes;
  }
}

TEST_F(BufferManagerTest, RefusesAStaleId) {
  auto buffer = manager.allocate(cpu, 16, "a");
  const BufferId stale = buffer->id();
  buffer.reset();
  const auto reuse = manager.allocate(cpu, 16, "b");
  EXPECT_EQ(code_of([&] { manager.find(stale); }), "stale_buffer");
  EXPECT_EQ(manager.find(reuse->id()), reuse);
}

TEST_F(BufferManagerTest, RefusesAForeignId) {
  BufferManager other;
  const auto buffer = manager.allocate(cpu, 16, "a");
  EXPECT_EQ(code_of([&] { other.find(buffer->id()); }), "stale_buffer");
  EXPECT_EQ(code_of([&] { manager.find({~std::uint64_t{0}}); }), "stale_buffer");
}

TEST_F(BufferManagerTest, DisposesAtOnceAndTellsLateUsers) {
  const auto buffer = manager.allocate(cpu, 16, "weights");
  manager.dispose(buffer->id());
  EXPECT_EQ(manager.statistics(*cpu).live, 0u);
  EXPECT_EQ(code_of([&] { buffer->memory(); }), "stale_buffer");
  EXPECT_EQ(code_of([&] { manager.dispose(buffer->id()); }), "stale_buffer");
}

TEST_F(BufferManagerTest, ReportsWhatLivesWhenItGoes) {
  std::vector<std::string> leaks;
  std::shared_ptr<Buffer> kept;
  {
    BufferManager::Options options;
    options.on_leak = [&](const std::string& leak) { leaks.push_back(leak); };
    BufferManager leaky(options);
    kept = leaky.allocate(cpu, 4096, "forgotten");
    leaky.allocate(cpu, 4096, "released");
  }
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_NE(leaks[0].find("forgotten"), std::string::npos);
  EXPECT_NE(leaks[0].find("4096 bytes on cpu"), std::string::npos);
  kept.reset();  // after its manager: nothing to crash
}

TEST_F(BufferManagerTest, WrapsBytesWithoutCopying) {
  const SharedBytes bytes = SharedBytes::copy("0123456789abcdef");
  const auto buffer = manager.wrap(cpu, bytes, "mapped");
  EXPECT_EQ(buffer->memory()->data(), const_cast<std::byte*>(bytes.data()));
  EXPECT_TRUE(buffer->memory()->read_only());
}

TEST_F(BufferManagerTest, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < 500; ++i) {
        const auto buffer = manager.allocate(cpu, 100 * (i % 7 + 1), "t");
        manager.find(buffer->id());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(manager.statistics(*cpu).live, 0u);
}

}  // namespace
}  // namespace alknet::compute
