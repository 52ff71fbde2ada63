#include "alknet/runtime/sandbox_host.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/error.h"

// Sessions in the helper that is shipped.

namespace alknet::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Sandbox : public testing::Test {
 protected:
  ~Sandbox() override {
    session.reset();
    caller->end();
    host.reset();
  }

  void open_host(SandboxHostOptions options = {}) {
    host = std::make_unique<SandboxHost>(loop, dispatcher, std::move(options));
  }

  SandboxSessionOptions script(std::string source, std::optional<milliseconds> deadline = seconds(20)) {
    SandboxSessionOptions options;
    options.script.name = "test.js";
    options.script.source = std::move(source);
    options.deadline = deadline;
    options.on_event = [this](const SandboxEvent& event) {
      events.push_back(event);
      if (event.kind == SandboxEvent::Kind::kOutput) printed += event.text;
      if (event.kind == SandboxEvent::Kind::kReady && stop_when_ready) loop.stop();
    };
    options.on_end = [this](const std::optional<Error>& error) {
      ended = true;
      failure = error;
      loop.stop();
    };
    return options;
  }

  /// Runs a script to its end and returns the name of the error, "" when there is none.
  std::string run(SandboxSessionOptions options) {
    if (!host) open_host();
    session = host->open(std::move(options));
    loop.run();
    EXPECT_TRUE(ended);
    return failure ? failure->code_name() : "";
  }

  /// Lets a keeping session become ready.
  void serve(SandboxSessionOptions options) {
    if (!host) open_host();
    options.script.keep = true;
    stop_when_ready = true;
    session = host->open(std::move(options));
    loop.run();
    ASSERT_FALSE(ended) << (failure ? failure->what() : "");
    registry->curated().add(session->operations());
  }

  Outcome<Message> call(std::string operation, Json input, milliseconds timeout = seconds(20)) {
    call::CallRequest request;
    request.operation = std::move(operation);
    request.input = {std::move(input), {}};
    request.timeout = timeout;
    std::optional<Outcome<Message>> answer;
    alknet::start(loop, dispatcher.call(caller, std::move(request)), [&](Outcome<Message> outcome) {
      answer.emplace(std::move(outcome));
      loop.stop();
    });
    while (!answer) loop.run();
    return std::move(*answer);
  }

  Loop loop;
  std::shared_ptr<call::Registry> registry = std::make_shared<call::Registry>();
  call::Dispatcher dispatcher{loop, registry};
  std::shared_ptr<call::Owner> caller =
      std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "caller", std::nullopt);
  std::unique_ptr<SandboxHost> host;
  std::unique_ptr<SandboxSession> session;
  std::vector<SandboxEvent> events;
  std::string printed;
  bool stop_when_ready = false;
  bool ended = false;
  std::optional<Error> failure;
};

TEST_F(Sandbox, RunsAScriptToItsEnd) {
  EXPECT_EQ(run(script("let sum = 0; for (let i = 0; i < 1000; ++i) sum += i; if (sum !== 499500) throw sum;")), "");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, SandboxEvent::Kind::kReady);
  EXPECT_TRUE(session->ended());
  EXPECT_EQ(host->sessions(), 0U);
}

TEST_F(Sandbox, TellsWhatAScriptThrew) {
  ASSERT_EQ(run(script("\nnull.x;")), "domain");
  const auto& details = failure->details().as_object();
  EXPECT_EQ(details.at("code"), Json("SCRIPT_ERROR"));
  EXPECT_EQ(details.at("details").at("name"), Json("TypeError"));
  const std::string stack(details.at("details").at("stack").as_string());
  EXPECT_NE(stack.find("test.js:2"), std::string::npos) << stack;
}

TEST_F(Sandbox, KillsAScriptThatOverrunsItsDeadline) {
  EXPECT_EQ(run(script("for (;;) {}", milliseconds(50))), "timeout");
  EXPECT_EQ(host->sessions(), 0U);
}

TEST_F(Sandbox, BoundsTheMemoryOfAScript) {
  ASSERT_EQ(run(script("const kept = []; for (;;) kept.push(new Array(1000).fill(1));")), "resource_exhausted");
  EXPECT_EQ(failure->details().at("limit"), Json("memory"));
}

TEST_F(Sandbox, AScriptThatWaitsForNothingEnds) { EXPECT_EQ(run(script("await new Promise(() => {});")), "domain"); }

TEST_F(Sandbox, ReplacesKilledHelpers) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run(script("for (;;) {}", milliseconds(20))), "timeout");
    EXPECT_EQ(run(script("1")), "");
  }
}

TEST_F(Sandbox, EndsWithItsSession) {
  open_host();
  session = host->open(script("for (;;) {}", std::nullopt));
  EXPECT_EQ(host->sessions(), 1U);
  session.reset();
  EXPECT_EQ(host->sessions(), 0U);
  EXPECT_FALSE(ended) << "who ends it knows";
}

TEST_F(Sandbox, HasLimitsOfSessionsAndMemory) {
  SandboxHostOptions options;
  options.max_sessions = 1;
  options.max_memory = 1 << 20;
  open_host(options);
  EXPECT_EQ(code_of([&] { static_cast<void>(host->open(script("1"))); }), "resource_exhausted");
  SandboxSessionOptions small = script("1");
  small.script.limits.memory_bytes = 1 << 20;
  session = host->open(small);
  EXPECT_EQ(code_of([&] { static_cast<void>(host->open(small)); }), "resource_exhausted");
}

TEST_F(Sandbox, AHelperThatCannotConfineItselfRunsNothing) {
  SandboxHostOptions options;
  options.program = "/bin/false";
  open_host(options);
  EXPECT_EQ(run(script("1")), "sandbox_failed");
  ended = false;
  EXPECT_EQ(code_of([] { helper_program("alknet-none", "ALKNET_NONE"); }), "sandbox_failed");
}

}  // namespace
}  // namespace alknet::runtime
