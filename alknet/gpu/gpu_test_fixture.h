#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/instance.h"

namespace alknet::gpu {

/// Tests that need a device: the machine's first adapter, usually the software one. Skips, with the reason, where
/// there is none. The library is loaded once a program, a device made once a test. The instance goes before main
/// returns: afterwards drivers run their own cleanup, and NVIDIA's then crashes.
class GpuTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (instance_) return;
    try {
      instance_ = std::make_unique<Instance>(InstanceOptions{.pipeline_cache = "off"});
      reason_ = instance_->reason();
    } catch (const Error& error) {
      reason_ = error.message();
    }
  }

  void SetUp() override {
    if (!reason_.empty()) GTEST_SKIP() << "no GPU: " << reason_;
    device_ = instance_->acquire("gpu:0", {.robust = robust_, .label = "test"});
  }

  const Device& device() const { return device_; }
  static const Instance& instance() { return *instance_; }
  static bool provider_is(std::string_view name) { return instance_->provider().starts_with(name); }

  Buffer upload(const std::vector<std::uint32_t>& values, BufferUsage usage = BufferUsage::kStorage) const {
    return device_.create_buffer(std::as_bytes(std::span(values)), usage, "input");
  }
  std::vector<std::uint32_t> download(const Buffer& buffer) const {
    std::vector<std::uint32_t> values(buffer.size() / 4);
    device_.readback(buffer, 0, std::as_writable_bytes(std::span(values)));
    return values;
  }

  bool robust_ = true;

 private:
  struct Cleanup final : testing::Environment {
    void TearDown() override { instance_.reset(); }
  };
  static inline testing::Environment* const cleanup_ = testing::AddGlobalTestEnvironment(new Cleanup);
  static inline std::unique_ptr<Instance> instance_;
  static inline std::string reason_;
  Device device_;
};

/// out[i] = in[i] * factor for i < arrayLength.
inline KernelSource scale_kernel(const std::string& name = "scale") {
  return {.name = name,
          .code = R"(
override factor: u32 = 2u;
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&input)) { output[i] = input[i] * factor; }
}
)",
          .bindings = {BindingKind::kReadOnly, BindingKind::kStorage}};
}

/// Runs `body`, which must throw an Error with `code`, and returns that error.
template <typename Body>
std::optional<Error> error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// As a matcher over `error_of`: the error has this code and its message contains `part`.
MATCHER_P2(IsGpuError, code, part, "") {
  if (!arg) {
    *result_listener << "nothing was thrown";
    return false;
  }
  *result_listener << arg->code_name() << ": " << arg->message();
  return arg->code() == make_error_code(code) && arg->message().find(part) != std::string::npos;
}

}  // namespace alknet::gpu
