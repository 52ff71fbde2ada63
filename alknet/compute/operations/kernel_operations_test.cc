#include <gtest/gtest.h>

#include <cmath>

#include <fmt/format.h>

#include "alknet/compute/operations/operations_test_support.h"

namespace alknet::compute {
namespace {

class KernelOperations : public OperationsTest {
 protected:
  static constexpr std::string_view kWobble =
      R"json({"name":"wobble","expression":"output = x * sin(y) + max(x, 0)","inputs":["x","y"]})json";
};

TEST_F(KernelOperations, RunExpressionsByName) {
  const Json made = call("compute/register_kernel", kWobble);
  EXPECT_EQ(made.at("name"), "wobble");
  const Json x = call("compute/requires_grad", JsonObject{{"tensor", tensor<float>({2}, {1.5F, -2})}});
  const Json y = tensor<float>({2}, {0.5F, 0.25F});
  const Json ran = call("compute/dispatch_kernel", JsonObject{{"kernel", "wobble"}, {"inputs", JsonArray{x, y}}});
  const Json& out = ran.at("outputs").at(0);
  const auto got = read_as<float>(out);
  EXPECT_NEAR(got[0], 1.5 * std::sin(0.5) + 1.5, 1e-6);
  EXPECT_NEAR(got[1], -2 * std::sin(0.25), 1e-6);

  const Json total = call("tensor/sum", JsonObject{{"input", out}});
  const Json found = call("compute/backward", JsonObject{{"output", total}, {"inputs", JsonArray{x}}});
  EXPECT_NEAR(read_as<float>(found.at("gradients").at(0))[0], std::sin(0.5) + 1, 1e-6);

  const Json types =
      call("compute/shape", JsonObject{{"operation", "wobble"}, {"input", JsonObject{{"x", x}, {"y", y}}}});
  EXPECT_EQ(types.at("outputs").at(0).at("shape"), Json(JsonArray{2}));
}

TEST_F(KernelOperations, AreNodesOfGraphs) {
  call("compute/register_kernel", kWobble);
  const Json plan = call("compute/compile", R"({"graph":{"alknet_graph":1,
    "inputs":[{"name":"x","dtype":"f32","shape":["n"]}],
    "nodes":[{"id":"w","op":"wobble","inputs":{"x":"x","y":{"scalar":0.5}},"attrs":{}}],
    "outputs":[{"name":"y","value":"w"}]}})");
  const Json run = call("compute/run",
                        JsonObject{{"plan", plan.at("plan")}, {"inputs", JsonObject{{"x", tensor<float>({1}, {2})}}}});
  EXPECT_NEAR(read_as<float>(run.at("outputs").at("y"))[0], 2 * std::sin(0.5) + 2, 1e-6);
}

TEST_F(KernelOperations, TakeParameters) {
  call("compute/register_kernel", R"({"name":"scaled","expression":"output = x * scale","inputs":["x"],
    "parameters":{"scale":{"type":"number","default":2}}})");
  const Json x = tensor<float>({1}, {3});
  const auto run = [&](JsonObject parameters) {
    const Json ran =
        call("compute/dispatch_kernel",
             JsonObject{{"kernel", "scaled"}, {"inputs", JsonArray{x}}, {"parameters", std::move(parameters)}});
    return read_as<float>(ran.at("outputs").at(0)).front();
  };
  EXPECT_EQ(run({}), 6);
  EXPECT_EQ(run({{"scale", 5}}), 15);
  EXPECT_EQ(
      code("compute/dispatch_kernel",
           JsonObject{{"kernel", "scaled"}, {"inputs", JsonArray{x}}, {"parameters", JsonObject{{"scale", "five"}}}}),
      "BAD_ATTRIBUTE");
}

TEST_F(KernelOperations, BelongToTheirOwner) {
  call("compute/register_kernel", kWobble);
  const auto other = make_owner();
  EXPECT_EQ(code("compute/dispatch_kernel", parse_json(R"({"kernel":"wobble","inputs":[1]})"), other),
            "UNKNOWN_KERNEL");
  EXPECT_EQ(call("compute/register_kernel", kWobble, other).at("name"), "wobble");
  end(other);
}

TEST_F(KernelOperations, RefuseWhatIsNoExpression) {
  const auto refused = [&](std::string_view expression, std::string_view name = "mine") {
    return code("compute/register_kernel",
                JsonObject{{"name", name}, {"expression", expression}, {"inputs", JsonArray{"x"}}});
  };
  EXPECT_THAT(refused("output = x +"), testing::AnyOf("EXPRESSION_INVALID", "OP_TABLE_INVALID"));
  EXPECT_THAT(refused("output = system(x)"), testing::AnyOf("EXPRESSION_INVALID", "OP_TABLE_INVALID"));
  EXPECT_EQ(refused("output = x", "matmul"), "OP_TABLE_INVALID") << "the name is taken";
  EXPECT_EQ(refused("output = x", "../x"), "INVALID_INPUT");
}

TEST_F(KernelOperations, TakeShaderSourceOnlyFromPrograms) {
  const Json source = parse_json(R"({"kernel":{"name":"k","language":"wgsl","source":"x","outputs":[]}})");
  EXPECT_EQ(code("compute/register_kernel", source), "FORBIDDEN");
  const auto program = make_owner(call::Owner::Kind::kProgram);
  EXPECT_EQ(code("compute/register_kernel", source, program), "KERNEL_INVALID");
  end(program);
}

TEST_F(KernelOperations, AreLimited) {
  for (std::size_t i = 0; i < service().options().max_kernels; ++i) {
    call("compute/register_kernel",
         JsonObject{{"name", fmt::format("k{}", i)}, {"expression", "output = x"}, {"inputs", JsonArray{"x"}}});
  }
  EXPECT_EQ(code("compute/register_kernel", parse_json(kWobble)), "RESOURCE_EXHAUSTED");
}

TEST_F(KernelOperations, AreGoneWhenDisposed) {
  const Json made = call("compute/register_kernel", kWobble);
  call("compute/dispose", JsonObject{{"handles", JsonArray{made.at("kernel")}}});
  EXPECT_EQ(code("compute/dispatch_kernel", parse_json(R"({"kernel":"wobble","inputs":[1]})")), "UNKNOWN_KERNEL");
}

}  // namespace
}  // namespace alknet::compute
