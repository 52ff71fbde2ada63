#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/pool_executor.h"
#include "alknet/base/testing.h"
#include "alknet/call/error.h"
#include "alknet/call/operation.h"
#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/platform/kernel_worker.h"

// What the host of worker processes makes of one that a stranger has taken over.

namespace alknet::platform {
namespace {

using compute::WorkerCall;

class HostileWorkers : public testing::Test {
 protected:
  HostileWorkers() : submit_(std::make_shared<const call::Operation>(submission())) {}

  void serve(std::string way, std::uint64_t memory = std::uint64_t{1} << 30) {
    KernelWorkerOptions options;
    options.program = ALKNET_HOSTILE_WORKER;
    options.device = std::move(way);
    options.memory = memory;
    options.diagnostics = true;
    host_ = std::make_unique<KernelWorkerHost>(thread_.loop(), std::move(options));
    worker_ = wait_for(executor_, host_->start());
  }
  ~HostileWorkers() override {
    worker_.reset();
    wait_until_gone();
  }

  WorkerCall call(std::size_t bytes = 0) {
    Message input{JsonObject{{"calls", JsonArray()}}, {}};
    if (bytes > 0) {
      input.value.as_object().emplace("bytes", JsonArray{JsonObject{{"$bytes", 0}}});
      input.bytes.push_back(SharedBytes::take(std::vector<std::byte>(bytes)));
    }
    return {submit_, std::move(input), compute::WorkerDeadline::kSetup, "trying", 100};
  }
  Error error_of_call() {
    return error_of([&] { wait_for(executor_, worker_->call(call())); });
  }
  void wait_until_gone() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (host_ && host_->workers() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(!host_ || host_->workers() == 0);
  }

  static call::Registration submission() {
    compute::ComputeService service;
    return std::move(compute::submit_operations(service).front());
  }

  std::shared_ptr<const call::Operation> submit_;
  LoopThread thread_;
  PoolExecutor executor_{1};
  std::unique_ptr<KernelWorkerHost> host_;
  std::shared_ptr<compute::KernelWorker> worker_;
};

TEST_F(HostileWorkers, AreEndedForWhatTheySend) {
  for (const char* way :
       {"asks", "floods-answers", "floods-chunks", "floods-requests", "is-no-protocol", "closes-its-link"}) {
    serve(way);
    const Error error = error_of_call();
    EXPECT_EQ(call::wire_code(error), "DEVICE_LOST") << way << ": " << error.message();
    EXPECT_NE(error.message().find("register the kernels again"), std::string::npos) << error.message();
    EXPECT_TRUE(worker_->lost()) << way;
    worker_.reset();
    wait_until_gone();
  }
}

TEST_F(HostileWorkers, SendNoMoreThanWasAskedFor) {
  serve("sends-too-much");
  const Error error = error_of_call();
  EXPECT_EQ(call::wire_code(error), "RESOURCE_EXHAUSTED") << error.message();
  EXPECT_EQ(error.details().at("limit"), Json("attachment_bytes"));
}

TEST_F(HostileWorkers, MayNotHoldTheirCallersBytesWithoutEnd) {
  serve("never-answers", 1'000);
  const auto first = [&]() -> Task<Error> {
    auto waiting = std::make_shared<std::vector<Error>>();
    for (const std::size_t bytes : {std::size_t{600}, std::size_t{300}, std::size_t{200}}) {
      alknet::start(executor_, worker_->call(call(bytes)),
                    [waiting](Outcome<Message> outcome) { waiting->push_back(error_of([&] { outcome.take(); })); });
    }
    while (waiting->empty()) co_await reschedule();
    co_return waiting->front();
  };
  const Error error = wait_for(executor_, first());
  EXPECT_EQ(call::wire_code(error), "RESOURCE_EXHAUSTED") << error.message();
  EXPECT_EQ(error.details().at("limit"), Json("kernel_worker_queue"));
  EXPECT_FALSE(worker_->lost());
}

TEST_F(HostileWorkers, GetNoMoreBytesThanTheyMayHold) {
  serve("never-answers", 1'000);
  const Error error = error_of([&] { wait_for(executor_, worker_->call(call(1'001))); });
  EXPECT_EQ(call::wire_code(error), "RESOURCE_EXHAUSTED");
  EXPECT_NE(error.message().find("dispatch on parts"), std::string::npos) << error.message();
}

TEST_F(HostileWorkers, AreLostAtOnceWhenTheyAreEnded) {
  serve("never-answers");
  // Kept by the loop too, which may be inside them when the test goes on.
  const auto blocked = std::make_shared<std::promise<void>>(), release = std::make_shared<std::promise<void>>();
  thread_.loop().post([blocked, release] { blocked->set_value(), release->get_future().wait(); });
  blocked->get_future().wait();
  worker_->end("was ended by the test");
  const auto lost = worker_->lost();
  release->set_value();
  ASSERT_TRUE(lost) << "though the host's thread is busy";
  EXPECT_NE(lost->message().find("was ended by the test"), std::string::npos) << lost->message();
}

}  // namespace
}  // namespace alknet::platform
