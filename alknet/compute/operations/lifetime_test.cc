#include <gtest/gtest.h>

#include "alknet/call/error.h"
#include "alknet/compute/operations/operations_test_support.h"

namespace alknet::compute {
namespace {

/// Handles made by handlers, calls that are given up, owners that go while work runs.
class Lifetimes : public OperationsTest {
 protected:
  Lifetimes() {
    auto own = std::make_shared<call::Registry>();
    own->curated().add(compute_operations(service()));
    own->curated().add({local("test/keep_one", keep_one), local("test/fail", fail)});
    call::DispatcherOptions options;
    options.check_outputs = true;
    dispatcher = std::make_unique<call::Dispatcher>(executor, std::move(own), std::move(options));
  }

  static call::Registration local(std::string name, call::OnceHandler handler) {
    call::Registration registration;
    registration.spec.name = std::move(name);
    registration.spec.type = call::OperationType::kMutation;
    registration.handler = std::move(handler);
    registration.authority = {"test", {"compute"}, {}, false};
    registration.environment = call::ScopedEnvironment({"tensor/*"});
    return registration;
  }

  static Task<Message> keep_one(call::OperationContext& context, Message) {
    Message size{JsonObject{{"size", JsonArray{1000}}}, {}};
    Message ones = co_await context.call("tensor/ones", std::move(size));
    Message operands{JsonObject{{"input", ones.value}, {"other", ones.value}}, {}};
    Message sum = co_await context.call("tensor/add", std::move(operands));
    co_return Message{JsonObject{{"result", sum.value}}, {}};
  }

  static Task<Message> fail(call::OperationContext& context, Message) {
    Message size{JsonObject{{"size", JsonArray{1000}}}, {}};
    co_await context.call("tensor/ones", std::move(size));
    throw Error(call::CallError::kInvalidInput, "after all");
  }
};

TEST_F(Lifetimes, HandlesOfNestedCallsGoUnlessReturned) {
  const std::uint64_t before = live_bytes();
  const Json kept = call("test/keep_one", "{}").at("result");
  EXPECT_EQ(read_as<float>(kept).front(), 2);
  EXPECT_EQ(live_bytes(), before + 4096) << "one tensor of 4000 bytes in a block of the pool";
  EXPECT_EQ(owner->resources().count(), 2U) << "it, and the service's own";
}

TEST_F(Lifetimes, HandlesOfFailedCallsGo) {
  const std::uint64_t before = live_bytes();
  EXPECT_EQ(code("test/fail", JsonObject{}), "INVALID_INPUT");
  EXPECT_EQ(live_bytes(), before);
}

TEST_F(Lifetimes, CallsThatAreGivenUpKeepNothing) {
  const std::uint64_t before = live_bytes();
  const auto abort_some = [&]() -> Task<void> {
    struct Quiet final : call::CallSink {
      void responded(Message, const call::Operation&) override {}
      void completed() override {}
      void failed(const call::WireError&) override {}
    };
    for (int i = 0; i < 50; ++i) {
      call::CallRequest request;
      request.operation = "tensor/ones";
      request.input = {JsonObject{{"size", JsonArray{1000}}}, {}};
      const auto handle = dispatcher->start(owner, std::move(request), std::make_shared<Quiet>());
      for (int k = 0; k < i % 5; ++k) co_await reschedule();
      handle.abort();
    }
  };
  wait_for(executor, abort_some());
  end(owner);
  owner = make_owner();
  EXPECT_EQ(live_bytes(), before);
}

TEST_F(Lifetimes, OwnersMayGoWhileTheirCallsRun) {
  const std::uint64_t before = live_bytes();
  for (int i = 0; i < 20; ++i) {
    const auto brief = make_owner();
    const auto start_and_end = [&]() -> Task<void> {
      struct Quiet final : call::CallSink {
        void responded(Message, const call::Operation&) override {}
        void completed() override {}
        void failed(const call::WireError&) override {}
      };
      for (int k = 0; k < 10; ++k) {
        call::CallRequest request;
        request.operation = "tensor/rand";
        request.input = {JsonObject{{"size", JsonArray{10'000}}}, {}};
        dispatcher->start(brief, std::move(request), std::make_shared<Quiet>());
      }
      for (int k = 0; k < i; ++k) co_await reschedule();
      brief->end();
    };
    wait_for(executor, start_and_end());
  }
  call("compute/dispose", R"({"handles":[]})");  // what ran has ended
  EXPECT_EQ(live_bytes(), before);
}

TEST_F(Lifetimes, CallsOfOneOwnerKeepTheirOrder) {
  const Json target = tensor<float>({1}, {0});
  int last = 0;
  const auto write_all = [&]() -> Task<void> {
    struct Count final : call::CallSink {
      explicit Count(Completion<> completion) : done(std::move(completion)) {}
      void responded(Message, const call::Operation&) override { done.set_value(); }
      void completed() override {}
      void failed(const call::WireError&) override { done.set_value(); }
      Completion<> done;
    };
    std::vector<Completion<>> done(30);
    for (std::size_t i = 0; i < done.size(); ++i) {
      call::CallRequest request;
      request.operation = "compute/write_tensor";
      last = static_cast<int>(i);
      request.input = {JsonObject{{"tensor", target}, {"values", JsonArray{last}}}, {}};
      dispatcher->start(owner, std::move(request), std::make_shared<Count>(done[i]));
    }
    for (auto& each : done) co_await each.wait();
  };
  wait_for(executor, write_all());
  EXPECT_EQ(read_as<float>(target).front(), static_cast<float>(last));
}

}  // namespace
}  // namespace alknet::compute
