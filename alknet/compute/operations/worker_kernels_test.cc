#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "alknet/call/error.h"
#include "alknet/compute/operations/kernel_workers.h"
#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/gpu/error.h"

// What a node makes of the process of a caller's kernels, here one that the tests play.

namespace alknet::compute {
namespace {

using Answer = std::function<Message(const JsonArray& calls, Message honest)>;

/// A process that answers honestly, or as a test says. Thread-safe.
class PlayedWorker final : public KernelWorker {
 public:
  Task<Message> call(WorkerCall call) override {
    const auto answer = answer_to(std::move(call));
    co_return co_await answer.wait();
  }
  void tell(WorkerCall call) override { static_cast<void>(answer_to(std::move(call))); }
  void end(std::string_view why) override {
    const std::lock_guard lock(mutex_);
    if (!lost_) lost_ = Error(gpu::GpuError::kDeviceLost, "the process " + std::string(why));
  }
  std::optional<Error> lost() const override {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

  void answer_by(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

  /// From now on calls wait for `release`; complete when one does.
  Completion<> hold() {
    const std::lock_guard lock(mutex_);
    holds_ = true;
    return arrived_ = Completion<>();
  }
  void release() {
    const std::lock_guard lock(mutex_);
    holds_ = false;
    for (auto& [held, answer] : std::exchange(held_, {})) held.set_value(std::move(answer));
  }

  /// The entries of all calls so far, and the bytes that came with them and that answers might have.
  JsonArray entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  std::uint64_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }
  std::uint64_t answer_bytes() const {
    const std::lock_guard lock(mutex_);
    return answer_bytes_;
  }

 private:
  Completion<Message> answer_to(WorkerCall call) {
    const std::lock_guard lock(mutex_);
    const JsonArray& calls = call.input.value.at("calls").as_array();
    for (const Json& each : calls) entries_.push_back(each);
    for (const SharedBytes& each : call.input.bytes) bytes_ += each.size();
    answer_bytes_ = call.answer_bytes;
    JsonArray results;
    Message honest{JsonObject{{"bytes", JsonArray()}}, {}};
    for (const Json& each : calls) {
      JsonObject output;
      if (each.at("operation") == Json("compute/read_tensor")) {
        output.emplace("data", JsonObject{{"$bytes", honest.bytes.size()}});
        honest.value.at("bytes").as_array().push_back(JsonObject{{"$bytes", honest.bytes.size()}});
        honest.bytes.push_back(SharedBytes::take(std::vector<std::byte>(8)));
      }
      results.push_back(JsonObject{{"output", std::move(output)}});
    }
    honest.value.as_object().emplace("results", std::move(results));
    Message answer = answer_ ? answer_(calls, std::move(honest)) : std::move(honest);
    Completion<Message> done;
    if (holds_) {
      held_.emplace_back(done, std::move(answer));
      arrived_.set_value();
    } else {
      done.set_value(std::move(answer));
    }
    return done;
  }

  mutable std::mutex mutex_;
  Answer answer_;
  bool holds_ = false;
  Completion<> arrived_;
  std::vector<std::pair<Completion<Message>, Message>> held_;
  JsonArray entries_;
  std::uint64_t bytes_ = 0;
  std::uint64_t answer_bytes_ = 0;
  std::optional<Error> lost_;
};

class PlayedWorkers final : public KernelWorkers {
 public:
  Task<std::shared_ptr<KernelWorker>> start() override {
    started.push_back(std::make_shared<PlayedWorker>());
    co_return started.back();
  }
  std::vector<std::shared_ptr<PlayedWorker>> started;
};

Json kernel_named(std::string_view name, std::size_t inputs = 1) {
  JsonArray list;
  for (std::size_t i = 0; i < inputs; ++i) {
    list.push_back(JsonObject{{"name", "x" + std::to_string(i)}, {"dtype", "f32"}});
  }
  return JsonObject{
      {"kernel", JsonObject{{"name", name},
                            {"language", "wgsl"},
                            {"source", "fn main() {}"},
                            {"inputs", std::move(list)},
                            {"outputs", JsonArray{JsonObject{{"name", "y"}, {"dtype", "f32"}, {"shape", "x0"}}}},
                            {"workgroups", JsonArray{1}}}}};
}

class WorkerKernelsTest : public testing::Test {
 protected:
  WorkerKernelsTest() {
    ComputeServiceOptions options;
    options.kernel_workers = workers;
    node = std::make_unique<ServedNode>(std::move(options));
    node->call("compute/register_kernel", kernel_named("plain"));
    x = node->tensor<float>({2}, {1, 2});
  }

  PlayedWorker& worker() { return *workers->started.back(); }
  std::string register_again(const Json& kernel) { return node->code("compute/register_kernel", kernel); }
  Json dispatch(std::string_view name, JsonArray inputs) {
    return node->call("compute/dispatch_kernel", JsonObject{{"kernel", name}, {"inputs", std::move(inputs)}})
        .at("outputs")
        .at(0);
  }

  struct Nobody final : call::CallSink {
    void responded(Message, const call::Operation&) override {}
    void completed() override {}
    void failed(const call::WireError&) override {}
  };

  /// Starts a call that its caller gives up when the process has it, before it is answered.
  void give_up(std::string operation, Json input) {
    const Completion<> arrived = worker().hold();
    const auto abandon = [&]() -> Task<void> {
      call::CallRequest request;
      request.operation = operation;
      request.input = {std::move(input), {}};
      const call::CallHandle handle =
          node->dispatcher->start(node->owner, std::move(request), std::make_shared<Nobody>());
      co_await arrived.wait();
      handle.abort();
    };
    wait_for(node->executor, abandon());
  }

  /// Whether the process was told to dispose of a handle, in the end.
  bool disposed(const std::string& handle) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (entries_of("compute/dispose", handle) == 0 && std::chrono::steady_clock::now() < deadline) {
      node->service().settle();
    }
    return entries_of("compute/dispose", handle) == 1;
  }

  /// How many entries of an operation the process got that name `handle`.
  std::size_t entries_of(std::string_view operation, std::string_view handle) {
    std::size_t count = 0;
    for (const Json& each : worker().entries()) {
      const bool named = json_text(each).find("\"" + std::string(handle) + "\"") != std::string::npos;
      count += each.at("operation") == Json(operation) && named ? 1 : 0;
    }
    return count;
  }
  /// The handle that the last entry of an operation was to make.
  std::string last_made(std::string_view operation) {
    std::string made;
    for (const Json& each : worker().entries()) {
      if (each.at("operation") == Json(operation)) made = each.at("ids").at(0).as_string();
    }
    return made;
  }

  std::shared_ptr<PlayedWorkers> workers = std::make_shared<PlayedWorkers>();
  std::unique_ptr<ServedNode> node;
  Json x;
};

TEST_F(WorkerKernelsTest, EndAProcessThatAnswersNonsense) {
  const Json no_results = JsonObject{{"bytes", JsonArray()}};
  for (const Json& answer :
       {Json(nullptr), Json(5), Json(JsonArray()), no_results, parse_json(R"({"results":5})"),
        parse_json(R"({"results":[]})"), parse_json(R"({"results":[5,5,5]})"), parse_json(R"({"results":[{},{},{}]})"),
        parse_json(R"({"results":[{"output":{}}]})"), parse_json(R"({"results":[{"error":5},{},{}]})"),
        parse_json(R"({"results":[{"error":{"code":5}},{},{}]})")}) {
    worker().answer_by([&](const JsonArray&, Message) { return Message{answer, {}}; });
    const auto error = thrown_by([&] { dispatch("plain", {x}); });
    ASSERT_TRUE(error) << json_text(answer);
    EXPECT_EQ(call::wire_code(*error), "DEVICE_LOST") << json_text(answer) << error->message();
    EXPECT_NE(error->message().find("because it answered"), std::string::npos) << error->message();
    EXPECT_TRUE(worker().lost()) << json_text(answer);
    EXPECT_EQ(register_again(kernel_named("plain")), "no error");
  }
  dispatch("plain", {x});
}

TEST_F(WorkerKernelsTest, EndAProcessThatReadsOtherBytes) {
  const auto read = [&](const Answer& answer) {
    const Json y = dispatch("plain", {x});
    worker().answer_by(answer);
    const std::string code = node->code("compute/read_tensor", JsonObject{{"tensor", y}});
    if (worker().lost()) node->call("compute/register_kernel", kernel_named("plain"));
    return code;
  };
  const auto with_data = [](Json data) {
    return [data](const JsonArray&, Message honest) {
      honest.value.at("results").at(0).at("output").as_object()["data"] = data;
      return honest;
    };
  };
  for (const char* data : {"null", "5", "{}", R"({"$bytes":"0"})", R"({"$bytes":-1})", R"({"$bytes":1})",
                           R"({"$bytes":1e300})", R"({"$bytes":0.5})", R"({"$bytes":[0]})"}) {
    EXPECT_EQ(read(with_data(parse_json(data))), "DEVICE_LOST") << data;
  }
  for (const char* list : {"null", "[]", "[5]", R"([{"$bytes":1}])", R"([{"$bytes":-1}])", R"({"0":{"$bytes":0}})"}) {
    EXPECT_EQ(read([&](const JsonArray&, Message honest) {
                honest.value.as_object()["bytes"] = parse_json(list);
                return honest;
              }),
              "DEVICE_LOST")
        << list;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{9}}) {
    EXPECT_EQ(read([&](const JsonArray&, Message honest) {
                honest.bytes.at(0) = SharedBytes::take(std::vector<std::byte>(size));
                return honest;
              }),
              "DEVICE_LOST")
        << size;
  }
  EXPECT_EQ(read(nullptr), "no error");
  EXPECT_EQ(worker().answer_bytes(), 8) << "nothing larger is taken in";
}

TEST_F(WorkerKernelsTest, StartAnotherProcessAtOnceAfterTheDeviceWasLost) {
  worker().answer_by([](const JsonArray&, Message honest) {
    honest.value.at("results").at(0) =
        parse_json(R"({"error":{"code":"DEVICE_LOST","message":"reset","retryable":false}})");
    return honest;
  });
  EXPECT_EQ(node->code("compute/dispatch_kernel", JsonObject{{"kernel", "plain"}, {"inputs", JsonArray{x}}}),
            "DEVICE_LOST");
  EXPECT_EQ(register_again(kernel_named("plain")), "no error");
  EXPECT_EQ(workers->started.size(), 2);
}

TEST_F(WorkerKernelsTest, FreeTheNameOfAKernelWhoseHandleCouldNotBeKept) {
  node->call("compute/create_tensor", R"({"dtype":"f32","shape":[1],"ids":["c5"]})");
  Json kernel = kernel_named("mine");
  kernel.as_object().emplace("ids", JsonArray{"c5"});
  EXPECT_EQ(register_again(kernel), "INVALID_INPUT");
  EXPECT_TRUE(disposed(last_made("compute/register_kernel")));
  EXPECT_EQ(node->code("compute/dispatch_kernel", JsonObject{{"kernel", "mine"}, {"inputs", JsonArray{x}}}),
            "UNKNOWN_KERNEL");
}

TEST_F(WorkerKernelsTest, FreeTheNameOfAKernelThatWasGivenUp) {
  give_up("compute/register_kernel", kernel_named("mine"));
  EXPECT_TRUE(disposed(last_made("compute/register_kernel")));
  worker().release();
}

TEST_F(WorkerKernelsTest, FreeWhatADispatchThatWasGivenUpMakes) {
  give_up("compute/dispatch_kernel", JsonObject{{"kernel", "plain"}, {"inputs", JsonArray{x}}});
  EXPECT_TRUE(disposed(last_made("compute/dispatch_kernel")));
  worker().release();
}

TEST_F(WorkerKernelsTest, CopyATensorOnceForADispatch) {
  node->call("compute/register_kernel", kernel_named("three", 3));
  const Json y = node->tensor<float>({2}, {3, 4});
  const std::uint64_t before = worker().bytes();
  dispatch("three", {x, y, x});
  EXPECT_EQ(worker().bytes() - before, 16);
  const JsonArray entries = worker().entries();
  const Json& inputs = entries.at(entries.size() - 2).at("input").at("inputs");
  EXPECT_EQ(inputs.at(0), inputs.at(2));
  EXPECT_NE(inputs.at(0), inputs.at(1));
}

TEST_F(WorkerKernelsTest, TakeNoNameOfAnExpressionNorGiveItTheirs) {
  const Json expression = parse_json(R"({"name":"twice","expression":"output = 2 * x","inputs":["x"]})");
  EXPECT_EQ(register_again(expression), "no error");
  EXPECT_EQ(register_again(kernel_named("twice")), "KERNEL_INVALID");
  Json taken = expression;
  taken.as_object()["name"] = "plain";
  EXPECT_EQ(register_again(taken), "KERNEL_INVALID");
  EXPECT_EQ(node->read_as<float>(dispatch("twice", {x})), (std::vector<float>{2, 4}));
}

}  // namespace
}  // namespace alknet::compute
