#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>

#include "alknet/compute/conformance.h"
#include "alknet/compute/device_gpu/test_device.h"

namespace alknet::compute {
namespace {

using ::testing::HasSubstr;

/// Both forms of the structured kernels against the references, whatever the adapter; one kind of operation a test.
class GpuConformance : public ::testing::TestWithParam<std::tuple<KernelFamily, graph::OpKind>> {};

TEST_P(GpuConformance, EveryOperationMeetsItsBound) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  GpuBackendOptions options;
  const auto [family, kind] = GetParam();
  const bool elementwise = kind <= graph::OpKind::kTernary || kind == graph::OpKind::kRandom;
  if (family == KernelFamily::kHardware && elementwise && opened.device->provider() != "dawn" &&
      opened.device->adapter().type == gpu::AdapterType::kSoftware) {
    GTEST_SKIP() << "compiling each form takes a minute here; the same kernels run with dawn";
  }
  options.family = family;
  options.shader_f16 = family == KernelFamily::kSoftware;  // f16 both as the extension has it and packed
  const auto backend = make_gpu_backend(opened.device, options);
  ConformanceOptions conformance;
  conformance.quick = true;
  conformance.kinds = {kind};
  conformance.chains = kind == graph::OpKind::kBinary;
  conformance.gpu_bounds = true;
  conformance.flushes_denormals = true;
  const ConformanceReport report = run_conformance(*backend, conformance);
  EXPECT_GT(report.cases, 5u);
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

TEST(GpuConformanceOfTiles, AttentionMeetsItsBoundInAllDtypes) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  if (opened.device->adapter().type == gpu::AdapterType::kSoftware) {
    GTEST_SKIP() << "llvmpipe compiles each form for 20 s; GpuStructured.AttentionOverManyTilesOfKeys runs one on it";
  }
  GpuBackendOptions options;
  options.family = KernelFamily::kHardware;
  ConformanceOptions conformance;
  conformance.ops = {"attention"};  // with the large cases, which have tiles to fill
  conformance.gpu_bounds = true;
  conformance.flushes_denormals = true;
  const ConformanceReport report = run_conformance(*make_gpu_backend(opened.device, options), conformance);
  EXPECT_GT(report.cases, 50u);
  for (const auto& failure : report.failures) ADD_FAILURE() << failure;
}

TEST(GpuConformanceOfTiles, RowsMeetTheirBoundWithoutSubgroups) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  GpuBackendOptions options;
  options.family = KernelFamily::kHardware;
  options.subgroups = false;
  ConformanceOptions conformance;
  conformance.quick = true;
  conformance.ops = {"softmax", "log_softmax", "layer_norm", "sum", "argmax"};
  conformance.gpu_bounds = true;
  conformance.flushes_denormals = true;
  const ConformanceReport report = run_conformance(*make_gpu_backend(opened.device, options), conformance);
  EXPECT_GT(report.cases, 50u);
  for (const auto& failure : report.failures) ADD_FAILURE() << failure;
}

std::string name_of(const ::testing::TestParamInfo<GpuConformance::ParamType>& test) {
  constexpr std::array kNames = {"Creation", "Unary", "Binary", "Ternary",   "Reduction",
                                 "Scan",     "View",  "Random", "Structured"};
  const auto [family, kind] = test.param;
  return std::string(family == KernelFamily::kSoftware ? "Software" : "Hardware") +
         kNames.at(static_cast<std::size_t>(kind));
}

INSTANTIATE_TEST_SUITE_P(Families, GpuConformance,
                         ::testing::Combine(::testing::Values(KernelFamily::kSoftware, KernelFamily::kHardware),
                                            ::testing::Values(graph::OpKind::kCreation, graph::OpKind::kUnary,
                                                              graph::OpKind::kBinary, graph::OpKind::kTernary,
                                                              graph::OpKind::kReduction, graph::OpKind::kScan,
                                                              graph::OpKind::kRandom, graph::OpKind::kStructured)),
                         name_of);

}  // namespace
}  // namespace alknet::compute
