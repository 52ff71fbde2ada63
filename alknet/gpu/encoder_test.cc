#include "alknet/gpu/encoder.h"

#include <numeric>

#include "alknet/gpu/gpu_test_fixture.h"
#include "alknet/gpu/uniform_ring.h"

namespace alknet::gpu {
namespace {

class GpuEncoder : public GpuTest {
 protected:
  BindGroup bind(const Pipeline& kernel, const Buffer& input, const Buffer& output) const {
    return device().create_bind_group(kernel, std::vector<Binding>{{&input}, {&output}});
  }
};

struct AddParameters {
  std::uint32_t amount = 0;
  std::uint32_t unused[3] = {};
};

KernelSource add_kernel() {
  return {.name = "add",
          .code = R"(
struct Parameters { amount: u32 }
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@group(0) @binding(1) var<uniform> parameters: Parameters;
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) { values[id.x] = values[id.x] * 10u + parameters.amount; }
)",
          .bindings = {BindingKind::kStorage, BindingKind::kDynamicUniform}};
}

TEST_F(GpuEncoder, ComputesWhatTheKernelSays) {
  std::vector<std::uint32_t> values(1000);
  std::iota(values.begin(), values.end(), 0u);
  const Buffer input = upload(values);
  const Buffer output = device().create_buffer(values.size() * 4);
  device().dispatch(device().compile_shader(scale_kernel()), std::vector<Binding>{{&input}, {&output}}, {16});
  for (std::uint32_t& value : values) value *= 2;
  EXPECT_EQ(download(output), values);
}

TEST_F(GpuEncoder, RunsDispatchesAndCopiesInOrder) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1, 2, 3, 4});
  const Buffer b = device().create_buffer(16);
  const Buffer c = device().create_buffer(16);
  const BindGroup to_b = bind(kernel, a, b);
  const BindGroup to_a = bind(kernel, b, a);
  Encoder work = device().encoder({.label = "in order"});
  work.dispatch(kernel, to_b, {});
  work.dispatch(kernel, to_a, {});
  work.copy(a, 0, c, 4, 12);
  work.dispatch(kernel, to_b, {});
  work.clear(a, 0, 8);
  EXPECT_EQ(work.dispatch_count(), 3u);
  device().submit(std::move(work)).wait();
  EXPECT_EQ(download(b), (std::vector<std::uint32_t>{8, 16, 24, 32}));
  EXPECT_EQ(download(c), (std::vector<std::uint32_t>{0, 4, 8, 12}));
  EXPECT_EQ(download(a), (std::vector<std::uint32_t>{0, 0, 12, 16}));
}

TEST_F(GpuEncoder, DroppedRecordingRunsNothing) {
  const Buffer a = upload({1});
  { device().encoder().clear(a, 0, 4); }
  EXPECT_EQ(download(a), (std::vector<std::uint32_t>{1}));
}

TEST_F(GpuEncoder, EmptySubmissionIsFine) {
  device().submit(device().encoder()).wait();
  Submission().wait();
}

TEST_F(GpuEncoder, ZeroWorkgroupsAreNoWork) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1});
  const Buffer b = device().create_buffer(4);
  Encoder work = device().encoder();
  work.dispatch(kernel, bind(kernel, a, b), {0, 1, 1});
  EXPECT_EQ(work.dispatch_count(), 0u);
  device().submit(std::move(work));
  EXPECT_EQ(download(b), (std::vector<std::uint32_t>{0}));
}

TEST_F(GpuEncoder, EmptyBuffersCanBeBound) {
  const Buffer a = device().create_buffer(0);
  const Buffer b = device().create_buffer(0);
  device().dispatch(device().compile_shader(scale_kernel()), std::vector<Binding>{{&a}, {&b}}, {}).wait();
}

TEST_F(GpuEncoder, IndirectDispatchTakesItsCountsFromABuffer) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  std::vector<std::uint32_t> values(128, 3);
  const Buffer a = upload(values);
  const Buffer b = device().create_buffer(512);
  const Buffer counts = upload({9, 1, 1, 1}, BufferUsage::kIndirect);
  Encoder work = device().encoder();
  work.dispatch_indirect(kernel, bind(kernel, a, b), counts, 4);
  device().submit(std::move(work));
  std::fill_n(values.begin(), 64, 6u);
  std::fill_n(values.begin() + 64, 64, 0u);
  EXPECT_EQ(download(b), values);
}

TEST_F(GpuEncoder, UniformRingGivesEachDispatchItsParameters) {
  const Pipeline kernel = device().compile_shader(add_kernel());
  UniformRing ring(device());
  const Buffer values = upload({0, 5});
  const BindGroup group =
      device().create_bind_group(kernel, std::vector<Binding>{{&values}, {&ring.buffer(), 0, sizeof(AddParameters)}});
  for (std::uint32_t round = 0; round < 2; ++round) {
    Encoder work = device().encoder();
    for (std::uint32_t i = 1; i <= 3; ++i) {
      const AddParameters parameters{i + 3 * round};
      const std::uint32_t offset[] = {work.push_uniform(ring, std::as_bytes(std::span(&parameters, 1)))};
      work.dispatch(kernel, group, {2}, offset);
    }
    device().submit(std::move(work));
  }
  EXPECT_EQ(download(values), (std::vector<std::uint32_t>{123456, 5123456}));
}

TEST_F(GpuEncoder, FullUniformRingSubmitsAndGoesOn) {
  const Pipeline kernel = device().compile_shader(add_kernel());
  UniformRing ring(device(), 2ull * device().limits().min_uniform_offset_alignment);
  const Buffer values = upload({0});
  const BindGroup group =
      device().create_bind_group(kernel, std::vector<Binding>{{&values}, {&ring.buffer(), 0, sizeof(AddParameters)}});
  Encoder work = device().encoder();
  for (std::uint32_t i = 1; i <= 7; ++i) {
    const AddParameters parameters{i};
    const std::uint32_t offset[] = {work.push_uniform(ring, std::as_bytes(std::span(&parameters, 1)))};
    work.dispatch(kernel, group, {}, offset);
  }
  device().submit(std::move(work));
  EXPECT_EQ(download(values), (std::vector<std::uint32_t>{1234567}));
}

TEST_F(GpuEncoder, UniformRingServesOneEncoderAtATime) {
  UniformRing ring(device());
  const std::vector<std::byte> block(16);
  Encoder first = device().encoder();
  first.push_uniform(ring, block);
  Encoder second = device().encoder();
  EXPECT_THAT(error_of([&] { second.push_uniform(ring, block); }),
              IsGpuError(GpuError::kValidationFailed, "two encoders"));
  device().submit(std::move(first));
  second.push_uniform(ring, block);
  EXPECT_THAT(error_of([&] { second.push_uniform(ring, std::vector<std::byte>(1 << 20)); }),
              IsGpuError(GpuError::kLimitExceeded, "uniform ring"));
}

TEST_F(GpuEncoder, TimesEachKernel) {
  if (!device().has_feature("timestamp-query")) GTEST_SKIP() << "the adapter has no timestamps";
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const std::vector<std::uint32_t> values(1 << 16, 1);
  const Buffer a = upload(values);
  const Buffer b = device().create_buffer(values.size() * 4);
  const BindGroup group = bind(kernel, a, b);
  Encoder work = device().encoder({.timing = true});
  constexpr std::size_t kDispatches = 150;  // more than one query set holds
  for (std::size_t i = 0; i < kDispatches; ++i) work.dispatch(kernel, group, {1024}, {}, i == 1 ? "second" : "");
  const Submission submission = device().submit(std::move(work));
  const auto times = submission.timings();
  ASSERT_EQ(times.size(), kDispatches);
  EXPECT_EQ(times[0].name, "scale");
  EXPECT_EQ(times[1].name, "second");
  std::chrono::nanoseconds total{0};
  for (const KernelTime& time : times) total += time.duration;
  EXPECT_GT(total.count(), 0);
  EXPECT_EQ(submission.timings().size(), kDispatches);
}

TEST_F(GpuEncoder, TimesNothingUnlessAsked) {
  EXPECT_THAT(device().submit(device().encoder()).timings(), testing::IsEmpty());
}

TEST_F(GpuEncoder, HasKeptMemoryForTheNextRecording) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1});
  const Buffer b = device().create_buffer(4);
  const BindGroup group = bind(kernel, a, b);
  for (int round = 0; round < 100; ++round) {
    Encoder work = device().encoder();
    for (int i = 0; i < 10; ++i) work.dispatch(kernel, group, {});
    device().submit(std::move(work));
  }
  EXPECT_EQ(download(b), (std::vector<std::uint32_t>{2}));
}

}  // namespace
}  // namespace alknet::gpu
