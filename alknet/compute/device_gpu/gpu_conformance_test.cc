#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/compute/conformance.h"
#include "alknet/compute/device_gpu/test_device.h"

namespace alknet::compute {
namespace {

using ::testing::HasSubstr;

/// Both forms of the structured kernels against the references, whatever the adapter.
class GpuConformance : public ::testing::TestWithParam<KernelFamily> {};

TEST_P(GpuConformance, EveryOperationMeetsItsBound) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  GpuBackendOptions options;
  options.family = GetParam();
  options.shader_f16 = GetParam() == KernelFamily::kSoftware;  // f16 both as the extension has it and packed
  const auto backend = make_gpu_backend(opened.device, options);
  ConformanceOptions conformance;
  conformance.quick = true;
  conformance.gpu_bounds = true;
  conformance.flushes_denormals = true;
  const ConformanceReport report = run_conformance(*backend, conformance);
  EXPECT_GT(report.cases, 100u);
  for (const auto& failure : report.failures) ADD_FAILURE() << failure;
  for (const auto& refused : report.unsupported) {
    const bool cpu_only = refused.starts_with("inverse") || refused.starts_with("solve") ||
                          refused.starts_with("cholesky") || refused.starts_with("det");
    if (cpu_only) {
      EXPECT_THAT(refused, HasSubstr(".to('cpu')"));
    } else {
      EXPECT_THAT(refused, ::testing::Not(HasSubstr("f32:")));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GpuConformance, ::testing::Values(KernelFamily::kSoftware, KernelFamily::kHardware),
                         [](const auto& family) {
                           return family.param == KernelFamily::kSoftware ? "Software" : "Hardware";
                         });

}  // namespace
}  // namespace alknet::compute
