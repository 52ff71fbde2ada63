#include "alknet/compute/shared_buffer.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <vector>

#include "alknet/base/testing.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/compute/devices.h"
#include "alknet/gpu/gpu_test_fixture.h"
#include "alknet/gpu/native_device.h"
#include "alknet/gpu/shared_devices.h"

namespace alknet::compute {
namespace {

/// A program that shares its device with tensors.
class SharedBuffer : public gpu::GpuTest {
 protected:
  void SetUp() override {
    gpu::GpuTest::SetUp();
    if (IsSkipped()) return;
    gpus_ = std::make_shared<gpu::SharedDevices>(gpu::DeviceOptions{.label = "shared"});
    devices_ = std::make_shared<Devices>(Devices::Options{.threads = 1, .gpus = gpus_});
    context_.emplace(std::make_shared<BufferManager>(), devices_->open("gpu:0"), devices_);
  }

  Tensor made(const std::vector<float>& values) const {
    return context_->from(std::span<const float>(values), {static_cast<std::int64_t>(values.size())});
  }
  BufferStatistics statistics() const { return context_->buffers()->statistics(*context_->backend()); }

  std::shared_ptr<gpu::SharedDevices> gpus_;
  std::shared_ptr<Devices> devices_;
  std::optional<Context> context_;
};

TEST_F(SharedBuffer, DevicesAreThoseOfTheProgram) {
  EXPECT_EQ(*gpu_device(*context_->backend()), gpus_->open("gpu:0"));
  EXPECT_EQ(gpu_device(*devices_->open("cpu")), nullptr);
  EXPECT_TRUE(gpus_->open("gpu:0").robust());
}

TEST_F(SharedBuffer, IsTheMemoryOfTheTensor) {
  const Tensor x = made({1, 2, 3});
  const LentBuffer lent = lend_buffer(x, true);
  EXPECT_EQ(lent.buffer.get(), gpu_buffer(*x.buffer()->memory()));
  EXPECT_EQ(lent.bytes, 12U);
  EXPECT_EQ(x.buffer()->version(), 1U);
  EXPECT_STREQ(x.buffer()->last_writer(), "gpuBuffer");
  EXPECT_EQ(lend_buffer(x, false).owner->version(), 1U);
  const std::array<float, 2> others = {7, 8};
  gpus_->open("gpu:0").write_buffer(*lent.buffer, 4, std::as_bytes(std::span(others)));
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1, 7, 8}));
  const Tensor same = tensor_over(*context_, lent, Dtype::kI32, {3});
  EXPECT_EQ(same.buffer(), x.buffer());
  EXPECT_EQ(code_of([&] { tensor_over(*context_, lent, Dtype::kF32, {4}); }), "shape_mismatch");
}

TEST_F(SharedBuffer, NeverGoesToThePool) {
  const std::uint64_t pooled = statistics().pooled;
  std::optional<LentBuffer> lent = lend_buffer(made({1, 2, 3, 4}), true);
  const gpu::Buffer* const below = lent->buffer.get();
  const Tensor other = made({5, 6, 7, 8});
  EXPECT_NE(gpu_buffer(*other.buffer()->memory()), below);
  lent.reset();
  EXPECT_EQ(statistics().pooled, pooled);
}

TEST_F(SharedBuffer, OfAViewOrTheCpuIsRefused) {
  const Tensor x = context_->from(std::span<const float>(std::vector<float>{1, 2, 3, 4}), {2, 2});
  const auto refused = [](const Tensor& tensor) { return code_of([&] { lend_buffer(tensor, true); }); };
  EXPECT_EQ(refused(x.to("cpu")), "unsupported");
  EXPECT_EQ(refused(x.view("transpose", {{"dim0", 0}, {"dim1", 1}})), "unsupported");
  EXPECT_EQ(refused(x[1]), "unsupported");
  EXPECT_EQ(refused(x[0]), "unsupported");
  EXPECT_EQ(lend_buffer(contiguous(x), true).bytes, 16U);
}

TEST_F(SharedBuffer, OfTheProgramBecomesATensor) {
  const gpu::Device device = gpus_->open("gpu:0");
  const std::array<float, 4> values = {1, 2, 3, 4};
  const gpu::Buffer own = device.create_buffer(std::as_bytes(std::span(values)));
  const auto adopted = [&](std::uint64_t bytes) { return gpu::adopt_buffer(device, gpu::native_buffer(own), bytes); };
  const auto backend = context_->backend();
  const std::uint64_t live = statistics().live;
  const Tensor x = tensor_over(*context_, backend, adopted(16), true, Dtype::kF32, {2, 2});
  EXPECT_EQ(statistics().live, live + 16);
  x.assign(x.mul(x).view("transpose", {{"dim0", 0}, {"dim1", 1}}));
  std::array<float, 4> seen{};
  device.readback(own, 0, std::as_writable_bytes(std::span(seen)));
  EXPECT_EQ(seen, (std::array<float, 4>{1, 9, 4, 16}));
  const Tensor fixed = tensor_over(*context_, backend, adopted(16), false, Dtype::kF32, {4});
  EXPECT_EQ(code_of([&] { fixed.assign(fixed); }), "read_only");
  EXPECT_EQ(code_of([&] { fixed.write(std::as_bytes(std::span(values))); }), "read_only");
  const auto refused = [&](const std::shared_ptr<Backend>& on, std::uint64_t bytes, const Shape& shape) {
    return code_of([&] { tensor_over(*context_, on, adopted(bytes), true, Dtype::kF32, shape); });
  };
  EXPECT_EQ(refused(backend, 16, {5}), "shape_mismatch");
  EXPECT_EQ(refused(backend, 12, {3}), "shape_mismatch");
  EXPECT_EQ(refused(devices_->open("cpu"), 16, {4}), "invalid_argument");
}

TEST_F(SharedBuffer, LetGoByItsOwnerWorksOnForWhoHoldsTheProvidersBuffer) {
  const gpu::Device device = gpus_->open("gpu:0");
  const auto values = std::vector<std::uint32_t>{1, 2, 3, 4};
  std::optional<gpu::Buffer> lent = device.create_buffer(std::as_bytes(std::span(values)));
  lent->lend();
  const gpu::Buffer other = gpu::adopt_buffer(device, gpu::native_buffer(*lent), 16);
  lent.reset();
  std::vector<std::uint32_t> seen(4);
  device.readback(other, 0, std::as_writable_bytes(std::span(seen)));
  EXPECT_EQ(seen, values);
}

TEST_F(SharedBuffer, TheEndOfOneLoanLeavesTheOthersAndTheOwner) {
  const gpu::Device device = gpus_->open("gpu:0");
  const auto values = std::vector<std::uint32_t>{1, 2, 3, 4};
  const auto seen_in = [&](const gpu::Buffer& buffer) {
    std::vector<std::uint32_t> seen(4);
    device.readback(buffer, 0, std::as_writable_bytes(std::span(seen)));
    return seen;
  };
  std::optional<gpu::Buffer> lent = device.create_buffer(std::as_bytes(std::span(values)));
  lent->lend();
  lent->lend();
  lent->end_loan();
  const gpu::Buffer other = gpu::adopt_buffer(device, gpu::native_buffer(*lent), 16);
  lent.reset();
  EXPECT_EQ(seen_in(other), values);

  // The program's buffer as a tensor, which is shown to it once more and disposed of.
  const gpu::Buffer own = device.create_buffer(std::as_bytes(std::span(values)));
  std::optional<gpu::Buffer> adopted = gpu::adopt_buffer(device, gpu::native_buffer(own), 16);
  adopted->lend();
  adopted->end_loan();
  adopted.reset();
  EXPECT_EQ(seen_in(own), values);
}

TEST_F(SharedBuffer, ALostDeviceIsMadeAnewForAll) {
  const gpu::Device before = gpus_->open("gpu:0");
  before.lose("driver reset");
  const auto backend = devices_->open("gpu:0");
  EXPECT_FALSE(backend->lost());
  EXPECT_EQ(*gpu_device(*backend), gpus_->open("gpu:0"));
  EXPECT_FALSE(gpus_->open("gpu:0") == before);
}

}  // namespace
}  // namespace alknet::compute
