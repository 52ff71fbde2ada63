#include "alknet/gpu/device.h"

#include <thread>

#include "alknet/gpu/gpu_test_fixture.h"

namespace alknet::gpu {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

class GpuDevice : public GpuTest {};

TEST_F(GpuDevice, DescribesItsAdapter) {
  const AdapterInfo& adapter = device().adapter();
  EXPECT_EQ(adapter.id, "gpu:0");
  EXPECT_THAT(adapter.name, Not(IsEmpty()));
  EXPECT_THAT(adapter.driver, Not(IsEmpty()));
  EXPECT_EQ(adapter.backend, "vulkan");
  EXPECT_NE(adapter.type, AdapterType::kUnknown);
  EXPECT_TRUE(adapter.usable);
}

TEST_F(GpuDevice, GrantsEveryLimitThatTheAdapterHas) {
  const AdapterInfo& adapter = device().adapter();
  ASSERT_EQ(device().all_limits().size(), adapter.limits.size());
  for (std::size_t i = 0; i < adapter.limits.size(); ++i) {
    EXPECT_EQ(device().all_limits()[i].name, adapter.limits[i].name);
    EXPECT_EQ(device().all_limits()[i].value, adapter.limits[i].value) << adapter.limits[i].name;
  }
  // WebGPU guarantees at least these.
  EXPECT_GE(device().limits().max_storage_binding_size, std::uint64_t{128} << 20);
  EXPECT_GE(device().limits().max_workgroups_per_dimension, 65535u);
  EXPECT_EQ(limit_value(adapter.limits, "maxBufferSize"), device().limits().max_buffer_size);
  EXPECT_EQ(limit_value(adapter.limits, "noSuchLimit"), 0u);
}

TEST_F(GpuDevice, RecordsTheFeaturesItWasGranted) {
  EXPECT_THAT(device().features(), Not(IsEmpty()));
  for (const std::string& feature : device().features()) EXPECT_TRUE(device().adapter().has_feature(feature));
  for (const char* feature : {"shader-f16", "subgroups", "timestamp-query"}) {
    EXPECT_EQ(device().has_feature(feature), device().adapter().has_feature(feature)) << feature;
  }
  EXPECT_FALSE(device().has_feature("no-such-feature"));
}

TEST_F(GpuDevice, GrantsExperimentalFeaturesOnlyWithoutRobustness) {
  if (!device().adapter().has_feature("buffer-map-extended-usages")) GTEST_SKIP() << "the adapter lacks the feature";
  EXPECT_FALSE(device().has_mappable_buffers());
  EXPECT_TRUE(instance().acquire("gpu:0", {.robust = false}).has_mappable_buffers());
}

TEST_F(GpuDevice, UnknownAdapterIdNamesThoseThatExist) {
  EXPECT_THAT(error_of([&] { instance().acquire("gpu:99"); }),
              IsGpuError(GpuError::kNoAdapter, device().adapter().name));
}

TEST_F(GpuDevice, SurveyListsTheSameAdapters) {
  const Survey found = survey();
  EXPECT_THAT(found.provider, Not(IsEmpty()));
  EXPECT_EQ(found.adapters.size(), instance().adapters().size());
  EXPECT_THAT(found.reason, IsEmpty());
}

TEST_F(GpuDevice, WaitsForNoWorkAtAll) {
  device().wait();
  device().wait(std::chrono::seconds(10));
}

TEST_F(GpuDevice, LostDeviceFailsEverythingAndANewOneWorks) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer input = upload({1, 2, 3});
  const Buffer output = device().create_buffer(12);
  const BindGroup group = device().create_bind_group(kernel, std::vector<Binding>{{&input}, {&output}});
  Encoder recording = device().encoder();
  recording.dispatch(kernel, group, {});
  PendingReadback pending = device().readback_async(input, 0, 12);

  device().lose("planned by the test");

  EXPECT_TRUE(device().lost());
  EXPECT_FALSE(input.valid());
  std::vector<std::byte> bytes(12);
  const auto lost = IsGpuError(GpuError::kDeviceLost, "planned by the test");
  EXPECT_THAT(error_of([&] { pending.wait(bytes); }), lost);
  EXPECT_THAT(error_of([&] { recording.dispatch(kernel, group, {}); }), lost);
  EXPECT_THAT(error_of([&] { device().submit(std::move(recording)); }), lost);
  EXPECT_THAT(error_of([&] { device().readback(input, 0, bytes); }), lost);
  EXPECT_THAT(error_of([&] { device().write_buffer(input, 0, bytes); }), lost);
  EXPECT_THAT(error_of([&] { device().create_buffer(16); }), lost);
  EXPECT_THAT(error_of([&] { device().compile_shader(scale_kernel("other")); }), lost);
  EXPECT_THAT(error_of([&] { device().create_bind_group(kernel, std::vector<Binding>{{&input}, {&output}}); }), lost);
  EXPECT_THAT(error_of([&] { device().encoder(); }), lost);
  EXPECT_THAT(error_of([&] { device().wait(); }), lost);

  const Device again = instance().acquire("gpu:0");
  const Buffer fresh = again.create_buffer(std::as_bytes(std::span("abc")));
  std::vector<std::byte> read(4);
  again.readback(fresh, 0, read);
  EXPECT_EQ(std::memcmp(read.data(), "abc", 4), 0);
}

TEST_F(GpuDevice, DestroyedDeviceSaysSo) {
  const Buffer buffer = device().create_buffer(16);
  device().destroy();
  device().destroy();
  EXPECT_FALSE(device().lost());
  EXPECT_FALSE(buffer.valid());
  EXPECT_THAT(error_of([&] { device().create_buffer(16); }), IsGpuError(GpuError::kDestroyed, "gpu:0"));
  EXPECT_THAT(error_of([&] { device().wait(); }), IsGpuError(GpuError::kDestroyed, "gpu:0"));
}

TEST_F(GpuDevice, ObjectsMayOutliveTheirHandles) {
  Buffer buffer;
  Pipeline kernel;
  {
    const Device other = instance().acquire("gpu:0");
    buffer = other.create_buffer(16);
    kernel = other.compile_shader(scale_kernel());
  }
  EXPECT_TRUE(buffer.valid());
  EXPECT_EQ(kernel.name(), "scale");
}

TEST_F(GpuDevice, ServesManyThreadsAtOnce) {
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kRounds = 20;
  std::vector<std::uint32_t> wrong(kThreads, 0);
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        KernelSource source = scale_kernel("scale by thread");
        source.constants = {{"factor", t + 1.0}};
        for (std::uint32_t round = 0; round < kRounds; ++round) {
          const Pipeline kernel = device().compile_shader(source);
          const Buffer input = upload({round, t});
          const Buffer output = device().create_buffer(8);
          device().dispatch(kernel, std::vector<Binding>{{&input}, {&output}}, {});
          wrong[t] += download(output) != std::vector<std::uint32_t>{round * (t + 1), t * (t + 1)};
        }
      });
    }
  }
  EXPECT_THAT(wrong, testing::Each(0u));
  EXPECT_EQ(device().pipeline_count(), kThreads);
}

}  // namespace
}  // namespace alknet::gpu
