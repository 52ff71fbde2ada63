#include <gtest/gtest.h>

#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/compute/operations/tiny_bert.h"
#include "alknet/gpu/instance.h"

namespace alknet::compute {
namespace {

/// On a GPU, hardware or software: what only such a device does.
class DeviceOperations : public testing::Test {
 protected:
  void SetUp() override {
    const gpu::Survey survey = gpu::survey();
    if (survey.adapters.empty()) GTEST_SKIP() << "no GPU: " << survey.reason;
    ComputeServiceOptions options;
    options.device = "gpu";
    node = std::make_unique<ServedNode>(std::move(options));
  }

  /// As a driver reset does.
  void lose_device() {
    node->service().compute().post([this] {
      for (const auto& backend : node->service().backends()) backend->lose("reset by the test");
    });
    node->service().settle();
  }

  std::unique_ptr<ServedNode> node;
};

TEST_F(DeviceOperations, SayThatTheDeviceWasLostAndGoOnWithAnother) {
  const Json a = node->tensor<float>({2}, {1, -2});
  EXPECT_EQ(node->read_as<float>(node->call("tensor/relu", JsonObject{{"input", a}})), (std::vector<float>{1, 0}));
  node->call("compute/register_kernel", R"({"name":"twice","expression":"output = 2 * x","inputs":["x"]})");
  lose_device();
  EXPECT_EQ(node->code("compute/read_tensor", JsonObject{{"tensor", a}}), "DEVICE_LOST");
  const Json b = node->tensor<float>({2}, {3, 4});
  const Json ran = node->call("compute/dispatch_kernel", JsonObject{{"kernel", "twice"}, {"inputs", JsonArray{b}}});
  EXPECT_EQ(node->read_as<float>(ran.at("outputs").at(0)), (std::vector<float>{6, 8}));
}

TEST_F(DeviceOperations, MoveTensorsBetweenDevices) {
  const Json a = node->tensor<float>({2}, {1, -2});
  const Json on_cpu = node->call("compute/to", JsonObject{{"tensor", a}, {"device", "cpu"}});
  EXPECT_EQ(node->code("tensor/add", JsonObject{{"input", a}, {"other", on_cpu}}), "CONTEXT_MISMATCH");
  EXPECT_EQ(node->read_as<float>(node->call("tensor/neg", JsonObject{{"input", on_cpu}})), (std::vector<float>{-1, 2}));
  const Json back = node->call("compute/to", JsonObject{{"tensor", on_cpu}, {"device", "default"}});
  EXPECT_EQ(node->read_as<float>(node->call("tensor/add", JsonObject{{"input", a}, {"other", back}})),
            (std::vector<float>{2, -4}));
}

TEST_F(DeviceOperations, ARunAnswersNumbersOfTheDevice) {
  const Json graph = parse_json(R"({"alknet_graph":1,"inputs":[{"name":"x","dtype":"f32","shape":["n"]}],
    "nodes":[{"id":"y","op":"mul","inputs":{"input":"x","other":{"scalar":2}},"attrs":{}},
             {"id":"s","op":"sum","inputs":{"input":"y"},"attrs":{}}],
    "outputs":[{"name":"twice","value":"y"},{"name":"total","value":"s"}]})");
  const Json compiled = node->call("compute/compile", JsonObject{{"graph", graph}});
  for (const float first : {1.0F, 5.0F}) {
    const Json inputs = JsonObject{{"x", node->tensor<float>({2}, {first, 0.25F})}};
    const Json run = node->call("compute/run", JsonObject{{"plan", compiled.at("plan")},
                                                          {"inputs", inputs},
                                                          {"values", JsonArray{"total", "twice"}},
                                                          {"outputs", JsonArray{"twice"}}});
    EXPECT_EQ(run.at("values"), (JsonObject{{"twice", JsonArray{2 * first, 0.5}}, {"total", 2 * first + 0.5}}));
    EXPECT_EQ(node->read_as<float>(run.at("outputs").at("twice")), (std::vector<float>{2 * first, 0.5F}));
  }
}

TEST_F(DeviceOperations, FindGradientsOfTensorsOnAnotherDeviceThanTheDefault) {
  ComputeServiceOptions options;
  options.device = "cpu";
  ServedNode other(std::move(options));
  Json x = other.tensor<float>({2}, {1, -2});
  x = other.call("compute/to", JsonObject{{"tensor", x}, {"device", "gpu"}});
  x = other.call("compute/requires_grad", JsonObject{{"tensor", x}});
  const Json square = other.call("tensor/mul", JsonObject{{"input", x}, {"other", x}});
  const Json sum = other.call("tensor/sum", JsonObject{{"input", square}});
  const Json found = other.call("compute/backward", JsonObject{{"output", sum}, {"inputs", JsonArray{x}}});
  EXPECT_EQ(other.read_as<float>(found.at("gradients").at(0)), (std::vector<float>{2, -4}));
}

TEST_F(DeviceOperations, RefuseGraphsWithTensorsOfAnotherDevice) {
  const Json a = node->call("compute/to", JsonObject{{"tensor", node->tensor<float>({2}, {1, -2})}, {"device", "cpu"}});
  const Json plan = node->call("compute/compile", R"({"graph":{"alknet_graph":1,
    "inputs":[{"name":"x","dtype":"f32","shape":[2]}],
    "nodes":[{"id":"y","op":"neg","inputs":{"input":"x"},"attrs":{}}],"outputs":[{"name":"y","value":"y"}]}})");
  EXPECT_EQ(node->code("compute/run", JsonObject{{"plan", plan.at("plan")}, {"inputs", JsonObject{{"x", a}}}}),
            "CONTEXT_MISMATCH");
  const Json stateful = node->call("compute/compile", R"({"graph":{"alknet_graph":1,
    "states":[{"name":"w","dtype":"f32","shape":[2],"scope":"store","trainable":true}],
    "nodes":[{"id":"y","op":"neg","inputs":{"input":"w"},"attrs":{}}],"outputs":[{"name":"y","value":"y"}]}})");
  EXPECT_EQ(node->code("compute/open", JsonObject{{"plan", stateful.at("plan")}, {"parameters", JsonObject{{"w", a}}}}),
            "CONTEXT_MISMATCH");
}

TEST_F(DeviceOperations, LoadModelsAnewAfterTheDeviceWasLost) {
  node->registry().curated().add(sentence_model_operations(
      node->service(), "tiny", tiny_bert_files(),
      std::make_shared<tensor::FileSource>(tensor::File::from_bytes(SharedBytes::take(tiny_bert_weights())))));
  const auto embed = [&] { return node->call("model/tiny/embed", R"({"sentences":["the dog"]})").at("vectors").at(0); };
  const Json before = embed();
  lose_device();
  const Json after = embed();
  for (std::size_t k = 0; k < before.as_array().size(); ++k) {
    EXPECT_NEAR(before.at(k).to_number<double>(), after.at(k).to_number<double>(), 1e-5);
  }
}

TEST_F(DeviceOperations, TellOfIndicesOutsideWhenResultsAreRead) {
  const Json table = node->tensor<float>({2, 2}, {1, 2, 3, 4});
  const Json index = node->tensor<std::int32_t>({1}, {7});
  const Json taken = node->call("tensor/index_select", JsonObject{{"input", table}, {"index", index}, {"dim", 0}});
  EXPECT_EQ(node->code("compute/read_tensor", JsonObject{{"tensor", taken}}), "INDEX_OUT_OF_RANGE");
}

}  // namespace
}  // namespace alknet::compute
