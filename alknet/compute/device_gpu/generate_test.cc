#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "alknet/compute/device_gpu/parameter_block.h"
#include "alknet/compute/device_gpu/templates.h"
#include "alknet/compute/device_gpu/test_device.h"
#include "alknet/compute/generate/glsl.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/compute/generate/wgsl.h"

namespace alknet::compute {
namespace {

using ::testing::ElementsAre;
using testing::elementwise;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::structured;

/// One computation of every pattern, some with a program after the operation.
std::vector<Computation> samples() {
  const auto f32 = Dtype::kF32;
  Computation epilogue = structured("matmul", {f32, f32}, f32);
  const OpSpec& add = graph::OpTable::builtin().at("add");
  epilogue.inputs.emplace_back(f32);
  epilogue.program = {{f32, f32}, {{&add, graph::complete_attributes(add, {}), {{0, {}}, {1, {}}}, f32}}, {2}};
  Computation scalar = elementwise("maximum", {f32, f32}, f32);
  scalar.program.steps[0].arguments[1].scalar = graph::Scalar::of(0.0);
  return {
      elementwise("gelu", {f32}, f32),
      elementwise("cast", {f32}, Dtype::kBool, {{"dtype", "bool"}}),
      scalar,
      epilogue,
      structured("sum", {f32}, f32),
      structured("mean", {f32}, f32),
      structured("softmax", {f32}, f32, {{"dim", -1}}),
      structured("layer_norm", {f32, f32, std::nullopt}, f32, {{"normalized_shape", {4}}}),
      structured("embedding", {f32, Dtype::kI32}, f32),
      structured("attention", {f32, f32, f32, Dtype::kBool}, f32),
  };
}

TEST(KernelSpec, SurvivesItsJsonText) {
  for (const bool software : {false, true}) {
    for (const Computation& computation : samples()) {
      const KernelSpec spec = opgen(computation, {.software = software}).spec;
      EXPECT_EQ(kernel_spec_from_json(parse_json(json_text(to_json(spec)))), spec) << spec.name;
    }
  }
}

TEST(KernelSpec, NamesTheMemberThatIsWrong) {
  Json json = to_json(opgen(samples().front()).spec);
  json.as_object()["workgroup_size"] = {1, 2};
  try {
    kernel_spec_from_json(json);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "invalid_argument");
    EXPECT_THAT(error.message(), HasSubstr("workgroup_size"));
  }
}

TEST(KernelSpec, PutsNumbersBeforeAlignedArrays) {
  KernelSpec spec;
  spec.parameters = {{"a", WordType::kU32, 0}, {"map", WordType::kU32, 8}, {"b", WordType::kF32, 0}};
  const ParameterLayout layout = parameter_layout(spec);
  EXPECT_THAT(layout.words, ElementsAre(0, 4, 1));
  EXPECT_EQ(layout.total, 12u);
}

TEST(Opgen, ComputationsThatDifferInScalarsShareOneSource) {
  const WgslGenerator wgsl({false, wgsl_template});
  const GeneratedKernel one = opgen(elementwise("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32, {{"alpha", 1}}));
  const GeneratedKernel two = opgen(elementwise("add", {Dtype::kF32, Dtype::kF32}, Dtype::kF32, {{"alpha", 2}}));
  EXPECT_EQ(wgsl.generate(one.spec), wgsl.generate(two.spec));
  EXPECT_THAT(one.constants, ElementsAre(std::pair<std::string, double>("s0_alpha", 1)));
  EXPECT_THAT(two.constants, ElementsAre(std::pair<std::string, double>("s0_alpha", 2)));
}

TEST(WgslGenerator, PrintsAnElementwiseKernel) {
  const WgslGenerator wgsl({false, wgsl_template});
  const std::string source = wgsl.generate(opgen(elementwise("mul", {Dtype::kF32, Dtype::kF32}, Dtype::kF32)).spec);
  EXPECT_THAT(source, HasSubstr("@group(0) @binding(0) var<uniform> p: Parameters;"));
  EXPECT_THAT(source, HasSubstr("@group(0) @binding(1) var<storage, read> b_x0: array<f32>;"));
  EXPECT_THAT(source, HasSubstr("@group(0) @binding(3) var<storage, read_write> b_y0: array<f32>;"));
  EXPECT_THAT(source, HasSubstr("fn apply(x0: f32, x1: f32) -> f32"));
  EXPECT_THAT(source, HasSubstr("@compute @workgroup_size(256)"));
  EXPECT_THAT(source, Not(HasSubstr("{{")));
}

TEST(WgslGenerator, CompilesEveryPatternOnTheDevice) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  const WgslGenerator wgsl({opened.device->has_feature("shader-f16"), wgsl_template});
  for (const bool software : {false, true}) {
    for (const Computation& computation : samples()) {
      gpu::KernelSource source;
      source.name = computation.name();
      source.code = wgsl.generate(opgen(computation, {.software = software}).spec);
      EXPECT_NO_THROW(opened.device->compile_shader(source)) << source.code;
    }
  }
}

/// Every element-wise operation of the table on f32 (inputs that do not promote: their first dtype).
std::vector<Computation> elementwise_samples() {
  std::vector<Computation> list;
  for (const OpSpec& op : graph::OpTable::builtin().ops()) {
    if (!op.elementwise()) continue;
    std::vector<Dtype> dtypes;
    bool takes = true;
    for (const auto& input : op.inputs) {
      const auto f32 = std::find(input.dtypes.begin(), input.dtypes.end(), Dtype::kF32);
      dtypes.push_back(f32 == input.dtypes.end() ? input.dtypes.front() : Dtype::kF32);
      takes = takes && (dtypes.back() == Dtype::kF32 || dtypes.back() == Dtype::kBool);
    }
    const auto needs_attribute = [](const auto& parameter) { return !parameter.default_value; };
    const bool plain = std::none_of(op.parameters.begin(), op.parameters.end(), needs_attribute);
    if (!takes || !plain || op.inputs.empty()) continue;
    list.push_back(elementwise(op.name, dtypes, graph::parse_dtype(op.outputs[0].dtype).value_or(Dtype::kF32)));
  }
  return list;
}

TEST(GlslGenerator, PrintsAnElementwiseKernel) {
  const std::string source =
      GlslGenerator().generate(opgen(elementwise("mul", {Dtype::kF32, Dtype::kF32}, Dtype::kF32)).spec);
  EXPECT_THAT(source, ::testing::StartsWith("#version 450\nlayout(local_size_x = 256) in;"));
  EXPECT_THAT(source, HasSubstr("layout(std140, set = 0, binding = 0) uniform Parameters {"));
  EXPECT_THAT(source, HasSubstr("layout(std430, set = 0, binding = 1) readonly buffer Buffer_x0 { float b_x0[]; };"));
  EXPECT_THAT(source, HasSubstr("layout(std430, set = 0, binding = 3) buffer Buffer_y0 { float b_y0[]; };"));
  EXPECT_THAT(source, HasSubstr("float apply(float x0, float x1) {"));
  EXPECT_THAT(source, HasSubstr("float v2 = v0 * v1;"));
}

TEST(GlslGenerator, CompilesElementwiseOperationsWhereAProviderTakesGlsl) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  try {
    const char* empty = "#version 450\nlayout(local_size_x = 1) in;\nvoid main() {}\n";
    opened.device->compile_shader({.name = "empty", .code = empty, .language = gpu::ShaderLanguage::kGlsl});
  } catch (const Error& error) {
    GTEST_SKIP() << error.message();
  }
  // Through Dawn, GLSL becomes SPIR-V; its reader there lacks asinh, acosh, atanh and infinite constants.
  constexpr std::array kUnread = {"asinh",    "acosh",      "atanh", "isinf", "isposinf", "isneginf",
                                  "isfinite", "nan_to_num", "pow",   "hypot", "xlogy"};
  std::size_t compiled = 0;
  for (const Computation& computation : elementwise_samples()) {
    gpu::KernelSource source;
    source.name = computation.name();
    source.language = gpu::ShaderLanguage::kGlsl;
    try {
      source.code = GlslGenerator().generate(opgen(computation).spec);
    } catch (const Error& error) {
      EXPECT_THAT((std::array{"lgamma", "digamma", "erfinv", "zeta"}), ::testing::Contains(computation.name()));
      continue;
    }
    try {
      opened.device->compile_shader(source);
      ++compiled;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr("Error while parsing SPIR-V")) << source.code;
      EXPECT_THAT(kUnread, ::testing::Contains(computation.name()));
    }
  }
  EXPECT_GT(compiled, 60U);
}

TEST(GlslGenerator, RefusesTemplatesOfAnotherLanguage) {
  try {
    GlslGenerator().generate(opgen(structured("softmax", {Dtype::kF32}, Dtype::kF32, {{"dim", -1}})).spec);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "unsupported");
    EXPECT_THAT(error.message(), HasSubstr("use WGSL"));
  }
}

TEST(WgslGenerator, RefusesDoubles) {
  const WgslGenerator wgsl({false, wgsl_template});
  try {
    wgsl.generate(opgen(elementwise("tanh", {Dtype::kF64}, Dtype::kF64)).spec);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "unsupported");
    EXPECT_THAT(error.message(), HasSubstr(".to('cpu')"));
  }
}

TEST(WgslGenerator, PacksHalfFloatsWithoutTheExtension) {
  const WgslGenerator wgsl({false, wgsl_template});
  const auto spec = opgen(elementwise("tanh", {Dtype::kF16}, Dtype::kF16), {.packed_f16 = true}).spec;
  EXPECT_EQ(spec.elements_per_invocation, 4u);
  const std::string source = wgsl.generate(spec);
  EXPECT_THAT(source, HasSubstr("f16_unpack(raw)"));
  EXPECT_THAT(source, ::testing::Not(HasSubstr("enable f16")));
}

TEST(ParameterBlock, CollapsesDimensionsThatEveryOperandWalksEvenly) {
  const DimensionTable all = collapse({{2, 1, 3, 4}, {{12, 5, 4, 1}, {0, 0, 0, 0}}});
  EXPECT_THAT(all.sizes, ElementsAre(24));
  EXPECT_THAT(all.strides[0], ElementsAre(1));
  EXPECT_THAT(all.strides[1], ElementsAre(0));
  const DimensionTable bias = collapse({{2, 3, 4}, {{12, 4, 1}, {0, 0, 1}}});
  EXPECT_THAT(bias.sizes, ElementsAre(6, 4));
  EXPECT_THAT(bias.strides[1], ElementsAre(0, 1));
  EXPECT_THAT(collapse({{}, {{}}}).sizes, ElementsAre(1));
}

TEST(ParameterBlock, RefusesNumbersBeyond32Bits) {
  KernelSpec spec;
  spec.parameters = {{"count", WordType::kU32, 0}};
  ParameterBlock block(spec);
  try {
    block.set("count", std::int64_t{1} << 32);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "limit_exceeded");
  }
}

}  // namespace
}  // namespace alknet::compute
