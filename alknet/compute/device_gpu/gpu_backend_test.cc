#include "alknet/compute/device_gpu/gpu_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "alknet/base/testing.h"
#include "alknet/compute/device_gpu/test_device.h"

namespace alknet::compute {
namespace {

using testing::contiguous;
using ::testing::ElementsAre;
using testing::elementwise;
using ::testing::HasSubstr;
using testing::Runner;
using testing::structured;
using F32s = std::vector<float>;
using Words = std::vector<std::int32_t>;
using Bytes = std::vector<std::uint8_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class GpuBackend : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = testing::open_device();
    if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
    device_ = opened.device;
    backend_ = make_gpu_backend(device_);
  }

  std::string code_of(const std::function<void()>& call) {
    const auto error = thrown_by(call);
    message_ = error ? error->message() : "";
    return error ? error->code_name() : "no error";
  }

  std::shared_ptr<gpu::Device> device_;
  std::shared_ptr<Backend> backend_;
  std::string message_;
};

TEST_F(GpuBackend, AddsBroadcastAndTransposedOperands) {
  // input is a transposed [3, 2], other a row.
  const F32s sum = Runner(*backend_)
                       .input<float>(Dtype::kF32, {{2, 3}, {1, 2}, 0}, {1, 2, 3, 4, 5, 6})
                       .input<float>(Dtype::kF32, contiguous({3}), {10, 20, 30})
                       .run<float>(elementwise("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32, {{"alpha", 2}}), {2, 3});
  EXPECT_THAT(sum, ElementsAre(21, 43, 65, 22, 44, 66));
}

/// x0 + x1 and x0 * x1 of [5] tensors, where the outputs take the memory of the inputs.
template <typename T>
std::vector<std::vector<T>> sum_and_product_in_place(Backend& backend, Dtype dtype, const std::vector<T>& a,
                                                     const std::vector<T>& b) {
  Computation computation = elementwise("add", {dtype, dtype}, dtype);
  const OpSpec& mul = graph::OpTable::builtin().at("mul");
  computation.outputs.push_back(dtype);
  computation.program.steps.push_back({&mul, graph::complete_attributes(mul, {}), {{0, {}}, {1, {}}}, dtype});
  computation.program.outputs = {2, 3};
  std::vector<std::unique_ptr<Memory>> memories;
  Binding binding;
  for (std::uint32_t i = 0; i < 2; ++i) {
    memories.push_back(backend.allocate(a.size() * sizeof(T)));
    backend.write(*memories.back(), 0, std::as_bytes(std::span(i == 0 ? a : b)));
    const Operand operand{i, dtype, contiguous({static_cast<std::int64_t>(a.size())})};
    binding.inputs.emplace_back(operand);
    binding.outputs.push_back(operand);
  }
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(backend.kernel(computation)->bind(binding));
  const std::vector<Memory*> slots = {memories[0].get(), memories[1].get()};
  backend.run(launches, slots);
  std::vector<std::vector<T>> results(2, std::vector<T>(a.size()));
  for (std::size_t i = 0; i < 2; ++i) backend.read(*memories[i], 0, std::as_writable_bytes(std::span(results[i])));
  return results;
}

TEST_F(GpuBackend, WritesResultsOverTheInputsTheyAreComputedFrom) {
  const auto numbers = sum_and_product_in_place<float>(*backend_, Dtype::kF32, {1, 2, 3, 4, 5}, {10, 20, 30, 40, 50});
  EXPECT_THAT(numbers[0], ElementsAre(11, 22, 33, 44, 55));
  EXPECT_THAT(numbers[1], ElementsAre(10, 40, 90, 160, 250));
  const auto packed =
      sum_and_product_in_place<std::uint8_t>(*backend_, Dtype::kU8, {1, 2, 3, 4, 5}, {10, 20, 30, 40, 60});
  EXPECT_THAT(packed[0], ElementsAre(11, 22, 33, 44, 65));
  EXPECT_THAT(packed[1], ElementsAre(10, 40, 90, 160, 44));
}

TEST_F(GpuBackend, ReadsViewsThatStartInsideAMemory) {
  const F32s copy = Runner(*backend_)
                        .input<float>(Dtype::kF32, {{2, 2}, {4, 2}, 1}, {0, 1, 2, 3, 4, 5, 6, 7})
                        .run<float>(elementwise("contiguous", {Dtype::kF32}, Dtype::kF32), {2, 2});
  EXPECT_THAT(copy, ElementsAre(1, 3, 5, 7));
}

TEST_F(GpuBackend, StepsBackwardsOverNegativeStrides) {
  const F32s copy = Runner(*backend_)
                        .input<float>(Dtype::kF32, {{4}, {-1}, 3}, {1, 2, 3, 4})
                        .run<float>(elementwise("contiguous", {Dtype::kF32}, Dtype::kF32), {4});
  EXPECT_THAT(copy, ElementsAre(4, 3, 2, 1));
}

TEST_F(GpuBackend, PacksBooleansIntoWordsAndKeepsNeighbours) {
  const Bytes flags =
      Runner(*backend_)
          .input<float>(Dtype::kF32, contiguous({6}), {0, 1, kNan, -0.0f, kInfinity, -2})
          .run<std::uint8_t>(elementwise("cast", {Dtype::kF32}, Dtype::kBool, {{"dtype", "bool"}}), {6});
  EXPECT_THAT(flags, ElementsAre(0, 1, 1, 0, 1, 1));
  const F32s numbers = Runner(*backend_)
                           .input<std::uint8_t>(Dtype::kBool, {{5}, {1}, 1}, flags)
                           .run<float>(elementwise("cast", {Dtype::kBool}, Dtype::kF32, {{"dtype", "f32"}}), {5});
  EXPECT_THAT(numbers, ElementsAre(1, 1, 0, 1, 1));
}

TEST_F(GpuBackend, CastsFloatsToIntegersTowardsZeroAndSaturates) {
  const Words whole = Runner(*backend_)
                          .input<float>(Dtype::kF32, contiguous({6}), {-1.9f, 1.9f, kNan, 1e20f, -kInfinity, 7})
                          .run<std::int32_t>(elementwise("cast", {Dtype::kF32}, Dtype::kI32, {{"dtype", "i32"}}), {6});
  EXPECT_THAT(whole, ElementsAre(-1, 1, 0, 2147483647, std::numeric_limits<std::int32_t>::min(), 7));
}

TEST_F(GpuBackend, MaximumPropagatesNan) {
  const F32s result = Runner(*backend_)
                          .input<float>(Dtype::kF32, contiguous({4}), {kNan, 1, 2, -kInfinity})
                          .input<float>(Dtype::kF32, contiguous({4}), {1, kNan, 3, -5})
                          .run<float>(elementwise("maximum", {Dtype::kF32, Dtype::kF32}, Dtype::kF32), {4});
  EXPECT_TRUE(std::isnan(result[0]));
  EXPECT_TRUE(std::isnan(result[1]));
  EXPECT_EQ(result[2], 3);
  EXPECT_EQ(result[3], -5);
}

TEST_F(GpuBackend, TanhAndGeluHoldForLargeArgumentsAndNearZero) {
  const F32s x = {-1e30f, -200, -10, -1, -0.6f, -1e-3f, 0, 1e-6f, 0.3f, 0.7f, 3, 9, 100, 3e38f};
  const auto size = static_cast<std::int64_t>(x.size());
  const F32s tanh = Runner(*backend_)
                        .input<float>(Dtype::kF32, contiguous({size}), x)
                        .run<float>(elementwise("tanh", {Dtype::kF32}, Dtype::kF32), {size});
  const F32s gelu = Runner(*backend_)
                        .input<float>(Dtype::kF32, contiguous({size}), x)
                        .run<float>(elementwise("gelu", {Dtype::kF32}, Dtype::kF32), {size});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = x[i], expected = std::tanh(value);
    EXPECT_NEAR(tanh[i], expected, 1e-6 * std::abs(expected)) << value;
    const double exact = 0.5 * value * std::erfc(-value * std::sqrt(0.5));
    EXPECT_NEAR(gelu[i], exact, 1e-6 * std::max(1.0, std::abs(exact))) << value;
  }
}

TEST_F(GpuBackend, KeepsTheSignOfZero) {
  for (const char* op : {"relu", "tanh", "sin", "tan", "asin", "atan", "sinh", "asinh", "atanh", "expm1", "log1p"}) {
    const F32s y = Runner(*backend_)
                       .input<float>(Dtype::kF32, contiguous({2}), {-0.0F, 0.0F})
                       .run<float>(elementwise(op, {Dtype::kF32}, Dtype::kF32), {2});
    EXPECT_TRUE(y[0] == 0 && std::signbit(y[0])) << op;
    EXPECT_TRUE(y[1] == 0 && !std::signbit(y[1])) << op;
  }
}

TEST_F(GpuBackend, ComputesMoreThan65535WorkgroupsAndRankSix) {
  const std::int64_t size = std::int64_t{65535} * 256 + 1000;
  F32s x(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 1000);
  const F32s y = Runner(*backend_)
                     .input<float>(Dtype::kF32, contiguous({size}), x)
                     .input<float>(Dtype::kF32, contiguous({1}), {1})
                     .run<float>(elementwise("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32), {size});
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], x[i] + 1) << i;

  const Shape shape = {2, 3, 2, 3, 2, 3};
  Strided reversed{shape, {1, 2, 6, 12, 36, 72}, 0};
  F32s values(216);
  std::iota(values.begin(), values.end(), 0.0f);
  const F32s copy = Runner(*backend_)
                        .input<float>(Dtype::kF32, reversed, values)
                        .run<float>(elementwise("contiguous", {Dtype::kF32}, Dtype::kF32), shape);
  EXPECT_EQ(copy[0], 0);
  EXPECT_EQ(copy[1], 72);
  EXPECT_EQ(copy[3], 36);
  EXPECT_EQ(copy[215], 215);
}

TEST_F(GpuBackend, NewShapesAndScalarsCompileNothing) {
  const auto add = [&](std::int64_t size, double alpha) {
    const F32s ones(static_cast<std::size_t>(size), 1.0f);
    return Runner(*backend_)
        .input<float>(Dtype::kF32, contiguous({size}), ones)
        .input<float>(Dtype::kF32, contiguous({size}), ones)
        .run<float>(elementwise("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32, {{"alpha", alpha}}), {size});
  };
  EXPECT_EQ(add(3, 1)[2], 2);
  const auto compiled = backend_->statistics().kernels_compiled;
  EXPECT_EQ(add(1000, 2.5)[999], 3.5);
  EXPECT_EQ(backend_->statistics().kernels_compiled, compiled);
}

TEST_F(GpuBackend, EmptyTensorsRunNothing) {
  const F32s none = Runner(*backend_)
                        .input<float>(Dtype::kF32, contiguous({0, 4}), {})
                        .run<float>(elementwise("tanh", {Dtype::kF32}, Dtype::kF32), {0, 4});
  EXPECT_TRUE(none.empty());
}

TEST_F(GpuBackend, ReportsABadIndexAmongManyThatItScattersBy) {
  constexpr std::int64_t kEntries = 500;
  Words index(kEntries);
  F32s ones(kEntries, 1);
  for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<std::int32_t>(i % 3);
  const JsonObject attrs{{"dim", 0}};
  const auto scatter = [&] {
    return Runner(*backend_)
        .input<float>(Dtype::kF32, contiguous({3}), {10, 20, 30})
        .input<std::int32_t>(Dtype::kI32, contiguous({kEntries}), index)
        .input<float>(Dtype::kF32, contiguous({kEntries}), ones)
        .run<float>(structured("scatter_add", {Dtype::kF32, Dtype::kI32, Dtype::kF32}, Dtype::kF32, attrs), {3}, attrs);
  };
  EXPECT_THAT(scatter(), ElementsAre(177, 187, 196));
  index[250] = 3;
  EXPECT_EQ(code_of(scatter), "index_out_of_range");
  EXPECT_THAT(message_, HasSubstr("[scatter_add] index 3 is outside 0 .. 2"));
}

TEST_F(GpuBackend, ReportsABadIndexOnceAndGoesOn) {
  const auto computation = structured("embedding", {Dtype::kF32, Dtype::kI32}, Dtype::kF32);
  const auto look_up = [&](Words indices) {
    const auto count = static_cast<std::int64_t>(indices.size());
    return Runner(*backend_)
        .input<float>(Dtype::kF32, contiguous({3, 2}), {1, 2, 3, 4, 5, 6})
        .input<std::int32_t>(Dtype::kI32, contiguous({count}), indices)
        .run<float>(computation, {count, 2});
  };
  EXPECT_THAT(look_up({2, 0}), ElementsAre(5, 6, 1, 2));
  EXPECT_EQ(code_of([&] { look_up({1, 3}); }), "index_out_of_range");
  EXPECT_THAT(message_, HasSubstr("[embedding] index 3 is outside 0 .. 2"));
  EXPECT_EQ(code_of([&] { look_up({-1}); }), "index_out_of_range");
  EXPECT_THAT(look_up({1}), ElementsAre(3, 4));
}

TEST_F(GpuBackend, RefusesDtypesThatWgslLacksWithARemedy) {
  EXPECT_FALSE(backend_->supports(Dtype::kF64));
  EXPECT_EQ(code_of([&] {
              backend_->kernel(elementwise("add", {Dtype::kF64, Dtype::kF64}, Dtype::kF64));
            }),
            "unsupported");
  EXPECT_THAT(message_, HasSubstr("add"));
  EXPECT_THAT(message_, HasSubstr(".to('cpu')"));
}

TEST_F(GpuBackend, ComputesExactlyOnWholeNumbersOf64Bits) {
  using I64s = std::vector<std::int64_t>;
  const I64s a = {(std::int64_t{1} << 62) + 12345, -(std::int64_t{1} << 40) - 7, 5, -1, INT64_MIN};
  const I64s b = {3, (std::int64_t{1} << 33) + 1, -3, INT64_MIN, 7};
  const auto run = [&](const char* op, Dtype output) {
    return Runner(*backend_)
        .input<std::int64_t>(Dtype::kI64, contiguous({5}), a)
        .input<std::int64_t>(Dtype::kI64, contiguous({5}), b)
        .run<std::int64_t>(elementwise(op, {Dtype::kI64, Dtype::kI64}, output), {5});
  };
  const auto wrapped = [&](auto f) {
    I64s result;
    for (std::size_t i = 0; i < a.size(); ++i) {
      result.push_back(
          static_cast<std::int64_t>(f(static_cast<std::uint64_t>(a[i]), static_cast<std::uint64_t>(b[i]))));
    }
    return result;
  };
  EXPECT_EQ(run("add", Dtype::kI64), wrapped([](std::uint64_t x, std::uint64_t y) { return x + y; }));
  EXPECT_EQ(run("sub", Dtype::kI64), wrapped([](std::uint64_t x, std::uint64_t y) { return x - y; }));
  EXPECT_EQ(run("mul", Dtype::kI64), wrapped([](std::uint64_t x, std::uint64_t y) { return x * y; }));
  EXPECT_EQ(run("maximum", Dtype::kI64), (I64s{a[0], b[1], 5, -1, 7}));
}

TEST_F(GpuBackend, FoldsMoreWorkgroupsThanADimensionHas) {
  constexpr std::int64_t kRows = 2'200'000;  // 32 to a workgroup on software adapters
  std::vector<float> x(2 * kRows);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 1000);
  GpuBackendOptions options;
  options.family = KernelFamily::kSoftware;
  const auto software = make_gpu_backend(device_, options);
  const auto sums = Runner(*software)
                        .input<float>(Dtype::kF32, contiguous({kRows, 2}), x)
                        .run<float>(structured("sum", {Dtype::kF32}, Dtype::kF32), {kRows},
                                    {{"dim", JsonArray{1}}, {"keepdim", false}});
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) wrong += sums[i] != x[2 * i] + x[2 * i + 1];
  EXPECT_EQ(wrong, 0u);
}

TEST_F(GpuBackend, ComputesPartByPartOnTensorsBeyondABinding) {
  const std::uint64_t limit = device_->limits().max_storage_binding_size;
  if (limit > (std::uint64_t{256} << 20)) GTEST_SKIP() << "a binding holds " << limit << " bytes here";
  const auto columns = static_cast<std::int64_t>(limit / 4 / 3 + 5);
  std::vector<float> x(static_cast<std::size_t>(4 * columns));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 4099);
  const auto y = Runner(*backend_)
                     .input<float>(Dtype::kF32, contiguous({4, columns}), x)
                     .input<float>(Dtype::kF32, contiguous({1, 1}), {2})
                     .run<float>(elementwise("mul", {Dtype::kF32, Dtype::kF32}, Dtype::kF32), {4, columns});
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < y.size(); ++i) wrong += y[i] != 2 * x[i];
  EXPECT_EQ(wrong, 0u);
}

TEST_F(GpuBackend, LostDeviceIsAnErrorAndANewOneComputes) {
  auto memory = backend_->allocate(16);
  device_->lose("planned by the test");
  std::vector<std::byte> bytes(16);
  EXPECT_EQ(code_of([&] { backend_->read(*memory, 0, bytes); }), "device_lost");
  EXPECT_EQ(code_of([&] { backend_->allocate(16); }), "device_lost");
  EXPECT_EQ(code_of([&] { backend_->synchronize(); }), "device_lost");
  const auto again = testing::open_device();
  const auto backend = make_gpu_backend(again.device);
  EXPECT_THAT(Runner(*backend)
                  .input<float>(Dtype::kF32, contiguous({1}), {0})
                  .run<float>(elementwise("tanh", {Dtype::kF32}, Dtype::kF32), {1}),
              ElementsAre(0));
}

TEST_F(GpuBackend, StaysUsableAfterLimitsAreExceeded) {
  EXPECT_EQ(code_of([&] { backend_->allocate(std::size_t{1} << 50); }), "limit_exceeded");
  const auto size = static_cast<std::int64_t>(device_->limits().max_storage_binding_size / 4 + 64);
  const Strided huge = contiguous({size});
  const auto kernel = backend_->kernel(structured("softmax", {Dtype::kF32}, Dtype::kF32, {{"dim", 0}}));
  EXPECT_EQ(code_of([&] {
              kernel->bind({{Operand{0, Dtype::kF32, huge}}, {{1, Dtype::kF32, huge}}, {{"dim", 0}}});
            }),
            "limit_exceeded");
  EXPECT_THAT(Runner(*backend_)
                  .input<float>(Dtype::kF32, contiguous({1}), {0})
                  .run<float>(elementwise("tanh", {Dtype::kF32}, Dtype::kF32), {1}),
              ElementsAre(0));
}

TEST_F(GpuBackend, WritesAndReadsUnalignedBytes) {
  auto memory = backend_->allocate(10);
  const Bytes zeros(10, 7), patch = {1, 2, 3};
  backend_->write(*memory, 0, std::as_bytes(std::span(zeros)));
  backend_->write(*memory, 3, std::as_bytes(std::span(patch)));
  Bytes all(10), some(4);
  backend_->read(*memory, 0, std::as_writable_bytes(std::span(all)));
  backend_->read(*memory, 3, std::as_writable_bytes(std::span(some)));
  EXPECT_THAT(all, ElementsAre(7, 7, 7, 1, 2, 3, 7, 7, 7, 7));
  EXPECT_THAT(some, ElementsAre(1, 2, 3, 7));
}

TEST_F(GpuBackend, CountsMemoryExactly) {
  const auto before = backend_->statistics();
  {
    const auto a = backend_->allocate(1000);
    const auto b = backend_->wrap(SharedBytes::copy(std::string_view("weights!")));
    EXPECT_EQ(backend_->statistics().live_bytes, before.live_bytes + 1008);
  }
  EXPECT_EQ(backend_->statistics().live_bytes, before.live_bytes);
  EXPECT_EQ(backend_->statistics().allocations, before.allocations + 2);
}

TEST_F(GpuBackend, KeepsSeveralMemorySetsOfOneLaunch) {
  const auto kernel = backend_->kernel(elementwise("tanh", {Dtype::kF32}, Dtype::kF32));
  const Strided layout = contiguous({4});
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(kernel->bind({{Operand{0, Dtype::kF32, layout}}, {{1, Dtype::kF32, layout}}, {}}));
  for (int round = 0; round < 70; ++round) {
    auto in = backend_->allocate(16), out = backend_->allocate(16);
    const F32s x(4, static_cast<float>(round) / 10);
    backend_->write(*in, 0, std::as_bytes(std::span(x)));
    Memory* slots[] = {in.get(), out.get()};
    backend_->run(launches, slots);
    F32s y(4);
    backend_->read(*out, 0, std::as_writable_bytes(std::span(y)));
    EXPECT_NEAR(y[3], std::tanh(x[3]), 1e-6);
  }
}

}  // namespace
}  // namespace alknet::compute
