// Kernels that are wrong on purpose. With Dawn every one comes back as an error or does no harm, and the device works
// afterwards; wgpu-native may end the process, so there each runs in a child.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/testing.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/kernels/kernel_registry.h"

namespace alknet::compute {
namespace {

SourceKernel kernel_of(std::string source) {
  SourceKernel kernel;
  kernel.name = "hostile";
  kernel.source = std::move(source);
  kernel.inputs = {{"x", Dtype::kU32, {{4}}}};
  kernel.outputs = {{"y", Dtype::kU32, {4}}};
  kernel.workgroups = {1};
  return kernel;
}

const std::string kDeclarations =
    "@group(0) @binding(1) var<storage, read> x: array<u32>;\n"
    "@group(0) @binding(2) var<storage, read_write> y: array<u32>;\n";

SourceKernel body_of(const std::string& body, const std::string& before = "") {
  return kernel_of(kDeclarations + before + "@compute @workgroup_size(1) fn main() { " + body + " }");
}

class HostileKernel : public ::testing::Test {
 protected:
  /// The code of the kernel's error, or "ran"; "harmed" when the device then does not compute, or an input has changed.
  static std::string outcome(const SourceKernel& kernel) {
    const Context context("gpu");
    const Tensor x = context.from<std::uint32_t>(std::array<std::uint32_t, 4>{1, 2, 3, 4}, {4});
    KernelRegistry registry(context, {.trusted = true});
    const auto error = thrown_by([&] {
      registry.add(kernel);
      registry.dispatch(kernel.name, std::array{x}).at(0).to_vector<std::uint32_t>();
    });
    const std::vector<std::uint32_t> kept = {1, 2, 3, 4}, doubled = {2, 4, 6, 8};
    if (x.to_vector<std::uint32_t>() != kept || x.add(x).to_vector<std::uint32_t>() != doubled) return "harmed";
    return error ? error->code_name() : "ran";
  }

  /// `wgpu` is what comes of it with wgpu-native, where that differs.
  static void expect(const std::string& expected, const SourceKernel& kernel, const std::string& wgpu = "") {
    const char* provider = std::getenv("ALKNET_WEBGPU");
    if (provider == nullptr || std::string(provider) != "wgpu") {
      try {
        EXPECT_EQ(outcome(kernel), expected);
      } catch (const Error& error) {
        GTEST_SKIP() << error.message();
      }
      return;
    }
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
          std::string got;
          try {
            got = outcome(kernel);
          } catch (const Error& error) {
            got = error.code_name();
          }
          std::fprintf(stderr, "outcome: %s\n", got.c_str());
          std::_Exit(0);
        },
        ::testing::ExitedWithCode(0), "outcome: (" + (wgpu.empty() ? expected : wgpu) + "|no_provider|unknown_device)");
  }
};

TEST_F(HostileKernel, IndicesOutsideStayInside) {
  expect("ran", body_of("y[0x3fffffffu + x[0]] = 7u; y[1] = x[0x7fffffffu] * 0u + 1u;"));
}

TEST_F(HostileKernel, WorkgroupMemoryBeyondTheLimit) {
  expect("shader_invalid", body_of("big[x[0]] = 1u; y[0] = big[0];", "var<workgroup> big: array<u32, 4000000>;\n"),
         "ran");
}

TEST_F(HostileKernel, WorkgroupBeyondTheLimit) {
  expect("shader_invalid", kernel_of(kDeclarations + "@compute @workgroup_size(65535) fn main() { y[0] = x[0]; }"));
}

TEST_F(HostileKernel, EndlessLoop) { expect("shader_invalid", body_of("loop {} y[0] = x[0];"), "ran"); }

TEST_F(HostileKernel, EntryThatIsNotThere) {
  SourceKernel kernel = body_of("y[0] = x[0];");
  kernel.entry = "start";
  expect("shader_invalid", kernel);
}

TEST_F(HostileKernel, InputThatIsWritten) {
  expect("shader_invalid", kernel_of("@group(0) @binding(1) var<storage, read_write> x: array<u32>;\n"
                                     "@group(0) @binding(2) var<storage, read_write> y: array<u32>;\n"
                                     "@compute @workgroup_size(1) fn main() { x[0] = 9u; y[0] = x[0]; }"));
}

TEST_F(HostileKernel, BindingThatIsNotThere) {
  expect("shader_invalid", kernel_of("@group(0) @binding(7) var<storage, read_write> z: array<u32>;\n"
                                     "@compute @workgroup_size(1) fn main() { z[0] = 9u; }"));
  expect("shader_invalid", kernel_of("@group(1) @binding(0) var<storage, read_write> z: array<u32>;\n"
                                     "@compute @workgroup_size(1) fn main() { z[0] = 9u; }"));
}

TEST_F(HostileKernel, BufferSmallerThanTheSourceSays) {
  expect("validation_failed", kernel_of("@group(0) @binding(1) var<storage, read> x: array<u32, 4096>;\n"
                                        "@group(0) @binding(2) var<storage, read_write> y: array<u32>;\n"
                                        "@compute @workgroup_size(1) fn main() { y[0] = x[4095]; }"));
}

TEST_F(HostileKernel, ParameterBlockLargerThanTheParameters) {
  expect("validation_failed", body_of("y[0] = x[0] + p.words[9].x;",
                                      "struct P { words: array<vec4<u32>, 10> }\n"
                                      "@group(0) @binding(0) var<uniform> p: P;\n"));
}

TEST_F(HostileKernel, TextOfEveryKind) {
  expect("shader_invalid", kernel_of("}{"));
  expect("shader_invalid", kernel_of(std::string("\0\xff\xfe", 3)));
  expect("shader_invalid", kernel_of(std::string(10'000, '(')));
  expect("shader_invalid", kernel_of("enable f64;"));
}

}  // namespace
}  // namespace alknet::compute
