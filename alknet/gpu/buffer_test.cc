#include "alknet/gpu/buffer.h"

#include <numeric>

#include "alknet/gpu/gpu_test_fixture.h"

namespace alknet::gpu {
namespace {

class GpuBuffer : public GpuTest {};

class UnrobustGpuBuffer : public GpuTest {
 protected:
  UnrobustGpuBuffer() { robust_ = false; }
};

std::vector<std::byte> pattern(std::size_t bytes) {
  std::vector<std::byte> result(bytes);
  for (std::size_t i = 0; i < bytes; ++i) result[i] = static_cast<std::byte>((i * 2654435761u) >> 13);
  return result;
}

std::vector<std::byte> bytes_of(const std::vector<std::uint32_t>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

TEST_F(GpuBuffer, RoundsItsMemoryUpToWholeVectors) {
  for (const auto& [asked, got] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 16}, {1, 16}, {16, 16}, {17, 32}, {1000, 1008}}) {
    const Buffer buffer = device().create_buffer(asked);
    EXPECT_EQ(buffer.size(), asked);
    EXPECT_EQ(buffer.allocated_size(), got);
  }
}

TEST_F(GpuBuffer, StartsWithZeros) { EXPECT_EQ(download(device().create_buffer(12)), std::vector<std::uint32_t>(3)); }

TEST_F(GpuBuffer, KeepsContentsOfAnySize) {
  for (const std::size_t bytes : {1u, 3u, 4u, 5u, 17u, 4096u}) {
    const auto contents = pattern(bytes);
    const Buffer created = device().create_buffer(contents);
    const Buffer written = device().create_buffer(bytes);
    device().write_buffer(written, 0, contents);
    for (const Buffer* buffer : {&created, &written}) {
      std::vector<std::byte> read(bytes);
      device().readback(*buffer, 0, read);
      EXPECT_EQ(read, contents) << bytes << " bytes";
    }
  }
}

TEST_F(GpuBuffer, MovesManyMegabytesInChunks) {
  const auto contents = pattern((std::size_t{75} << 20) + 5);
  const Buffer buffer = device().create_buffer(contents.size());
  device().write_buffer(buffer, 0, contents);
  std::vector<std::byte> read(contents.size());
  device().readback(buffer, 0, read);
  EXPECT_TRUE(read == contents);
}

TEST_F(GpuBuffer, CreatesLargeContentsInChunks) {
  const auto contents = pattern((std::size_t{65} << 20) + 4);
  const Buffer buffer = device().create_buffer(contents);
  std::vector<std::byte> read(contents.size());
  device().readback(buffer, 0, read);
  EXPECT_TRUE(read == contents);
}

TEST_F(GpuBuffer, ReadsAndWritesParts) {
  const Buffer buffer = upload({1, 2, 3, 4});
  const std::vector<std::uint32_t> two = {8, 9};
  device().write_buffer(buffer, 4, std::as_bytes(std::span(two)));
  EXPECT_EQ(download(buffer), (std::vector<std::uint32_t>{1, 8, 9, 4}));
  std::vector<std::uint32_t> part(2);
  device().readback(buffer, 8, std::as_writable_bytes(std::span(part)));
  EXPECT_EQ(part, (std::vector<std::uint32_t>{9, 4}));
}

TEST_F(GpuBuffer, EmptyTransfersDoNothing) {
  const Buffer buffer = device().create_buffer(0);
  device().write_buffer(buffer, 0, {});
  device().readback(buffer, 0, {});
  device().readback_async(buffer, 0, 0).wait({});
}

TEST_F(GpuBuffer, ReadsBackWhileOtherWorkIsRecorded) {
  const Buffer first = upload({1, 2});
  const Buffer second = upload({3, 4});
  PendingReadback one = device().readback_async(first, 0, 8);
  PendingReadback two = device().readback_async(second, 4, 4);
  device().write_buffer(first, 0, bytes_of({7, 7}));
  std::vector<std::uint32_t> values(3);
  two.wait(std::as_writable_bytes(std::span(values).last(1)));
  one.wait(std::as_writable_bytes(std::span(values).first(2)));
  EXPECT_EQ(values, (std::vector<std::uint32_t>{1, 2, 4}));
  EXPECT_EQ(error_of([&] { one.wait({}); })->code_name(), "invalid_argument");
}

TEST_F(GpuBuffer, AbandonedReadbackLeavesTheDeviceWell) {
  const Buffer buffer = upload({1, 2});
  { PendingReadback dropped = device().readback_async(buffer, 0, 8); }
  EXPECT_EQ(download(buffer), (std::vector<std::uint32_t>{1, 2}));
}

TEST_F(GpuBuffer, RefusesWhatLiesOutside) {
  const Buffer buffer = upload({1, 2});
  std::vector<std::byte> bytes(12);
  const auto outside = IsGpuError(GpuError::kValidationFailed, "\"input\"");
  EXPECT_THAT(error_of([&] { device().readback(buffer, 0, bytes); }), outside);
  EXPECT_THAT(error_of([&] { device().readback(buffer, 2, std::span(bytes).first(4)); }), outside);
  EXPECT_THAT(error_of([&] { device().write_buffer(buffer, 4, std::span(bytes).first(8)); }), outside);
  EXPECT_THAT(error_of([&] { device().readback_async(buffer, UINT64_MAX - 3, 4); }), outside);
}

TEST_F(GpuBuffer, MovedFromBufferIsInvalid) {
  Buffer first = upload({1});
  const Buffer second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that it can be asked is the point
  EXPECT_TRUE(second.valid());
  EXPECT_THAT(error_of([&] { device().readback(first, 0, {}); }),
              IsGpuError(GpuError::kValidationFailed, "never created"));
}

TEST_F(GpuBuffer, HostVisibleMemoryNeedsTheFeature) {
  EXPECT_THAT(error_of([&] { device().create_buffer(16, BufferUsage::kStorage | BufferUsage::kHostVisible); }),
              IsGpuError(GpuError::kFeatureMissing, "buffer-map-extended-usages"));
}

TEST_F(UnrobustGpuBuffer, HostVisibleMemoryIsReadWrittenAndComputedWith) {
  if (!device().has_mappable_buffers()) GTEST_SKIP() << "the adapter has no mappable storage buffers";
  const auto usage = BufferUsage::kStorage | BufferUsage::kHostVisible;
  const Buffer input = upload({5, 6, 7}, usage);
  const Buffer output = device().create_buffer(12, usage);
  device().write_buffer(input, 4, bytes_of({9}));
  device().dispatch(device().compile_shader(scale_kernel()), std::vector<Binding>{{&input}, {&output}}, {});
  EXPECT_EQ(download(output), (std::vector<std::uint32_t>{10, 18, 14}));
  std::vector<std::byte> odd(3);
  device().readback(output, 4, odd);
  EXPECT_EQ(std::to_integer<int>(odd[0]), 18);
}

}  // namespace
}  // namespace alknet::gpu
