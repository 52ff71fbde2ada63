#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "alknet/base/loop.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/gpu/gpu_test_fixture.h"
#include "alknet/platform/webgpu/coverage.h"
#include "alknet/platform/webgpu/navigator_gpu.h"
#include "alknet/platform/webgpu/testing.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform::webgpu {
namespace {

using runtime::Realm;
using runtime::Value;

const std::filesystem::path kFolder = std::filesystem::path(ALKNET_SOURCE_DIR) / "alknet/platform/webgpu/tests";

std::vector<std::string> scripts() {
  std::vector<std::string> result;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    if (name.ends_with("_test.js")) result.push_back(name);
  }
  std::ranges::sort(result);
  return result;
}

class NavigatorGpu : public gpu::GpuTest, public testing::WithParamInterface<std::string> {
 protected:
  /// Runs a script of the folder in an isolate with `navigator.gpu`; what failed, empty when nothing did.
  std::string run(const std::string& script, Coverage& coverage) const {
    WebGpuOptions options;
    options.instance = [] { return instance(); };
    options.device = [this](const std::string&) { return device(); };
    options.coverage = &coverage;
    return run_script(kFolder / script, std::move(options));
  }
};

TEST_P(NavigatorGpu, Passes) {
  Coverage coverage;
  EXPECT_EQ(run(GetParam(), coverage), "");
}

INSTANTIATE_TEST_SUITE_P(Scripts, NavigatorGpu, testing::ValuesIn(scripts()), [](const auto& one) {
  std::string name = one.param.substr(0, one.param.find("_test.js"));
  std::ranges::replace(name, '-', '_');
  return name;
});

// Members that no test can exercise: "GPUQueue.x  why".
std::map<std::string, std::string> documented_reasons() {
  std::map<std::string, std::string> result;
  std::ifstream file(kFolder / "not_exercised.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find(' ');
    result[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', space));
  }
  return result;
}

class NavigatorGpuCoverage : public NavigatorGpu {};

TEST_F(NavigatorGpuCoverage, HasATestOrAReasonForEveryMemberOfTheStandard) {
  std::map<std::string, std::string> tests_of;  // member -> the scripts that exercise it
  for (const std::string& script : scripts()) {
    Coverage coverage;
    static_cast<void>(run(script, coverage));
    for (const std::string& member : coverage.touched)
      tests_of[member] += (tests_of[member].empty() ? "" : " ") + script;
  }
  const std::map<std::string, std::string> reasons = documented_reasons();
  std::ofstream list("webgpu_members.txt");
  std::vector<std::string> missing, needless;
  for (const std::string& member : all_members()) {
    const auto reason = reasons.find(member);
    const bool tested = tests_of.contains(member);
    list << member << ": "
         << (tested                    ? tests_of[member]
             : reason != reasons.end() ? reason->second
                                       : "MISSING")
         << '\n';
    if (!tested && reason == reasons.end()) missing.push_back(member);
    if (tested && reason != reasons.end()) needless.push_back(member);
  }
  EXPECT_THAT(missing, testing::IsEmpty()) << "add a test, or a line with the reason to tests/not_exercised.txt";
  EXPECT_THAT(needless, testing::IsEmpty()) << "tests/not_exercised.txt gives a reason for what a test exercises";
  for (const auto& [member, reason] : reasons) EXPECT_FALSE(reason.empty()) << member << " needs a reason";
}

}  // namespace
}  // namespace alknet::platform::webgpu
