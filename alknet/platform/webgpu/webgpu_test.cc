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

#include "alknet/base/manual_executor.h"
#include "alknet/gpu/gpu_test_fixture.h"
#include "alknet/gpu/native_device.h"
#include "alknet/platform/webgpu/coverage.h"
#include "alknet/platform/webgpu/navigator_gpu.h"
#include "alknet/platform/webgpu/testing.h"
#include "alknet/runtime/isolate.h"

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
  static std::string run(const std::string& script, Coverage& coverage) {
    const gpu::Device shared = instance().acquire("gpu:0", {.label = "shared", .features = feature_list()});
    WebGpuOptions options;
    options.instance = [] { return instance(); };
    options.device = [shared](const std::string&) { return shared; };
    options.coverage = &coverage;
    return run_script(kFolder / script, std::move(options), [shared] { shared.lose("driver reset"); });
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

class SharedBuffer : public gpu::GpuTest {};

TEST_F(SharedBuffer, IsTheMemoryOfItsOwnerWithoutACopy) {
  ManualExecutor executor;
  runtime::IsolateOptions options;
  options.executor = &executor;
  runtime::Isolate isolate(std::move(options));
  const Realm realm = isolate.realm();
  install_webgpu(realm, {.instance = [] { return instance(); }});
  const auto buffer = std::make_shared<const gpu::Buffer>(upload({1, 2, 3, 4}));
  const Value view = wrap_device(realm, device());
  realm.global().set("device", view);
  realm.global().set("buffer", wrap_buffer(view, {buffer}));
  const NativeBuffer below = unwrap_buffer(realm.global().get("buffer"));
  EXPECT_EQ(below.buffer, gpu::native_buffer(*buffer));
  EXPECT_EQ(below.size, 16U);
  EXPECT_EQ(below.device, device());
  isolate.eval(R"(
    const module = device.createShaderModule({ code: `
      @group(0) @binding(0) var<storage, read_write> data: array<u32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] *= 2; }` });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: buffer }] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    device.queue.submit([encoder.finish()]);
    buffer.destroy();)");
  EXPECT_EQ(download(*buffer), (std::vector<std::uint32_t>{2, 4, 6, 8}));
  EXPECT_EQ(unwrap_buffer(realm.global().get("buffer")).buffer, nullptr);  // destroyed: the view, not the memory
  EXPECT_EQ(unwrap_buffer(view).buffer, nullptr);
  const gpu::Device other = instance().acquire("gpu:0");
  EXPECT_THROW(wrap_buffer(wrap_device(realm, other), {buffer}), Error);
}

TEST(WithoutInstalling, ThereIsNoGpu) {
  runtime::Isolate isolate;
  EXPECT_EQ(isolate.eval("typeof navigator === 'undefined' || navigator.gpu === undefined").to_boolean(), true);
}

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
