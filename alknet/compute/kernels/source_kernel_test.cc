#include "alknet/compute/kernels/source_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "alknet/base/testing.h"
#include "alknet/compute/kernels/source_call.h"
#include "alknet/compute/kernels/source_scan.h"

namespace alknet::compute {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using Size = std::array<std::uint32_t, 3>;
using gpu::ShaderLanguage;

Json example() {
  return parse_json(R"json({
    "name": "tools/pairs", "language": "wgsl", "source": "@compute @workgroup_size(8, 2) fn main() {}", "entry": "main",
    "parameters": [{"name": "scale", "dtype": "f32", "default": 0.5}, {"name": "steps", "dtype": "u32"},
                   {"name": "half", "dtype": "i32", "value": "n//2"}],
    "inputs": [{"name": "x", "dtype": "f16", "shape": ["n", 2]}, {"name": "any", "dtype": "bool"}],
    "outputs": [{"name": "y", "dtype": "f32", "shape": ["n//2", "any_count + steps"]},
                {"name": "z", "dtype": "u8", "shape": "any"}],
    "workgroup_size": [8, 2, 1],
    "workgroups": ["n", 1]
  })json");
}

std::set<std::string> paths_of(const Json& json) {
  const Error error = error_of([&] { source_kernel_from_json(json); });
  EXPECT_EQ(error.code_name(), "kernel_invalid") << error.message();
  std::set<std::string> paths;
  for (const Json& problem : error.details().at("problems").as_array()) {
    paths.emplace(problem.at("path").as_string());
  }
  return paths;
}

TEST(SourceKernel, IsTheSameAfterJson) {
  const SourceKernel kernel = source_kernel_from_json(example());
  EXPECT_EQ(kernel.outputs.at(1).same_as, "any");
  EXPECT_EQ(to_json(kernel), example());
  EXPECT_EQ(source_kernel_from_json(to_json(kernel)), kernel);

  SourceKernel words = kernel;
  words.language = ShaderLanguage::kSpirv;
  words.source = std::string("\x03\x02\x23\x07\0\xff", 6);
  words.workgroup_size = {};
  words.folds = true;
  words.workgroups = {graph::Dim::parse("n*2")};
  EXPECT_EQ(source_kernel_from_json(to_json(words)), words);
}

TEST(SourceKernel, NamesEveryProblemOfItsForm) {
  EXPECT_THAT(paths_of(3), ElementsAre(""));
  Json json = example();
  json.at("language") = "hlsl";
  json.at("inputs").at(0).at("dtype") = "f64";
  json.at("workgroup_size").at(1) = 0;
  json.as_object()["extra"] = 1;
  const auto paths = paths_of(json);
  EXPECT_TRUE(paths.contains("/language"));
  EXPECT_TRUE(paths.contains("/inputs/0/dtype"));
  EXPECT_TRUE(paths.contains("/workgroup_size/1"));
  EXPECT_GE(paths.size(), 4U);
}

TEST(SourceKernel, NamesEveryProblemOfItsMeaning) {
  Json json = example();
  json.at("inputs").at(1).at("name") = "x";
  json.at("outputs").at(0).at("shape") = JsonArray{"m", "steps"};
  json.at("outputs").at(1).at("shape") = "nothing";
  json.at("parameters").at(2).at("value") = "scale";
  json.at("workgroups") = JsonArray{1, 1, "q"};
  json.at("workgroup_size") = JsonArray{8, 4};
  EXPECT_THAT(paths_of(json), ElementsAre("/inputs/1/name", "/outputs/0/shape/0", "/outputs/1/shape",
                                          "/parameters/2/value", "/workgroup_size", "/workgroups/2"));
  Json expression = example();
  expression.at("workgroups") = "n +";
  EXPECT_THAT(paths_of(expression), ElementsAre("/workgroups"));
  Json spirv = example();
  spirv.at("language") = "spirv";
  EXPECT_THAT(paths_of(spirv), ElementsAre("/source"));
}

TEST(SourceKernel, ChecksWhatAProgramFilledIn) {
  SourceKernel kernel;
  kernel.outputs = {{"y", graph::Dtype::kF64, {1}}};
  kernel.inputs = {{"not a name"}};
  const Error error = error_of([&] { check_source_kernel(kernel); });
  EXPECT_EQ(error.details().at("problems").as_array().size(), 4U) << error.message();
}

TEST(SourceCall, BindsDimensionsAndComputesTheRest) {
  const SourceKernel kernel = source_kernel_from_json(example());
  const SourceCall call = resolve_call(kernel, std::vector<graph::Shape>{{6, 2}, {2, 2}}, {{"steps", 3}});
  EXPECT_THAT(call.outputs, ElementsAre(graph::Shape{3, 7}, graph::Shape{2, 2}));
  EXPECT_THAT(call.workgroups, ElementsAre(6, 1, 1));
  EXPECT_EQ(call.parameters, (JsonObject{{"scale", 0.5}, {"steps", 3}, {"half", 3}}));
}

TEST(SourceCall, RefusesWhatDoesNotFit) {
  const SourceKernel kernel = source_kernel_from_json(example());
  const auto refused = [&](std::vector<graph::Shape> shapes, JsonObject parameters) {
    return code_of([&] { resolve_call(kernel, shapes, parameters); });
  };
  EXPECT_EQ(refused({{6, 2}, {1}}, {}), "missing_input");
  EXPECT_EQ(refused({{6, 3}, {1}}, {{"steps", 1}}), "shape_mismatch");
  EXPECT_EQ(refused({{6, 2, 1}, {1}}, {{"steps", 1}}), "shape_mismatch");
  EXPECT_EQ(refused({{6, 2}}, {{"steps", 1}}), "missing_input");
  EXPECT_EQ(refused({{6, 2}, {1}}, {{"steps", -1}}), "bad_attribute");
  EXPECT_EQ(refused({{6, 2}, {1}}, {{"steps", 1.5}}), "bad_attribute");
  EXPECT_EQ(refused({{6, 2}, {1}}, {{"steps", 5e300}}), "bad_attribute");
  EXPECT_EQ(refused({{6, 2}, {1}}, {{"steps", 1}, {"half", 1}}), "bad_attribute");
  SourceKernel silent = kernel;
  silent.workgroups = {};
  const std::vector<graph::Shape> shapes = {{6, 2}, {1}};
  EXPECT_EQ(code_of([&] { resolve_call(silent, shapes, {{"steps", 1}}); }), "missing_input");
  EXPECT_THAT(resolve_call(silent, shapes, {{"steps", 1}}, WorkgroupCounts{2, 3, 4}).workgroups, ElementsAre(2, 3, 4));
}

TEST(SourceScan, FindsTheWorkgroupSize) {
  const auto wgsl = [](std::string_view source, std::string_view entry = "main") {
    return scan_source(ShaderLanguage::kWgsl, source, entry).workgroup_size;
  };
  EXPECT_THAT(wgsl("@compute @workgroup_size(64) fn main() {}"), Optional(Size{64, 1, 1}));
  EXPECT_THAT(wgsl("@compute\n@workgroup_size ( 8u, 4i ,2 )\nfn main() {}"), Optional(Size{8, 4, 2}));
  EXPECT_THAT(wgsl("@workgroup_size(1) fn a() {} @workgroup_size(2, 3) fn b() {}", "b"), Optional(Size{2, 3, 1}));
  EXPECT_EQ(wgsl("const n = 4; @workgroup_size(n) fn main() {}"), std::nullopt);
  EXPECT_EQ(wgsl("@workgroup_size("), std::nullopt);
  EXPECT_EQ(wgsl(""), std::nullopt);
  const auto glsl = [](std::string_view source) {
    return scan_source(ShaderLanguage::kGlsl, source, "main").workgroup_size;
  };
  EXPECT_THAT(glsl("layout(local_size_x = 16, local_size_y=2) in;"), Optional(Size{16, 2, 1}));
  EXPECT_EQ(glsl("layout(local_size_x_id = 0) in;"), std::nullopt);
}

TEST(SourceScan, SurvivesBytesThatAreNoSpirv) {
  for (const std::string& bytes :
       {std::string(), std::string(3, 'x'), std::string(400, '\0'), std::string(401, '\xff')}) {
    EXPECT_EQ(scan_source(ShaderLanguage::kSpirv, bytes, "main").workgroup_size, std::nullopt);
  }
}

TEST(SourceScan, FindsWhetherWorkgroupsAreCounted) {
  EXPECT_TRUE(scan_source(ShaderLanguage::kWgsl, "@builtin(num_workgroups) n: vec3u", "main").reads_workgroup_count);
  EXPECT_TRUE(scan_source(ShaderLanguage::kGlsl, "gl_NumWorkGroups.x", "main").reads_workgroup_count);
  EXPECT_FALSE(scan_source(ShaderLanguage::kWgsl, "fn main() {}", "main").reads_workgroup_count);
}

}  // namespace
}  // namespace alknet::compute
