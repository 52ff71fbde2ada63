#include "alknet/platform/kernel_worker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/call/error.h"
#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/gpu/instance.h"

// Kernels of callers in the helper that is shipped.

namespace alknet::platform {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// y[i] = body, one invocation an element.
Json kernel(std::string_view name, std::string_view body) {
  const std::string source = std::string(
                                 "@group(0) @binding(1) var<storage, read> x: array<f32>;\n"
                                 "@group(0) @binding(2) var<storage, read_write> y: array<f32>;\n"
                                 "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
                                 "  let i = id.x;\n  if (i >= arrayLength(&y)) { return; }\n  ") +
                             std::string(body) + "\n}\n";
  return JsonObject{
      {"kernel", JsonObject{{"name", name},
                            {"language", "wgsl"},
                            {"source", source},
                            {"inputs", JsonArray{JsonObject{{"name", "x"}, {"dtype", "f32"}}}},
                            {"outputs", JsonArray{JsonObject{{"name", "y"}, {"dtype", "f32"}, {"shape", "x"}}}},
                            {"workgroups", JsonArray{"(x_count + 63) // 64"}}}}};
}

const Json kSquarePlusOne = kernel("square_plus_one", "y[i] = x[i] * x[i] + 1.0;");
const Json kEndless = kernel("endless", "loop { if (y[0] == 12345.0) { break; } y[1] = y[1] + 1.0; } y[i] = x[i];");

class KernelWorkers : public testing::Test {
 protected:
  void SetUp() override {
    const gpu::Survey survey = gpu::survey();
    if (survey.adapters.empty()) GTEST_SKIP() << "no GPU: " << survey.reason;
    serve({});
  }

  void serve(KernelWorkerOptions options) {
    node.reset();
    options.diagnostics = true;
    workers = std::make_shared<KernelWorkerHost>(thread.loop(), std::move(options));
    compute::ComputeServiceOptions serving;
    serving.kernel_workers = workers;
    node = std::make_unique<compute::ServedNode>(std::move(serving));
  }

  /// One second for a dispatch.
  void serve_with_deadline() {
    KernelWorkerOptions options;
    options.dispatch_deadline = milliseconds(1'000);
    serve(std::move(options));
  }

  /// 16 MiB for a process.
  void serve_with_little_memory() {
    KernelWorkerOptions options;
    options.memory = std::uint64_t{16} << 20;
    serve(std::move(options));
  }

  Json dispatch(std::string_view name, const Json& input, std::shared_ptr<call::Owner> as = nullptr) {
    Json call = JsonObject{{"kernel", name}, {"inputs", JsonArray{input}}};
    return node->call("compute/dispatch_kernel", std::move(call), std::move(as)).at("outputs").at(0);
  }
  std::string code_of_dispatch(std::string_view name, Json inputs) {
    return node->code("compute/dispatch_kernel", JsonObject{{"kernel", name}, {"inputs", std::move(inputs)}});
  }

  Json counts() { return node->call("compute/stats", "{}").at("kernel_worker"); }

  /// Until the host has that many processes.
  void wait_for_workers(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (workers->workers() != count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(workers->workers(), count);
  }

  LoopThread thread;
  std::shared_ptr<KernelWorkerHost> workers;
  std::unique_ptr<compute::ServedNode> node;
};

TEST_F(KernelWorkers, RunKernelsOfCallers) {
  const Json made = node->call("compute/register_kernel", kSquarePlusOne);
  EXPECT_EQ(made.at("name"), "square_plus_one");
  std::vector<float> x(1000), expected;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.25F * static_cast<float>(i) - 3;
  for (const float each : x) expected.push_back(each * each + 1);
  const Json y = dispatch("square_plus_one", node->tensor<float>({10, 100}, x));
  EXPECT_EQ(y.at("shape"), (Json(JsonArray{10, 100})));
  EXPECT_EQ(node->read_as<float>(y), expected);
  EXPECT_EQ(workers->workers(), 1);
}

TEST_F(KernelWorkers, KeepOutputsBetweenDispatches) {
  node->call("compute/register_kernel", kSquarePlusOne);
  Json x = node->tensor<float>({2}, {0, 1});
  for (int step = 0; step < 3; ++step) x = dispatch("square_plus_one", x);
  EXPECT_EQ(counts(), parse_json(R"({"dispatches":3,"copied_in":1,"copied_out":0})"));
  EXPECT_EQ(node->read_as<float>(x), (std::vector<float>{5, 26}));
  EXPECT_EQ(counts().at("copied_out"), 1);
  dispatch("square_plus_one", x);
  EXPECT_EQ(counts().at("copied_in"), 1) << "what was read stays where it is";
}

TEST_F(KernelWorkers, GiveOutputsToOtherOperations) {
  node->call("compute/register_kernel", kSquarePlusOne);
  const Json x = node->tensor<float>({2}, {1, 2});
  const Json y = dispatch("square_plus_one", x);
  const Json sum = node->call("tensor/add", JsonObject{{"input", x}, {"other", y}});
  EXPECT_EQ(node->read_as<float>(sum), (std::vector<float>{3, 7}));
  EXPECT_EQ(node->read_as<float>(node->call("tensor/add", JsonObject{{"input", y}, {"other", y}})),
            (std::vector<float>{4, 10}));
  EXPECT_EQ(counts().at("copied_out"), 1) << "it is here from then on";
  node->call("compute/write_tensor", JsonObject{{"tensor", y}, {"values", JsonArray{3, 0}}});
  EXPECT_EQ(node->read_as<float>(dispatch("square_plus_one", y)), (std::vector<float>{10, 1}));
  EXPECT_EQ(counts().at("copied_in"), 2);
  EXPECT_EQ(node->call("compute/shape", JsonObject{{"operation", "neg"}, {"input", JsonObject{{"input", y}}}})
                .at("outputs")
                .at(0)
                .at("shape"),
            Json(JsonArray{2}));
}

TEST_F(KernelWorkers, GiveOutputsToGraphsAndSubmissions) {
  node->call("compute/register_kernel", kSquarePlusOne);
  const Json x = node->tensor<float>({2}, {1, 2});
  const Json answer = node->call(
      "compute/submit",
      JsonObject{
          {"calls", JsonArray{JsonObject{{"operation", "compute/dispatch_kernel"},
                                         {"input", JsonObject{{"kernel", "square_plus_one"}, {"inputs", JsonArray{x}}}},
                                         {"ids", JsonArray{"c7"}}},
                              JsonObject{{"operation", "tensor/neg"},
                                         {"input", JsonObject{{"input", JsonObject{{"$tensor", "c7"},
                                                                                   {"dtype", "f32"},
                                                                                   {"shape", JsonArray{2}}}}}},
                                         {"ids", JsonArray{"c8"}}}}}});
  EXPECT_EQ(node->read_as<float>(answer.at("results").at(1).at("output")), (std::vector<float>{-2, -5}));
  const Json plan = node->call("compute/compile", R"({"graph":{"alknet_graph":1,
    "inputs":[{"name":"x","dtype":"f32","shape":[2]}],
    "nodes":[{"id":"y","op":"neg","inputs":{"input":"x"},"attrs":{}}],"outputs":[{"name":"y","value":"y"}]}})");
  const Json ran = node->call("compute/run", JsonObject{{"plan", plan.at("plan")},
                                                        {"inputs", JsonObject{{"x", dispatch("square_plus_one", x)}}}});
  EXPECT_EQ(node->read_as<float>(ran.at("outputs").at("y")), (std::vector<float>{-2, -5}));
}

TEST_F(KernelWorkers, EndAtTheirDeadlineAndHarmNothingElse) {
  serve_with_deadline();
  const auto other = node->make_owner();
  node->call("compute/register_kernel", kSquarePlusOne, other);
  node->call("compute/register_kernel", kSquarePlusOne);
  node->call("compute/register_kernel", kEndless);
  const Json x = node->tensor<float>({2}, {1, 2});
  const Json lost = dispatch("square_plus_one", x);
  EXPECT_EQ(workers->workers(), 2) << "one for each owner";

  const auto begin = std::chrono::steady_clock::now();
  const auto error = thrown_by([&] { dispatch("endless", x); });
  ASSERT_TRUE(error);
  EXPECT_EQ(call::wire_code(*error), "DEVICE_LOST");
  EXPECT_EQ(error->details().as_object().at("details").at("reason"), "deadline") << error->what();
  EXPECT_NE(error->message().find("running the kernel \"endless\""), std::string::npos) << error->message();
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, milliseconds(1'000));
  EXPECT_LT(took, seconds(20));

  EXPECT_EQ(node->code("compute/read_tensor", JsonObject{{"tensor", lost}}), "DEVICE_LOST");
  EXPECT_EQ(node->code("tensor/neg", JsonObject{{"input", lost}}), "DEVICE_LOST");
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{x}), "DEVICE_LOST");
  EXPECT_EQ(node->read_as<float>(node->call("tensor/neg", JsonObject{{"input", x}})), (std::vector<float>{-1, -2}));
  const Json theirs = node->call("compute/create_tensor", R"({"dtype":"f32","shape":[1],"values":[3]})", other);
  const Json y = dispatch("square_plus_one", theirs, other);
  EXPECT_EQ(node->call("compute/read_tensor", JsonObject{{"tensor", y}, {"as", "values"}}, other).at("values"),
            Json(JsonArray{10.0}));

  node->call("compute/register_kernel", kSquarePlusOne);
  EXPECT_EQ(node->read_as<float>(dispatch("square_plus_one", x)), (std::vector<float>{2, 5}));
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{lost}), "DEVICE_LOST") << "of the process before";
  EXPECT_EQ(node->call("compute/dispose", JsonObject{{"handles", JsonArray{lost}}}).at("disposed"), 1);
  wait_for_workers(2);
  node->end(other);
  wait_for_workers(1);
}

TEST_F(KernelWorkers, EndWhenTheyDoNotCompileInTime) {
  KernelWorkerOptions options;
  options.setup_deadline = milliseconds(1);
  serve(std::move(options));
  const auto error = thrown_by([&] { node->call("compute/register_kernel", kSquarePlusOne); });
  ASSERT_TRUE(error);
  EXPECT_EQ(call::wire_code(*error), "DEVICE_LOST");
  EXPECT_EQ(error->details().as_object().at("details").at("reason"), "deadline") << error->what();
  wait_for_workers(0);
}

TEST_F(KernelWorkers, EndWithTheirOwner) {
  const auto other = node->make_owner();
  node->call("compute/register_kernel", kSquarePlusOne, other);
  EXPECT_EQ(workers->workers(), 1);
  node->end(other);
  wait_for_workers(0);
}

TEST_F(KernelWorkers, AreLimitedInNumber) {
  KernelWorkerOptions options;
  options.max_workers = 1;
  serve(std::move(options));
  const auto other = node->make_owner();
  node->call("compute/register_kernel", kSquarePlusOne);
  node->call("compute/register_kernel", kEndless);
  EXPECT_EQ(node->code("compute/register_kernel", kSquarePlusOne, other), "RESOURCE_EXHAUSTED");
  node->end(other);
}

TEST_F(KernelWorkers, SayWhatIsWrongWithAKernel) {
  const auto error = thrown_by([&] { node->call("compute/register_kernel", kernel("wrong", "y[i] = nowhere;")); });
  ASSERT_TRUE(error);
  EXPECT_EQ(call::wire_code(*error), "SHADER_INVALID");
  EXPECT_NE(error->message().find("nowhere"), std::string::npos) << error->message();
  EXPECT_EQ(node->code("compute/register_kernel", parse_json(R"({"kernel":{"name":"k","language":"wgsl"}})")),
            "KERNEL_INVALID");
  node->call("compute/register_kernel", kSquarePlusOne);
  EXPECT_EQ(node->code("compute/register_kernel", kSquarePlusOne), "KERNEL_INVALID") << "the name is taken";
}

TEST_F(KernelWorkers, TakeWgslOnly) {
  for (const char* language : {"glsl", "spirv"}) {
    Json other = kSquarePlusOne;
    other.at("kernel").as_object()["language"] = language;
    other.at("kernel").as_object()["source"] = "AAAA";
    EXPECT_EQ(node->code("compute/register_kernel", other), "FORBIDDEN") << language;
  }
  EXPECT_EQ(workers->workers(), 0);
}

TEST_F(KernelWorkers, RefuseCallsThatMakeNoSense) {
  node->call("compute/register_kernel", kSquarePlusOne);
  const Json x = node->tensor<float>({2}, {1, 2});
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{}), "MISSING_INPUT");
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{x, x}), "MISSING_INPUT");
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{2}), "DTYPE_MISMATCH");
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{node->tensor<std::int32_t>({1}, {1})}), "DTYPE_MISMATCH");
  EXPECT_EQ(node->code("compute/dispatch_kernel", JsonObject{{"kernel", "square_plus_one"},
                                                             {"inputs", JsonArray{x}},
                                                             {"workgroups", JsonArray{1'000'000'000, 1, 1}}}),
            "LIMIT_EXCEEDED");
  EXPECT_EQ(node->code("compute/dispatch_kernel", JsonObject{{"kernel", "square_plus_one"},
                                                             {"inputs", JsonArray{x}},
                                                             {"parameters", JsonObject{{"scale", 2}}}}),
            "BAD_ATTRIBUTE");
  EXPECT_EQ(code_of_dispatch("nothing", JsonArray{x}), "UNKNOWN_KERNEL");
  EXPECT_EQ(node->read_as<float>(dispatch("square_plus_one", x)), (std::vector<float>{2, 5}));
  EXPECT_EQ(node->read_as<float>(dispatch("square_plus_one", node->tensor<float>({0}, {}))), std::vector<float>());
}

TEST_F(KernelWorkers, CountOutputsAgainstTheQuotaOfTheirOwner) {
  call::ResourceQuota quota;
  quota.max_bytes = 4'000;
  const auto poor = node->make_owner(call::Owner::Kind::kConnection, quota);
  Json large = kSquarePlusOne;
  large.at("kernel").as_object()["outputs"] =
      JsonArray{JsonObject{{"name", "y"}, {"dtype", "f32"}, {"shape", JsonArray{"x_count * 400"}}}};
  node->call("compute/register_kernel", large, poor);
  const auto run = [&](std::int64_t count) {
    const Json x = node->call("compute/create_tensor", JsonObject{{"dtype", "f32"}, {"shape", JsonArray{count}}}, poor);
    return node->code("compute/dispatch_kernel", JsonObject{{"kernel", "square_plus_one"}, {"inputs", JsonArray{x}}},
                      poor);
  };
  EXPECT_EQ(run(2), "no error");
  EXPECT_EQ(run(1), "RESOURCE_EXHAUSTED") << "3,200 of 4,000 bytes are there";
  node->end(poor);
}

TEST_F(KernelWorkers, GoOnAfterTheyRanOutOfMemory) {
  serve_with_little_memory();
  Json large = kSquarePlusOne;
  large.at("kernel").as_object()["outputs"] =
      JsonArray{JsonObject{{"name", "y"}, {"dtype", "f32"}, {"shape", JsonArray{"x_count * 8000000"}}}};
  node->call("compute/register_kernel", large);
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{node->tensor<float>({1}, {1})}), "RESOURCE_EXHAUSTED");
  node->call("compute/register_kernel", kernel("plain", "y[i] = x[i];"));
  EXPECT_EQ(node->read_as<float>(dispatch("plain", node->tensor<float>({1}, {1}))), std::vector<float>{1});
}

TEST_F(KernelWorkers, FreeWhatIsDisposedOf) {
  serve_with_little_memory();
  node->call("compute/register_kernel", kSquarePlusOne);
  const Json x = node->call("compute/create_tensor", R"({"dtype":"f32","shape":[1000000]})");
  for (int step = 0; step < 8; ++step) {
    const Json y = dispatch("square_plus_one", x);
    node->call("compute/dispose", JsonObject{{"handles", JsonArray{y}}});
  }
}

TEST_F(KernelWorkers, ForgetKernelsThatAreDisposedOf) {
  const Json made = node->call("compute/register_kernel", kSquarePlusOne);
  node->call("compute/dispose", JsonObject{{"handles", JsonArray{made.at("kernel")}}});
  EXPECT_EQ(code_of_dispatch("square_plus_one", JsonArray{node->tensor<float>({1}, {1})}), "UNKNOWN_KERNEL");
  node->call("compute/register_kernel", kernel("square_plus_one", "y[i] = 9.0;"));
  EXPECT_EQ(node->read_as<float>(dispatch("square_plus_one", node->tensor<float>({1}, {1}))), std::vector<float>{9});
}

TEST_F(KernelWorkers, MayBeGivenUpWhileTheyRun) {
  serve_with_deadline();
  const auto hasty = node->make_owner();
  node->call("compute/register_kernel", kEndless, hasty);
  const Json x = node->call("compute/create_tensor", R"({"dtype":"f32","shape":[2]})", hasty);
  call::CallRequest request;
  request.operation = "compute/dispatch_kernel";
  request.input = {JsonObject{{"kernel", "endless"}, {"inputs", JsonArray{x}}}, {}};
  request.timeout = milliseconds(20);
  const auto error = thrown_by([&] { wait_for(node->executor, node->dispatcher->call(hasty, std::move(request))); });
  ASSERT_TRUE(error);
  EXPECT_EQ(call::wire_code(*error), "TIMEOUT");
  wait_for_workers(0);
  EXPECT_EQ(node->code("compute/dispatch_kernel", JsonObject{{"kernel", "endless"}, {"inputs", JsonArray{x}}}, hasty),
            "DEVICE_LOST");
  node->end(hasty);
}

}  // namespace
}  // namespace alknet::platform
