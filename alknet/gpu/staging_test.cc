#include "alknet/gpu/staging.h"

#include <gtest/gtest.h>

namespace alknet::gpu {
namespace {

// A provider whose buffers are numbers: counts those made, frees nothing.
class StagingStore : public testing::Test {
 protected:
  StagingStore() {
    made_ = 0;
    functions_.device_create_buffer = [](WGPUDevice, const WGPUBufferDescriptor*) {
      return reinterpret_cast<WGPUBuffer>(++made_);
    };
    functions_.buffer_release = [](WGPUBuffer) {};
  }

  StagingBuffer acquire(std::uint64_t bytes) { return staging_.acquire(functions_, nullptr, bytes); }

  static inline std::uintptr_t made_ = 0;
  Functions functions_;
  Staging staging_;
};

TEST_F(StagingStore, ReusesABufferOfTheSameSizeClass) {
  staging_.release(acquire(100));
  EXPECT_GE(acquire(4000).capacity, 4000u);
  EXPECT_EQ(made_, 1u);
  acquire(4000);
  EXPECT_EQ(made_, 2u);
}

TEST_F(StagingStore, LargeBuffersDoNotCrowdOutSmallOnes) {
  for (int i = 0; i < 8; ++i) staging_.release({{WGPUBuffer(&made_), functions_.buffer_release}, Staging::kChunkBytes});
  staging_.release(acquire(64));
  EXPECT_EQ(made_, 1u);
  acquire(64);
  EXPECT_EQ(made_, 1u);
}

TEST_F(StagingStore, KeepsNothingLargerThanAChunk) {
  StagingBuffer large = acquire(Staging::kChunkBytes + 6);
  EXPECT_EQ(large.capacity, Staging::kChunkBytes + 8);
  staging_.release(std::move(large));
  acquire(Staging::kChunkBytes + 6);
  EXPECT_EQ(made_, 2u);
}

}  // namespace
}  // namespace alknet::gpu
