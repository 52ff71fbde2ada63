#include "alknet/compute/device_cpu/cpu_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/conformance.h"
#include "alknet/compute/device_cpu/allocation_counter.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

const graph::OpTable& ops() { return graph::OpTable::builtin(); }

Operand contiguous(std::uint32_t slot, Dtype dtype, Shape shape) {
  Shape strides = graph::contiguous_strides(shape);
  return {slot, dtype, {std::move(shape), std::move(strides), 0}};
}

/// A program of one operation on inputs 0, 1, ...
Computation single_step(const char* name, std::vector<Dtype> inputs, Dtype output) {
  Computation computation;
  computation.inputs.assign(inputs.begin(), inputs.end());
  computation.outputs = {output};
  ElementwiseProgram::Step step{&ops().at(name), graph::complete_attributes(ops().at(name), {}), {}, output};
  for (std::uint32_t i = 0; i < inputs.size(); ++i) step.arguments.push_back({i, {}});
  computation.program.inputs = inputs;
  computation.program.steps = {step};
  computation.program.outputs = {static_cast<std::uint32_t>(inputs.size())};
  return computation;
}

Computation operation(const char* name, std::vector<std::optional<Dtype>> inputs, Dtype output) {
  Computation computation;
  computation.op = &ops().at(name);
  computation.inputs = std::move(inputs);
  computation.outputs = {output};
  return computation;
}

void expect_conformance(std::size_t threads, bool quick) {
  const auto backend = make_cpu_backend({.threads = threads});
  ConformanceOptions options;
  options.quick = quick;
  const ConformanceReport report = run_conformance(*backend, options);
  for (const auto& failure : report.failures) ADD_FAILURE() << failure;
  for (const auto& refused : report.unsupported) ADD_FAILURE() << refused;
  EXPECT_GT(report.cases, 1000U);
}

TEST(CpuBackend, AgreesWithTheReferenceOnEveryOperation) { expect_conformance(1, false); }
TEST(CpuBackend, AgreesWithTheReferenceOnSeveralThreads) { expect_conformance(3, true); }

TEST(CpuBackend, GivesTheSameBitsForAnyNumberOfThreads) {
  std::vector<float> results;
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    const auto backend = make_cpu_backend({.threads = threads});
    constexpr std::int64_t kCount = 1 << 20;
    const auto input = backend->allocate(kCount * sizeof(float));
    const auto output = backend->allocate(sizeof(float));
    auto* numbers = reinterpret_cast<float*>(input->data());
    for (std::int64_t i = 0; i < kCount; ++i) numbers[i] = std::sin(static_cast<float>(i));
    Binding binding;
    binding.inputs = {contiguous(0, Dtype::kF32, {kCount})};
    binding.outputs = {contiguous(1, Dtype::kF32, {})};
    binding.attrs = graph::complete_attributes(ops().at("sum"), {});
    std::vector<std::unique_ptr<Launch>> launches;
    launches.push_back(backend->kernel(operation("sum", {Dtype::kF32}, Dtype::kF32))->bind(binding));
    Memory* slots[] = {input.get(), output.get()};
    backend->run(launches, slots);
    results.push_back(*reinterpret_cast<float*>(output->data()));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(CpuBackend, WritesLargeResultsWhereverTheyBegin) {
  constexpr std::int64_t kCount = (1 << 22) + 5;  // with its inputs more than caches hold
  const auto backend = make_cpu_backend({.threads = 2});
  const auto input = backend->allocate(kCount * sizeof(float));
  const auto output = backend->allocate((kCount + 2) * sizeof(float));
  auto* numbers = reinterpret_cast<float*>(input->data());
  auto* sums = reinterpret_cast<float*>(output->data());
  for (std::int64_t i = 0; i < kCount; ++i) numbers[i] = static_cast<float>(i);
  const auto kernel = backend->kernel(single_step("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32));
  for (const std::int64_t offset : {0, 1}) {
    std::fill_n(sums, kCount + 2, -1.0F);
    Binding binding;
    binding.inputs = {contiguous(0, Dtype::kF32, {kCount}), contiguous(0, Dtype::kF32, {kCount})};
    binding.outputs = {contiguous(1, Dtype::kF32, {kCount})};
    binding.outputs.front().layout.offset = offset;
    std::vector<std::unique_ptr<Launch>> launches;
    launches.push_back(kernel->bind(binding));
    Memory* slots[] = {input.get(), output.get()};
    backend->run(launches, slots);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < kCount; ++i) wrong += sums[i + offset] == 2 * static_cast<float>(i) ? 0 : 1;
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(sums[kCount + offset], -1.0F);
  }
}

TEST(CpuBackend, ProductsOfBytesWrapBeforeWhatFollowsThem) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto bytes = backend->allocate(2), result = backend->allocate(sizeof(std::int32_t));
  for (const auto& [dtype, value, expected] : {std::tuple(Dtype::kI8, 100, 32), std::tuple(Dtype::kU8, 200, 128)}) {
    std::memset(bytes->data(), value, 2);
    Computation product = operation("matmul", {dtype, dtype}, Dtype::kI32);  // 2 * 100 * 100 is 32 modulo 256
    product.program = {{dtype}, {{&ops().at("cast"), {{"dtype", "i32"}}, {{0, {}}}, Dtype::kI32}}, {1}};
    Binding binding;
    binding.inputs = {contiguous(0, dtype, {2}), contiguous(0, dtype, {2})};
    binding.outputs = {contiguous(1, Dtype::kI32, {})};
    std::vector<std::unique_ptr<Launch>> launches;
    launches.push_back(backend->kernel(product)->bind(binding));
    Memory* slots[] = {bytes.get(), result.get()};
    backend->run(launches, slots);
    EXPECT_EQ(*reinterpret_cast<std::int32_t*>(result->data()), expected) << graph::dtype_name(dtype);
  }
}

TEST(CpuBackend, CountsMemory) {
  const auto backend = make_cpu_backend({.threads = 1});
  auto first = backend->allocate(1000);
  auto second = backend->allocate(24);
  EXPECT_EQ(backend->statistics().live_bytes, 1024U);
  first.reset();
  EXPECT_EQ(backend->statistics().live_bytes, 24U);
  EXPECT_EQ(backend->statistics().peak_bytes, 1024U);
  EXPECT_EQ(backend->statistics().allocations, 2U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second->data()) % 64, 0U);
}

TEST(CpuBackend, ReportsMemoryThatTheMachineLacks) {
  const auto backend = make_cpu_backend({.threads = 1});
  EXPECT_EQ(error_of([&] { backend->allocate(std::size_t{1} << 62); }).code(), ComputeError::kOutOfMemory);
  EXPECT_EQ(backend->statistics().live_bytes, 0U);
  EXPECT_NO_THROW(backend->allocate(16));
}

TEST(CpuBackend, WrapsBytesWithoutCopying) {
  const auto backend = make_cpu_backend({.threads = 1});
  const SharedBytes bytes = SharedBytes::copy(std::string_view("weights!"));
  const auto memory = backend->wrap(bytes);
  EXPECT_EQ(memory->data(), bytes.data());
  EXPECT_TRUE(memory->read_only());
  EXPECT_EQ(backend->statistics().live_bytes, 0U);
  EXPECT_EQ(error_of([&] { backend->write(*memory, 0, bytes.span()); }).code(), ComputeError::kReadOnly);
}

TEST(CpuBackend, RefusesTransfersOutsideAMemory) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto memory = backend->allocate(16);
  std::vector<std::byte> bytes(9);
  EXPECT_EQ(error_of([&] { backend->write(*memory, 8, bytes); }).code(), BaseError::kInvalidArgument);
  EXPECT_EQ(error_of([&] { backend->read(*memory, 17, {}); }).code(), BaseError::kInvalidArgument);
}

TEST(CpuBackend, KeepsKernels) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto add = single_step("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32);
  EXPECT_EQ(backend->kernel(add), backend->kernel(add));
  EXPECT_EQ(backend->statistics().kernels_compiled, 1U);
  auto doubled = add;
  doubled.program.steps[0].attrs["alpha"] = 2;
  EXPECT_NE(backend->kernel(add), backend->kernel(doubled));
}

TEST(CpuBackend, NamesOperationAndDtypeThatHaveNoKernel) {
  const auto backend = make_cpu_backend({.threads = 1});
  const Error error = error_of([&] { backend->kernel(single_step("tanh", {Dtype::kI32}, Dtype::kI32)); });
  EXPECT_EQ(error.code(), ComputeError::kUnsupported);
  EXPECT_NE(error.message().find("[tanh]"), std::string::npos);
  EXPECT_NE(error.message().find("i32"), std::string::npos);
  EXPECT_EQ(error_of([&] { backend->kernel(operation("mean", {Dtype::kBool}, Dtype::kI64)); }).code(),
            ComputeError::kUnsupported);
}

TEST(CpuBackend, ReportsIndicesOutOfRange) {
  for (const std::int64_t index : {std::int64_t{-1}, std::int64_t{3}, std::int64_t{1} << 40}) {
    const auto backend = make_cpu_backend({.threads = 2});
    const auto weight = backend->allocate(3 * 2 * sizeof(float));
    const auto indices = backend->allocate(sizeof index);
    const auto output = backend->allocate(2 * sizeof(float));
    std::memset(weight->data(), 0, weight->bytes());
    backend->write(*indices, 0, std::as_bytes(std::span(&index, 1)));
    Binding binding;
    binding.inputs = {contiguous(0, Dtype::kF32, {3, 2}), contiguous(1, Dtype::kI64, {1})};
    binding.outputs = {contiguous(2, Dtype::kF32, {1, 2})};
    std::vector<std::unique_ptr<Launch>> launches;
    launches.push_back(backend->kernel(operation("embedding", {Dtype::kF32, Dtype::kI64}, Dtype::kF32))->bind(binding));
    Memory* slots[] = {weight.get(), indices.get(), output.get()};
    const Error error = error_of([&] { backend->run(launches, slots); });
    EXPECT_EQ(error.code(), ComputeError::kIndexOutOfRange);
    EXPECT_EQ(error.details().at("op").as_string(), "embedding");
    EXPECT_EQ(error.details().at("index").to_number<std::int64_t>(), index);
  }
}

TEST(CpuBackend, RefusesPlacesOutsideInEveryOperationThatTakesThem) {
  for (const char* name : {"gather", "scatter", "scatter_add", "gather_backward"}) {
    for (const std::int32_t index : {std::int32_t{-1}, std::int32_t{3}}) {
      SCOPED_TRACE(name);
      const auto backend = make_cpu_backend({.threads = 2});
      const auto data = backend->allocate(3 * sizeof(float));
      const auto indices = backend->allocate(sizeof index);
      const auto output = backend->allocate(3 * sizeof(float));
      std::memset(data->data(), 0, data->bytes());
      backend->write(*indices, 0, std::as_bytes(std::span(&index, 1)));
      const OpSpec& op = ops().at(name);
      const bool scatters = op.inputs.size() == 3, backward = op.input("input") == nullptr;
      Computation computation = operation(name, {Dtype::kF32, Dtype::kI32}, Dtype::kF32);
      Binding binding;
      binding.inputs = {contiguous(0, Dtype::kF32, {backward ? 1 : 3}), contiguous(1, Dtype::kI32, {1})};
      if (scatters) {
        computation.inputs.emplace_back(Dtype::kF32);
        binding.inputs.emplace_back(contiguous(0, Dtype::kF32, {1}));
      }
      binding.outputs = {contiguous(2, Dtype::kF32, {scatters || backward ? 3 : 1})};
      binding.attrs = {{"dim", 0}, {"input_sizes", {3}}};
      std::vector<std::unique_ptr<Launch>> launches;
      launches.push_back(backend->kernel(computation)->bind(binding));
      Memory* slots[] = {data.get(), indices.get(), output.get()};
      const Error error = error_of([&] { backend->run(launches, slots); });
      EXPECT_EQ(error.code(), ComputeError::kIndexOutOfRange);
      EXPECT_EQ(error.details().at("op").as_string(), name);
    }
  }
}

TEST(CpuBackend, AllocatesNothingWhenALaunchRunsAgain) {
  const auto backend = make_cpu_backend({.threads = 2});
  const Dtype f32 = Dtype::kF32;
  const Shape square = {256, 256};
  const auto a = backend->allocate(256 * 256 * sizeof(float));
  const auto b = backend->allocate(256 * 256 * sizeof(float));
  const auto indices = backend->allocate(256 * sizeof(std::int32_t));
  const auto output = backend->allocate(256 * 256 * sizeof(float));
  for (const auto& memory : {a.get(), b.get(), indices.get()}) std::memset(memory->data(), 0, memory->bytes());
  const Operand x = contiguous(0, f32, square), y = contiguous(1, f32, square), result = contiguous(3, f32, square);
  const Operand columns{1, f32, {square, {1, 256}, 0}};

  std::vector<std::unique_ptr<Launch>> launches;
  const auto add_launch = [&](const Computation& computation, std::vector<std::optional<Operand>> inputs, Operand to,
                              JsonObject attrs) {
    if (computation.op) attrs = graph::complete_attributes(*computation.op, attrs);
    launches.push_back(backend->kernel(computation)->bind({std::move(inputs), {std::move(to)}, std::move(attrs)}));
  };
  add_launch(single_step("add", {f32, f32}, f32), {x, columns}, result, {});
  auto matmul = operation("matmul", {f32, f32, f32}, f32);
  matmul.program = single_step("add", {f32, f32}, f32).program;
  add_launch(matmul, {x, columns, contiguous(1, f32, {256})}, result, {});
  add_launch(operation("sum", {f32}, f32), {x}, contiguous(3, f32, {256}), {{"dim", JsonArray{0}}});
  add_launch(operation("sum", {f32}, f32), {x}, contiguous(3, f32, {}), {});
  add_launch(operation("softmax", {f32}, f32), {columns}, result, {{"dim", 0}});
  add_launch(operation("layer_norm", {f32, std::nullopt, std::nullopt}, f32), {x, {}, {}}, result,
             {{"normalized_shape", JsonArray{256}}});
  add_launch(operation("embedding", {f32, Dtype::kI32}, f32), {x, contiguous(2, Dtype::kI32, {256})}, result, {});
  add_launch(operation("attention", {f32, f32, f32, std::nullopt}, f32), {x, y, y, {}}, result, {});

  Memory* slots[] = {a.get(), b.get(), indices.get(), output.get()};
  backend->run(launches, slots);
  const std::size_t before = testing::allocation_count();
  for (int repeat = 0; repeat < 3; ++repeat) backend->run(launches, slots);
  EXPECT_EQ(testing::allocation_count() - before, 0U);
}

}  // namespace
}  // namespace alknet::compute
