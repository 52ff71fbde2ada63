#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "alknet/base/testing.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/device_cpu/cpu_memory.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/eager/index.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/compute/error.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kMiB = std::size_t{1} << 20;
/// More than an index of 32 bits, with or without a sign bit, counts in i8; in f32 its bytes are beyond both.
constexpr std::int64_t kHuge = (std::int64_t{1} << 31) + 12346;

/// Gigabytes of addresses over one megabyte of memory, mapped again and again; what is behind them has memory of its
/// own.
class Ring {
 public:
  static constexpr std::size_t kPeriod = kMiB;

  /// `bytes` of addresses, the last `kPeriod` or more of which are not shared.
  explicit Ring(std::size_t bytes) : bytes_(bytes), turns_((bytes - kPeriod) / kPeriod) {
    const std::size_t reserved = (turns_ + 3) * kPeriod;
    data_ = static_cast<std::byte*>(
        ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    const int file = ::memfd_create("ring", 0);
    bool mapped = data_ != MAP_FAILED && file >= 0 && ::ftruncate(file, kPeriod) == 0;
    for (std::size_t turn = 0; mapped && turn < turns_; ++turn) {
      mapped = ::mmap(data_ + turn * kPeriod, kPeriod, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) !=
               MAP_FAILED;
    }
    ::close(file);
    if (!mapped) throw Error(BaseError::kOutOfMemory, "the ring cannot be mapped");
  }
  ~Ring() { ::munmap(data_, (turns_ + 3) * kPeriod); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t own_from() const { return turns_ * kPeriod; }  ///< The first byte that is not shared.

 private:
  std::size_t bytes_, turns_;
  std::byte* data_ = nullptr;
};

class RingMemory final : public CpuMemory {
 public:
  explicit RingMemory(const Ring& ring) : ring_(ring) {}
  std::size_t bytes() const override { return ring_.bytes(); }
  std::byte* data() override { return ring_.data(); }

 private:
  const Ring& ring_;
};

SharedBytes bytes_of(const std::shared_ptr<Ring>& ring) {
  return SharedBytes::wrap({ring->data(), ring->bytes()}, ring);
}

Strided row_major(Shape shape) {
  Shape strides = graph::contiguous_strides(shape);
  return {std::move(shape), std::move(strides), 0};
}

/// Runs a CPU kernel from one ring into another.
void run_kernel(const Computation& computation, const Binding& binding, std::span<const Ring* const> rings) {
  const auto backend = make_cpu_backend({.threads = 2});
  std::vector<std::unique_ptr<RingMemory>> owned;
  std::vector<Memory*> slots;
  for (const Ring* ring : rings) {
    owned.push_back(std::make_unique<RingMemory>(*ring));
    slots.push_back(owned.back().get());
  }
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(backend->kernel(computation)->bind(binding));
  backend->run(launches, slots);
}

Computation elementwise(const char* op, std::vector<Dtype> dtypes, Dtype output) {
  const OpSpec& spec = graph::OpTable::builtin().at(op);
  Computation computation;
  computation.inputs.assign(dtypes.begin(), dtypes.end());
  computation.outputs = {output};
  ElementwiseProgram::Step step{&spec, graph::complete_attributes(spec, {}), {}, output};
  for (std::uint32_t i = 0; i < dtypes.size(); ++i) step.arguments.push_back({i, {}});
  const auto result = static_cast<std::uint32_t>(dtypes.size());
  computation.program = {std::move(dtypes), {std::move(step)}, {result}};
  return computation;
}

Computation structured(const char* op, Dtype input, Dtype output, const JsonObject& attrs) {
  const OpSpec& spec = graph::OpTable::builtin().at(op);
  Computation computation;
  computation.op = &spec;
  computation.attrs = graph::complete_attributes(spec, attrs);
  computation.inputs = {input};
  computation.outputs = {output};
  return computation;
}

class HugeTensor : public ::testing::Test {
 protected:
  /// i8 [kHuge], zeros but for the last elements: ..., 3, 2, 1.
  Tensor tensor() const {
    for (std::size_t k = 1; k <= 3; ++k) ring_->data()[ring_->bytes() - k] = static_cast<std::byte>(k);
    return context_.wrap(Dtype::kI8, {kHuge}, bytes_of(ring_));
  }

  const Context context_{std::make_shared<BufferManager>(), make_cpu_backend({.threads = 2})};
  const std::shared_ptr<Ring> ring_ = std::make_shared<Ring>(static_cast<std::size_t>(kHuge));
};

TEST_F(HugeTensor, IsSlicedAtItsFarEnd) {
  const Tensor x = tensor();
  EXPECT_THAT(x.slice(0, kHuge - 4).to(Dtype::kI64).to_vector<std::int64_t>(), ElementsAre(0, 3, 2, 1));
  EXPECT_THAT(x.slice(0, -2).to(Dtype::kI64).to_vector<std::int64_t>(), ElementsAre(2, 1));
  EXPECT_EQ((x.slice(0, kHuge - 3) + x.slice(0, kHuge - 3)).sum().item<std::int64_t>(), 12);
  EXPECT_EQ(x.select(0, kHuge - 2).item<std::int64_t>(), 2);
}

TEST_F(HugeTensor, IsIndexedAtItsFarEnd) {
  const Tensor x = tensor();
  const Tensor places = context_.from<std::int64_t>(std::vector<std::int64_t>{kHuge - 1, 0, kHuge - 3}, {3});
  EXPECT_THAT(x.index_select(places, 0).to(Dtype::kI64).to_vector<std::int64_t>(), ElementsAre(1, 0, 3));
  EXPECT_THAT(x.gather(places, 0).to(Dtype::kI64).to_vector<std::int64_t>(), ElementsAre(1, 0, 3));
  EXPECT_THAT(x.take(places).to(Dtype::kI64).to_vector<std::int64_t>(), ElementsAre(1, 0, 3));
  const Tensor beyond = context_.from<std::int64_t>(std::vector<std::int64_t>{kHuge}, {1});
  EXPECT_EQ(code_of([&] { x.gather(beyond, 0); }), "index_out_of_range");
}

TEST_F(HugeTensor, IsReducedOverASteppedView) {
  const Tensor x = tensor();
  // Every 2^20th element from one of the last on: that one and zeros before it.
  const std::int64_t step = std::int64_t{1} << 20;
  EXPECT_EQ(x.slice(0, (kHuge - 2) % step, std::nullopt, step).sum().item<std::int64_t>(), 2);
  EXPECT_EQ(x.slice(0, (kHuge - 3) % step, std::nullopt, step).to(Dtype::kI32).argmax().item<std::int64_t>(),
            (kHuge - 3) / step);
}

TEST_F(HugeTensor, IsSeenAsAMatrix) {
  ASSERT_EQ(kHuge % 7, 0) << "choose another size";
  const Tensor x = tensor().reshape({7, kHuge / 7});
  EXPECT_THAT(x.transpose(0, 1).slice(0, -2).select(1, 6).to(Dtype::kI64).to_vector<std::int64_t>(), ElementsAre(2, 1));
  EXPECT_THAT(x.slice(1, -2).sum(std::vector<std::int64_t>{1}).to_vector<std::int64_t>(),
              ElementsAre(0, 0, 0, 0, 0, 0, 3));
}

TEST(HugeResult, OfAnElementWiseOperation) {
  const Ring from(static_cast<std::size_t>(kHuge)), to(static_cast<std::size_t>(kHuge));
  std::memset(from.data(), 5, Ring::kPeriod);
  std::memset(from.data() + from.own_from(), 6, from.bytes() - from.own_from());
  const Strided layout = row_major({kHuge});
  run_kernel(elementwise("neg", {Dtype::kI8}, Dtype::kI8),
             {{Operand{0, Dtype::kI8, layout}}, {{1, Dtype::kI8, layout}}, {}}, std::array{&from, &to});
  const auto* values = reinterpret_cast<const std::int8_t*>(to.data());
  EXPECT_TRUE(std::all_of(values, values + Ring::kPeriod, [](std::int8_t value) { return value == -5; }));
  EXPECT_TRUE(std::all_of(values + to.own_from(), values + kHuge, [](std::int8_t value) { return value == -6; }));
  EXPECT_EQ(values[kHuge], 0) << "written behind the end";
}

TEST(HugeOperand, OfAReduction) {
  const Ring from(static_cast<std::size_t>(kHuge)), to(2 * Ring::kPeriod);
  const Computation any = structured("any", Dtype::kBool, Dtype::kBool, {});
  const Binding binding{{Operand{0, Dtype::kBool, row_major({kHuge})}}, {{1, Dtype::kBool, row_major({})}}, any.attrs};
  run_kernel(any, binding, std::array{&from, &to});
  EXPECT_EQ(to.data()[0], std::byte{0});
  from.data()[kHuge - 1] = std::byte{1};
  run_kernel(any, binding, std::array{&from, &to});
  EXPECT_EQ(to.data()[0], std::byte{1});
}

TEST(Limits, TensorOfTooManyElementsIsRefused) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({.threads = 1}));
  const Tensor one = context.from<float>(std::vector<float>{1}, {1});
  EXPECT_EQ(code_of([&] { relu(one.expand({std::int64_t{1} << 62})); }), "size_overflow");
  EXPECT_EQ(code_of([&] { context.empty(Dtype::kF64, {std::int64_t{1} << 61}); }), "size_overflow");
  EXPECT_EQ(code_of([&] { relu(one.expand({std::int64_t{1} << 58})); }), "out_of_memory");
  EXPECT_EQ(relu(one.expand({3})).sum().item<float>(), 3);
}

TEST(OutOfMemory, NamesSizesAndLeavesAllUsable) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({.threads = 1, .memory_limit = 8 * kMiB}));
  const Tensor x = context.from<float>(std::vector<float>(kMiB / 2, 1.0f), {static_cast<std::int64_t>(kMiB / 2)});
  const Error error = error_of([&] { relu(x.reshape({-1, 1}).expand({-1, 64})); });
  EXPECT_EQ(error.code(), ComputeError::kOutOfMemory);
  EXPECT_THAT(error.message(), ::testing::HasSubstr(std::to_string(128 * kMiB)));
  EXPECT_THAT(error.message(), ::testing::HasSubstr("smaller batches"));
  EXPECT_EQ((x + x).sum().item<float>(), kMiB);
}

TEST(OutOfMemory, EmptiesThePoolAndTriesAgain) {
  const auto backend = make_cpu_backend({.threads = 1, .memory_limit = 8 * kMiB});
  BufferManager buffers;
  buffers.allocate(backend, 5 * kMiB, "pooled").reset();
  EXPECT_GT(buffers.statistics(*backend).pooled, 0U);
  const auto large = buffers.allocate(backend, 7 * kMiB, "large");
  EXPECT_EQ(large->bytes(), 7 * kMiB);
  EXPECT_EQ(buffers.statistics(*backend).pooled, 0U);
}

TEST(OutOfMemory, PlanThatNeedsTooMuchRunsWithSmallerInputs) {
  const Context context(std::make_shared<BufferManager>(), make_cpu_backend({.threads = 1, .memory_limit = 16 * kMiB}));
  graph::GraphBuilder g;
  const auto x = g.input("x", Dtype::kF32, {graph::Dim::symbol("n"), 1});
  const auto y = g.input("y", Dtype::kF32, {1, graph::Dim::symbol("n")});
  g.output("sorted", g.node("sort", {g.node("mul", {x, y})}));
  Session session(Plan::compile(std::move(g).build(), context.backend()), Store(context));
  const auto run = [&](std::int64_t n) {
    const std::vector<float> ones(static_cast<std::size_t>(n), 1.0f);
    return session.run(std::vector{context.from<float>(ones, {n, 1}), context.from<float>(ones, {1, n})}).front();
  };
  EXPECT_EQ(code_of([&] { run(20000); }), "out_of_memory");
  EXPECT_EQ(run(20).sum().item<float>(), 400);
  EXPECT_EQ(code_of([&] { run(20000); }), "out_of_memory");
  EXPECT_EQ(run(20).sum().item<float>(), 400);
}

/// In a child process, because the limit of its address space cannot be taken back.
TEST(OutOfMemory, OfTheSystemIsAnErrorAndTheProcessGoesOn) {
  const auto child = [] {
    const Context context(std::make_shared<BufferManager>(), make_cpu_backend({.threads = 1}));
    const Tensor x = context.from<float>(std::vector<float>(1000, 1.0f), {1000});
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t bytes = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (std::size_t{1} << 30);
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    std::vector<Tensor> held;
    std::string code = "no error";
    while (code == "no error" && held.size() < 64) {
      code = code_of([&] { held.push_back(context.empty(Dtype::kU8, {std::int64_t{1} << 28})); });
    }
    if (code != "out_of_memory" || held.empty()) std::_Exit(3);
    if ((x + x).sum().item<float>() != 2000) std::_Exit(4);
    held.clear();
    if (context.empty(Dtype::kU8, {std::int64_t{1} << 28}).shape().front() != std::int64_t{1} << 28) std::_Exit(5);
    std::_Exit(0);
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "");
}

TEST(OutOfMemory, OfAGpuLeavesItUsable) {
  std::shared_ptr<Backend> backend;
  try {
    backend = Devices().open("gpu");
  } catch (const Error& error) {
    GTEST_SKIP() << "no WebGPU adapter: " << error.message();
  }
  const Context context(std::make_shared<BufferManager>(), backend);
  const Tensor x = context.from<float>(std::vector<float>{1, 2}, {2});
  const Error error = error_of([&] { relu(x.reshape({2, 1}).expand({2, std::int64_t{1} << 36})); });
  EXPECT_THAT(error.code_name(), ::testing::AnyOf("limit_exceeded", "out_of_memory"));
  EXPECT_EQ((x + x).sum().item<float>(), 6);
}

}  // namespace
}  // namespace alknet::compute
