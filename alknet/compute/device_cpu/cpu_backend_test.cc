#include "alknet/compute/device_cpu/cpu_backend.h"

#include <gtest/gtest.h>

#include "alknet/base/error.h"
#include "alknet/compute/conformance.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

TEST(CpuBackend, AgreesWithTheReferenceOnEveryOperation) {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
    const auto backend = make_cpu_backend({.threads = threads});
    ConformanceOptions options;
    options.quick = threads != 1;
    const ConformanceReport report = run_conformance(*backend, options);
    for (const auto& failure : report.failures) ADD_FAILURE() << failure;
    for (const auto& refused : report.unsupported) ADD_FAILURE() << refused;
    EXPECT_GT(report.cases, 1000U);
  }
}

}  // namespace
}  // namespace alknet::compute
