#include "alknet/compute/kernels/kernel_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <optional>

#include "alknet/base/testing.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/kernels/source_scan.h"
#include "alknet/gpu/glsl_compiler.h"

namespace alknet::compute {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// y[r][c] = factor * x[r][c] + bias[c], whatever the sizes.
constexpr std::string_view kRowBias = R"json({
  "name": "row_bias",
  "language": "wgsl",
  "source": "@PLACE@",
  "parameters": [{"name": "factor", "dtype": "f32", "default": 2}, {"name": "columns", "dtype": "u32", "value": "c"}],
  "inputs": [{"name": "x", "dtype": "f32", "shape": ["r", "c"]}, {"name": "bias", "dtype": "f32", "shape": ["c"]}],
  "outputs": [{"name": "y", "dtype": "f32", "shape": ["r", "c"]}],
  "workgroup_size": [64],
  "workgroups": "(r*c + 63)//64"
})json";

constexpr const char* kRowBiasSource = R"(
struct Parameters { factor: f32, columns: u32 }
@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&y)) { y[i] = p.factor * x[i] + bias[i % p.columns]; }
}
)";

JsonObject row_bias() {
  JsonObject json = parse_json(kRowBias).as_object();
  json["source"] = kRowBiasSource;
  return json;
}

/// Writes `value` over its one output.
SourceKernel fill(std::string name, std::string statement = "y[id.x] = 7.0;") {
  SourceKernel kernel;
  kernel.name = std::move(name);
  kernel.source =
      "@group(0) @binding(1) var<storage, read_write> y: array<f32>;\n"
      "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) { " +
      statement + " }";
  kernel.outputs = {{"y", Dtype::kF32, {4}}};
  kernel.workgroups = {2};
  return kernel;
}

class KernelRegistryTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      context.emplace(GetParam());
      registry.emplace(*context, KernelRegistry::Options{.trusted = true});
      registry->add(fill("probe"));
    } catch (const Error& error) {
      GTEST_SKIP() << error.message();
    }
  }

  Tensor floats(const std::vector<float>& values, Shape shape) const { return context->from<float>(values, shape); }
  std::vector<float> run(std::string_view name, std::vector<Tensor> inputs, const KernelRegistry::Call& call = {}) {
    return registry->dispatch(name, inputs, call).at(0).to_vector<float>();
  }

  std::optional<Context> context;
  std::optional<KernelRegistry> registry;
};

TEST_P(KernelRegistryTest, RunsWgslByName) {
  registry->add(row_bias());
  const Tensor x = floats({1, 2, 3, 4, 5, 6}, {2, 3}), bias = floats({10, 20, 30}, {3});
  const auto y = registry->dispatch("row_bias", std::array{x, bias}).at(0);
  EXPECT_EQ(y.device(), x.device());
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
  EXPECT_THAT(y.to_vector<float>(), ElementsAre(12, 24, 36, 18, 30, 42));
  EXPECT_THAT(run("row_bias", {x, bias}, {.parameters = {{"factor", -1}}}), ElementsAre(9, 18, 27, 6, 15, 24));
  // Its results are tensors like others.
  EXPECT_EQ(y.sum().item<float>(), 162);
}

TEST_P(KernelRegistryTest, TakesViewsAndEmptyTensors) {
  registry->add(row_bias());
  const Tensor x = floats({1, 4, 2, 5, 3, 6}, {3, 2}).transpose(0, 1);
  const Tensor bias = floats({0, 0, 0, 10, 20, 30}, {6}).slice(0, 3);
  EXPECT_THAT(run("row_bias", {x, bias}), ElementsAre(12, 24, 36, 18, 30, 42));
  const auto none = registry->dispatch("row_bias", std::array{floats({}, {0, 3}), bias}).at(0);
  EXPECT_EQ(none.shape(), (Shape{0, 3}));
}

TEST_P(KernelRegistryTest, StartsOutputsWithZeros) {
  // From a pool that has what others wrote.
  floats({9, 9, 9, 9}, {4});
  EXPECT_THAT(run("probe", {}), ElementsAre(7, 7, 0, 0));
  EXPECT_THAT(run("probe", {}, {.workgroups = WorkgroupCounts{4, 1, 1}}), ElementsAre(7, 7, 7, 7));
  EXPECT_THAT(run("probe", {}, {.workgroups = WorkgroupCounts{4, 0, 1}}), ElementsAre(0, 0, 0, 0));
}

TEST_P(KernelRegistryTest, FoldsManyWorkgroups) {
  registry->add(row_bias());
  const std::int64_t size = 65535 * 64 + 100;
  const Tensor x = context->from<float>(std::vector<float>(static_cast<std::size_t>(size), 1), {size, 1});
  const auto y = run("row_bias", {x, floats({5}, {1})});
  EXPECT_EQ(y.front(), 7);
  EXPECT_EQ(y.back(), 7);

  SourceKernel plain = fill("plain");
  plain.workgroups = {70000};
  plain.folds = true;
  registry->add(plain);
  const Error blind = error_of([&] { run("plain", {}); });
  EXPECT_EQ(blind.code_name(), "limit_exceeded");
  EXPECT_THAT(blind.message(), HasSubstr("num_workgroups"));
  EXPECT_EQ(code_of([&] { run("probe", {}, {.workgroups = WorkgroupCounts{1, 70000, 1}}); }), "limit_exceeded");
}

TEST_P(KernelRegistryTest, RunsGlslAndSpirv) {
  SourceKernel glsl;
  glsl.name = "integers";
  glsl.language = gpu::ShaderLanguage::kGlsl;
  glsl.source = R"(#version 450
layout(local_size_x = 4) in;
layout(set = 0, binding = 0, std140) uniform P { int offset; uint count; } p;
layout(set = 0, binding = 1, std430) readonly buffer X { int x[]; };
layout(set = 0, binding = 2, std430) buffer Y { int y[]; };
void main() {
  uint i = gl_GlobalInvocationID.x;
  if (i < p.count) y[i] = x[i] * x[i] + p.offset;
}
)";
  glsl.parameters = {{"offset", WordType::kI32}, {"count", WordType::kU32, graph::Dim::parse("x_count")}};
  glsl.inputs = {{"x", Dtype::kI32}};
  glsl.outputs = {{"y", Dtype::kI32, {}, "x"}};
  glsl.workgroups = {graph::Dim::parse("(x_count + 3)//4")};
  glsl.folds = true;
  try {
    registry->add(glsl);
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "feature_missing") << error.message();
    GTEST_SKIP() << error.message();
  }
  const Tensor x = context->from<std::int32_t>(std::vector<std::int32_t>{1, -2, 3, 4, 5}, {5});
  const auto y =
      registry->dispatch("integers", std::array{x}, KernelRegistry::Call{.parameters = {{"offset", -1}}}).at(0);
  EXPECT_THAT(y.to_vector<std::int32_t>(), ElementsAre(0, 3, 8, 15, 24));

  SourceKernel spirv = glsl;
  spirv.name = "words";
  spirv.language = gpu::ShaderLanguage::kSpirv;
  spirv.source = gpu::compile_glsl({.name = "words", .code = glsl.source}).spirv;
  EXPECT_THAT(scan_source(spirv.language, spirv.source, "main").workgroup_size,
              ::testing::Optional(std::array<std::uint32_t, 3>{4, 1, 1}));
  registry->add(to_json(spirv));
  const auto same =
      registry->dispatch("words", std::array{x}, KernelRegistry::Call{.parameters = {{"offset", 1}}}).at(0);
  EXPECT_THAT(same.to_vector<std::int32_t>(), ElementsAre(2, 5, 10, 17, 26));

  glsl.name = "typo";
  glsl.source += "oops";
  const Error error = error_of([&] { registry->add(glsl); });
  EXPECT_EQ(error.code_name(), "shader_invalid");
  EXPECT_THAT(error.message(), HasSubstr("\"typo\" does not compile at line"));
}

TEST_P(KernelRegistryTest, SeesNarrowDtypesPackedInWords) {
  SourceKernel invert = fill("invert");
  invert.source = R"(
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = x[id.x] ^ 0xffffffffu; }
)";
  invert.inputs = {{"x", Dtype::kU8, graph::SymbolicShape{graph::Dim::symbol("n")}}};
  invert.outputs = {{"y", Dtype::kU8, {}, "x"}};
  invert.workgroups = {graph::Dim::parse("(n + 3)//4")};
  registry->add(invert);
  const Tensor x = context->from<std::uint8_t>(std::vector<std::uint8_t>{0, 1, 2, 3, 250, 255}, {6});
  const auto y = registry->dispatch("invert", std::array{x.slice(0, 1)}).at(0);
  EXPECT_THAT(y.to_vector<std::uint8_t>(), ElementsAre(254, 253, 252, 5, 0));
}

TEST_P(KernelRegistryTest, TellsWhereSourceDoesNotCompile) {
  const Error error = error_of([&] { registry->add(fill("broken", "y[id.x] = 7.0;\n  y[0] = u32(1);")); });
  EXPECT_EQ(error.code_name(), "shader_invalid");
  EXPECT_EQ(error.details().at("kernel"), "broken");
  EXPECT_EQ(error.details().at("line"), 3);
  EXPECT_THAT(registry->names(), ElementsAre("probe"));
}

TEST_P(KernelRegistryTest, RefusesCallsThatDoNotFit) {
  registry->add(row_bias());
  const Tensor x = floats({1, 2, 3, 4, 5, 6}, {2, 3}), bias = floats({1, 2, 3}, {3});
  const Tensor whole = context->from<std::int32_t>(std::vector<std::int32_t>{1, 2, 3}, {3});
  const auto refused = [&](std::vector<Tensor> inputs, JsonObject parameters = {}) {
    return code_of([&] { run("row_bias", std::move(inputs), {.parameters = std::move(parameters)}); });
  };
  EXPECT_EQ(refused({x}), "missing_input");
  EXPECT_EQ(refused({x, Tensor()}), "missing_input");
  EXPECT_EQ(refused({x, whole}), "dtype_mismatch");
  EXPECT_EQ(refused({x, floats({1, 2}, {2})}), "shape_mismatch");
  EXPECT_EQ(refused({bias, bias}), "shape_mismatch");
  EXPECT_EQ(refused({x, bias}, {{"facto", 1}}), "bad_attribute");
  EXPECT_EQ(refused({x, bias}, {{"columns", 3}}), "bad_attribute");
  EXPECT_EQ(refused({x, bias}, {{"factor", "much"}}), "bad_attribute");
  const Error unknown = error_of([&] { run("row_bia", {x, bias}); });
  EXPECT_EQ(unknown.code_name(), "unknown_kernel");
  EXPECT_THAT(unknown.message(), HasSubstr("row_bias"));
  EXPECT_EQ(refused({x, floats({1, 2, 3}, {3}).requires_grad_()}), "not_differentiable");
  EXPECT_EQ(refused({x, Context("cpu").from<float>(std::vector<float>{1, 2, 3}, {3})}), "context_mismatch");
  EXPECT_EQ(code_of([&] { registry->add(row_bias()); }), "kernel_invalid");
  EXPECT_TRUE(registry->remove("row_bias"));
  EXPECT_FALSE(registry->remove("row_bias"));
}

INSTANTIATE_TEST_SUITE_P(Devices, KernelRegistryTest, ::testing::Values("cpu", "gpu:0"),
                         [](const auto& device) { return std::string(device.param).substr(0, 3); });

TEST(KernelRegistryTrust, IsNeededWithoutBoundsChecks) {
  auto devices = std::make_shared<Devices>(Devices::Options{.robust = false});
  std::shared_ptr<Backend> backend;
  try {
    backend = devices->open("gpu");
  } catch (const Error& error) {
    GTEST_SKIP() << error.message();
  }
  const Context context(std::make_shared<BufferManager>(), backend, devices);
  const Error error = error_of([&] { KernelRegistry(context).add(fill("stranger")); });
  EXPECT_EQ(error.code_name(), "untrusted_kernel");
  EXPECT_THAT(error.message(), HasSubstr("bounds checks"));
  KernelRegistry trusting(context, {.trusted = true});
  trusting.add(fill("own"));
  EXPECT_THAT(trusting.dispatch("own", {}).at(0).to_vector<float>(), ElementsAre(7, 7, 0, 0));
}

TEST(KernelRegistryDevices, CpuAloneRunsNoSource) {
  const auto devices = std::make_shared<Devices>();
  const Context alone(std::make_shared<BufferManager>(), devices->open("cpu"));
  EXPECT_EQ(code_of([&] { KernelRegistry(alone).add(fill("probe")); }), "unknown_device");
}

}  // namespace
}  // namespace alknet::compute
