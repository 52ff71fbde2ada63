#include "alknet/gpu/pipeline.h"

#include "alknet/base/json.h"
#include "alknet/gpu/gpu_test_fixture.h"

namespace alknet::gpu {
namespace {

class GpuPipeline : public GpuTest {};

TEST_F(GpuPipeline, EqualSourcesCompileOnce) {
  const Pipeline first = device().compile_shader(scale_kernel("first"));
  const Pipeline second = device().compile_shader(scale_kernel("second"));
  EXPECT_EQ(first, second);
  EXPECT_EQ(device().pipeline_count(), 1u);
}

TEST_F(GpuPipeline, ConstantsEntryAndBindingsMakeOtherPipelines) {
  const Pipeline plain = device().compile_shader(scale_kernel());
  KernelSource tripled = scale_kernel();
  tripled.constants = {{"factor", 3}};
  KernelSource derived = scale_kernel();
  derived.bindings = {};
  EXPECT_NE(plain, device().compile_shader(tripled));
  EXPECT_NE(plain, device().compile_shader(derived));
  EXPECT_EQ(device().pipeline_count(), 3u);

  const Buffer input = upload({5});
  const Buffer output = device().create_buffer(4);
  for (const auto& [source, expected] : {std::pair{tripled, 15u}, std::pair{derived, 10u}}) {
    device().dispatch(device().compile_shader(source), std::vector<Binding>{{&input}, {&output}}, {});
    EXPECT_EQ(download(output).front(), expected);
  }
}

TEST_F(GpuPipeline, KernelsWithEqualBindingsShareBindGroups) {
  const Pipeline doubled = device().compile_shader(scale_kernel());
  KernelSource source = scale_kernel("triple");
  source.constants = {{"factor", 3}};
  const Pipeline tripled = device().compile_shader(source);
  const Buffer input = upload({5});
  const Buffer output = device().create_buffer(4);
  const BindGroup group = device().create_bind_group(doubled, std::vector<Binding>{{&input}, {&output}});
  Encoder work = device().encoder();
  work.dispatch(tripled, group, {});
  device().submit(std::move(work));
  EXPECT_EQ(download(output).front(), 15u);
}

TEST_F(GpuPipeline, ManyKernelsCompileTogether) {
  std::vector<KernelSource> sources;
  for (int i = 0; i < 8; ++i) {
    sources.push_back(scale_kernel("kernel " + std::to_string(i)));
    sources.back().constants = {{"factor", i % 4}};
  }
  const auto kernels = device().compile_shaders(sources);
  ASSERT_EQ(kernels.size(), sources.size());
  EXPECT_EQ(kernels[1], kernels[5]);
  EXPECT_EQ(device().pipeline_count(), 4u);
  EXPECT_TRUE(device().compile_shaders({}).empty());
}

TEST_F(GpuPipeline, OneBadKernelAmongManyIsNamed) {
  std::vector<KernelSource> sources = {scale_kernel("good"), scale_kernel("bad"), scale_kernel("good again")};
  sources[1].code = "not wgsl";
  EXPECT_THAT(error_of([&] { device().compile_shaders(sources); }), IsGpuError(GpuError::kShaderInvalid, "\"bad\""));
  device().compile_shader(sources[0]);
}

TEST_F(GpuPipeline, SyntaxErrorsTellKernelLineAndColumn) {
  KernelSource source = scale_kernel("broken");
  source.code = "@compute @workgroup_size(1)\nfn main() {\n  let x = nowhere;\n}\n";
  const auto error = error_of([&] { device().compile_shader(source); });
  EXPECT_THAT(error, IsGpuError(GpuError::kShaderInvalid, "Kernel \"broken\" does not compile at line 3, column 11"));
  EXPECT_THAT(error->message(), testing::HasSubstr("nowhere"));
  EXPECT_EQ(error->details().at("kernel"), "broken");
  EXPECT_EQ(error->details().at("line"), 3);
  EXPECT_EQ(error->details().at("column"), 11);
}

TEST_F(GpuPipeline, MissingEntryAndUnknownConstantAreShaderErrors) {
  KernelSource entry = scale_kernel("entry");
  entry.entry = "elsewhere";
  EXPECT_THAT(error_of([&] { device().compile_shader(entry); }), IsGpuError(GpuError::kShaderInvalid, "elsewhere"));
  KernelSource constant = scale_kernel("constant");
  constant.constants = {{"nothing", 1}};
  EXPECT_THAT(error_of([&] { device().compile_shader(constant); }), IsGpuError(GpuError::kShaderInvalid, "nothing"));
}

TEST_F(GpuPipeline, KernelWithoutBindingsRuns) {
  const Pipeline kernel =
      device().compile_shader({.name = "nothing", .code = "@compute @workgroup_size(1) fn main() {}"});
  device().dispatch(kernel, {}, {}).wait();
}

TEST_F(GpuPipeline, HalfPrecisionAndSubgroupsWorkWhereGranted) {
  if (!device().has_feature("shader-f16") || !device().has_feature("subgroups")) {
    GTEST_SKIP() << "the adapter lacks shader-f16 or subgroups";
  }
  const Pipeline kernel = device().compile_shader({.name = "half sum",
                                                   .code = R"(
enable f16;
enable subgroups;
@group(0) @binding(0) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
  let half = f16(0.5);
  let total = subgroupAdd(half);
  if (i == 0u) { result[0] = u32(total * 2.0h); }
}
)",
                                                   .bindings = {BindingKind::kStorage}});
  const Buffer result = device().create_buffer(4);
  device().dispatch(kernel, std::vector<Binding>{{&result}}, {}).wait();
  EXPECT_GE(download(result).front(), device().adapter().subgroup_min_size);
  if (provider_is("wgpu")) return;  // it tells no subgroup sizes
  EXPECT_LE(download(result).front(), device().adapter().subgroup_max_size);
}

constexpr std::string_view kTripleGlsl = R"(#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) readonly buffer Input { uint values[]; } source;
layout(set = 0, binding = 1) buffer Output { uint values[]; } target;
void main() { target.values[gl_GlobalInvocationID.x] = source.values[gl_GlobalInvocationID.x] * 3u; }
)";

TEST_F(GpuPipeline, GlslRunsOnEveryProviderThatReadsSpirv) {
  const KernelSource source{.name = "triple",
                            .code = std::string(kTripleGlsl),
                            .bindings = {BindingKind::kReadOnly, BindingKind::kStorage},
                            .language = ShaderLanguage::kGlsl};
  const Buffer input = upload({5, 6});
  const Buffer output = device().create_buffer(8);
  try {
    device().dispatch(device().compile_shader(source), std::vector<Binding>{{&input}, {&output}}, {2});
  } catch (const Error& error) {
    EXPECT_THAT(std::optional(error), IsGpuError(GpuError::kFeatureMissing, "ALKNET_WEBGPU=wgpu"));
    GTEST_SKIP() << error.message();
  }
  EXPECT_EQ(download(output), (std::vector<std::uint32_t>{15, 18}));
}

TEST_F(GpuPipeline, GlslThatDoesNotCompileNamesKernelAndLine) {
  const auto error = error_of([&] {
    device().compile_shader({.name = "typo",
                             .code = "#version 450\nlayout(local_size_x = 1) in;\nvoid main() { y = 1; }\n",
                             .language = ShaderLanguage::kGlsl});
  });
  EXPECT_THAT(error, IsGpuError(GpuError::kShaderInvalid, "\"typo\" does not compile at line 3"));
  EXPECT_EQ(error->details().at("line"), 3);
}

TEST_F(GpuPipeline, BytesThatAreNoSpirvAreRefused) {
  for (const std::string& bytes : {std::string(), std::string("abc"), std::string(64, 'x'), std::string(22, '\3')}) {
    EXPECT_THAT(error_of([&] {
                  device().compile_shader({.name = "noise", .code = bytes, .language = ShaderLanguage::kSpirv});
                }),
                IsGpuError(GpuError::kShaderInvalid, "no SPIR-V"));
  }
}

TEST_F(GpuPipeline, SpirvRunsOrIsRefusedWithItsName) {
  // Assembled by hand: writes 42 into word 0 of binding 0.
  constexpr std::uint32_t kWords[] = {
      0x7230203u, 0x10300u, 0u,          0xeu,     0u,       0x20011u, 1u,       0x3000eu, 0u,       1u,       0x5000fu,
      5u,         3u,       0x6e69616du, 0u,       0x60010u, 3u,       0x11u,    1u,       1u,       1u,       0x40047u,
      6u,         6u,       4u,          0x50048u, 7u,       0u,       0x23u,    0u,       0x30047u, 7u,       2u,
      0x40047u,   9u,       0x22u,       0u,       0x40047u, 9u,       0x21u,    0u,       0x20013u, 1u,       0x30021u,
      2u,         1u,       0x40015u,    5u,       0x20u,    0u,       0x3001du, 6u,       5u,       0x3001eu, 7u,
      6u,         0x40020u, 8u,          0xcu,     7u,       0x4003bu, 8u,       9u,       0xcu,     0x40020u, 0xau,
      0xcu,       5u,       0x4002bu,    5u,       0xbu,     0u,       0x4002bu, 5u,       0xcu,     0x2au,    0x50036u,
      1u,         3u,       0u,          2u,       0x200f8u, 4u,       0x60041u, 0xau,     0xdu,     9u,       0xbu,
      0xbu,       0x3003eu, 0xdu,        0xcu,     0x100fdu, 0x10038u};
  const auto bytes = std::as_bytes(std::span(kWords));
  const KernelSource source{.name = "answer",
                            .code = {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                            .bindings = {BindingKind::kStorage},
                            .language = ShaderLanguage::kSpirv};
  const Buffer output = device().create_buffer(4);
  try {
    device().dispatch(device().compile_shader(source), std::vector<Binding>{{&output}}, {});
  } catch (const Error& error) {
    ASSERT_FALSE(provider_is("wgpu")) << error.message();
    EXPECT_THAT(error.message(), testing::HasSubstr("ALKNET_WEBGPU=wgpu"));
    return;
  }
  EXPECT_EQ(download(output).front(), 42u);
}

}  // namespace
}  // namespace alknet::gpu
