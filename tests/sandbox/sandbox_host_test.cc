#include "alknet/runtime/sandbox_host.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/base/random_hex.h"
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

  static Task<void> opened(Completion<void> gate) { co_await gate.wait(); }
  static Task<void> nothing() { co_return; }

  /// Lets a little happen.
  void turn() {
    loop.post_after(milliseconds(1), [this] { loop.stop(); });
    loop.run();
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

TEST_F(Sandbox, ALimitThatNobodyCatchesIsExhausted) {
  const auto limit_of = [&](const char* source) {
    SandboxSessionOptions options = script(source);
    options.script.limits.timers = 2;
    options.script.limits.open_calls = 2;
    options.script.limits.output_bytes = 100;
    ended = false;
    EXPECT_EQ(run(std::move(options)), "resource_exhausted") << source;
    return failure->details().at("limit");
  };
  EXPECT_EQ(limit_of("for (let i = 0; i < 3; ++i) setTimeout(() => {}, 1e6);"), Json("timers"));
  EXPECT_EQ(limit_of("for (let i = 0; i < 20; ++i) console.log('0123456789');"), Json("output_bytes"));
  EXPECT_EQ(limit_of("setTimeout(() => { for (let i = 0; i < 3; ++i) setTimeout(() => {}, 1e6) });"), Json("timers"));
  EXPECT_EQ(limit_of("import { env, unwrap } from '@alknet/operations';\n"
                     "await Promise.all([1, 2, 3].map(() => unwrap(env.call('a/b', {}))));"),
            Json("open_calls"));
  ended = false;
  SandboxSessionOptions caught =
      script("try { for (;;) setTimeout(() => {}) } catch { for (let i = 1; i < 1e3; ++i) clearTimeout(i) }");
  EXPECT_EQ(run(std::move(caught)), "");
  ended = false;
  EXPECT_EQ(run(script("throw Object.assign(new Error('mine'), { code: 'limit', details: { limit: 'patience' } });")),
            "domain");
}

TEST_F(Sandbox, BoundsWhatAScriptLogs) {
  ASSERT_EQ(run(script("import { getLogger } from '@logtape/logtape';\n"
                       "for (;;) getLogger('a').info('x'.repeat(10_000));")),
            "resource_exhausted");
  EXPECT_EQ(failure->details().at("limit"), Json("output_bytes"));
}

TEST_F(Sandbox, BoundsTheJobsOfATurn) {
  const char* const source =
      "let left = 5000; const again = () => { if (--left > 0) queueMicrotask(again) }; queueMicrotask(again);";
  EXPECT_EQ(run(script(source)), "");
  SandboxSessionOptions small = script(source);
  small.script.limits.jobs = 1'000;
  ended = false;
  ASSERT_EQ(run(std::move(small)), "resource_exhausted");
  EXPECT_EQ(failure->details().at("limit"), Json("jobs"));
}

TEST_F(Sandbox, OnlyAScriptThatDoesNotStayIsTheMainOne) {
  const char* const source = "if (import.meta.main) throw new Error('main');";
  EXPECT_EQ(run(script(source)), "domain");
  SandboxSessionOptions serving = script(source);
  serving.script.keep = true;
  serving.deadline = milliseconds(300);
  ended = false;
  EXPECT_EQ(run(std::move(serving)), "timeout");
}

TEST_F(Sandbox, AScriptThatWaitsForNothingEnds) { EXPECT_EQ(run(script("await new Promise(() => {});")), "domain"); }

TEST_F(Sandbox, CountsAllThatAScriptMakesItsHostHearOf) {
  const std::string flood = R"js(
    const host = await import("alknet:host");
    for (let i = 0; i < 100; ++i) {
      host.register({ name: `flood/op${i}`, op_type: "query", description: "x".repeat(1000) }, [], () => i);
    })js";
  EXPECT_EQ(run(script(flood)), "");
  SandboxSessionOptions small = script(flood);
  small.script.limits.output_bytes = 50'000;
  ended = false;
  ASSERT_EQ(run(std::move(small)), "resource_exhausted");
  EXPECT_EQ(failure->details().at("limit"), Json("output_bytes"));
}

TEST_F(Sandbox, WaitsForWhoHearsItsEvents) {
  SandboxSessionOptions options = script("for (let i = 0; i < 2000; ++i) console.log(i);");
  Completion<void> go;
  bool asked = false;
  options.room = [&]() -> Task<void> {
    if (std::exchange(asked, true)) return nothing();
    loop.stop();
    return opened(go);
  };
  open_host();
  session = host->open(std::move(options));
  loop.run();
  EXPECT_EQ(printed, "");
  go.set_value();
  loop.run();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(printed.ends_with("\n1999\n")) << printed.size();
}

TEST_F(Sandbox, ImportsTheFilesThatItIsGiven) {
  SandboxSessionOptions options = script(R"js(
    import { twice } from "./lib/twice.ts";
    import names from "./names.json" with { type: "json" };
    const late = await import("./late.js");
    console.log(twice(names.length), late.value, import.meta.url);
  )js");
  options.script.modules = {
      {"/script/lib/twice.ts", "import { two } from '../two'; export const twice = (n: number) => two * n;"},
      {"/script/two.ts", "export const two: number = 2;"},
      {"/script/late.ts", "export const value = 'late';"},
      {"/script/names.json", R"(["a", "b"])"}};
  EXPECT_EQ(run(std::move(options)), "") << failure->what();
  EXPECT_EQ(printed, "4 late file:///script/test.js\n");
}

TEST_F(Sandbox, AnImportThatLeadsNowhereNamesItsFileAndLine) {
  const auto message_of = [&](SandboxSessionOptions options) {
    ended = false;
    EXPECT_EQ(run(std::move(options)), "domain");
    return failure->message();
  };
  SandboxSessionOptions options = script("import './a.ts';");
  options.script.modules = {{"/script/a.ts", "\n\nexport * from './none.ts';"}};
  EXPECT_NE(message_of(options).find("\"./none.ts\" (imported by /script/a.ts:3)"), std::string::npos)
      << failure->message();
  options = script("\nimport '../secret.ts';");
  options.script.left_out = {{"/secret.ts", "it lies outside"}};
  EXPECT_NE(message_of(options).find("it lies outside (imported by /script/test.js:2)"), std::string::npos)
      << failure->message();
  EXPECT_NE(message_of(script("await import('/etc/passwd');")).find("/etc/passwd"), std::string::npos);
}

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

/// A host whose helpers do what a script for the shell says; their link is descriptor 3.
class Ends : public Sandbox {
 protected:
  Ends() : folder(std::filesystem::temp_directory_path() / ("alknet-helper-" + random_hex(8))) {
    std::filesystem::create_directory(folder);
  }
  ~Ends() override {
    session.reset();
    host.reset();
    std::filesystem::remove_all(folder);
  }

  /// The name of the error with which its session ends.
  std::string end_of(const std::string& helper) {
    SandboxHostOptions options;
    options.spare = 0;
    options.program = folder / "helper";
    session.reset();
    host.reset();
    ended = false;
    write_file(options.program, "#!/bin/sh\n" + helper + "\n");
    std::filesystem::permissions(options.program, std::filesystem::perms::owner_all);
    open_host(options);
    return run(script("1"));
  }
  const Json& detail(std::string_view name) const { return failure->details().at(name); }

  std::filesystem::path folder;
};

TEST_F(Ends, ByASignalAreToldByItsName) {
  EXPECT_EQ(end_of("kill -SYS $$"), "sandbox_died");
  EXPECT_EQ(detail("signal"), Json("SIGSYS"));
  EXPECT_EQ(detail("number"), Json(SIGSYS));
  EXPECT_EQ(end_of("kill -SEGV $$"), "sandbox_died");
  EXPECT_EQ(detail("signal"), Json("SIGSEGV"));
  EXPECT_EQ(end_of("kill -KILL $$"), "sandbox_died") << "not by us, and whether for memory nobody knows";
  EXPECT_EQ(detail("signal"), Json("SIGKILL"));
}

TEST_F(Ends, ByItselfAreToldByTheirStatus) {
  EXPECT_EQ(end_of("exit 72"), "resource_exhausted");
  EXPECT_EQ(detail("limit"), Json("memory"));
  EXPECT_EQ(end_of("exit 71"), "sandbox_unavailable");
  EXPECT_EQ(end_of("exit 0"), "sandbox_failed");
  EXPECT_EQ(end_of("exit 5"), "sandbox_failed");
  EXPECT_EQ(detail("status"), Json(5));
}

TEST_F(Ends, AfterABreachOfTheProtocolAreOurs) {
  EXPECT_EQ(end_of("printf '\\000\\000\\000\\001x' >&3; cat <&3"), "protocol_error");
  EXPECT_EQ(end_of("printf '\\377\\377\\377\\377' >&3; cat <&3"), "resource_exhausted");
  EXPECT_EQ(detail("limit"), Json("message"));
  EXPECT_EQ(end_of("exec 3>&-; while :; do :; done"), "protocol_error") << "it lives on without its link";
}

TEST_F(Ends, AtTheDeadlineAreTimeouts) { EXPECT_EQ(end_of("cat <&3 >/dev/null & wait"), "timeout"); }

TEST_F(Sandbox, AHelperThatCannotConfineItselfRunsNothing) {
  SandboxHostOptions options;
  options.program = "/bin/false";
  open_host(options);
  EXPECT_EQ(run(script("1")), "sandbox_failed");
  ended = false;
  EXPECT_EQ(code_of([] { helper_program("alknet-none", "ALKNET_NONE"); }), "sandbox_failed");
}

constexpr const char* kOperations = R"js(
  import { env, operations } from "@alknet/operations";
  operations.register({ name: "user/double", handler: ({ n }) => 2 * n });
  operations.register({
    name: "user/ask", environment: ["math/*", "secret/*"],
    handler: async ({ name }, { env }) => {
      const answer = await env.call(name, { n: 1 }).catch((error) => error);
      return answer?.code ?? answer;
    },
  });
  operations.register({ name: "user/fails", errors: [{ code: "TOO_BIG", description: "x", schema: {} }],
    handler: () => { throw Object.assign(new Error("big"), { code: "TOO_BIG", details: { most: 3 } }); } });
  operations.register({ name: "user/stuck", handler: () => { for (;;) {} } });
  operations.register({ name: "user/waits", handler: () => new Promise(() => {}) });
)js";

class Served : public Sandbox {
 protected:
  Served() {
    call::Registration add;
    add.spec.name = "math/who";
    add.spec.access.required_scopes = {"math"};
    add.handler = call::OnceHandler([this](call::OperationContext& context, Message) -> Task<Message> {
      asked_by = context.identity() ? context.identity()->id : "nobody";
      internal = context.internal();
      Message answer{Json("known"), {}};
      co_return answer;
    });
    call::Registration secret;
    secret.spec.name = "secret/read";
    secret.handler =
        call::OnceHandler([](call::OperationContext&, Message input) -> Task<Message> { co_return input; });
    registry->curated().add({add, secret});
    SandboxSessionOptions options = script(kOperations, std::nullopt);
    options.script.operations = {"math/*"};
    options.authority.id = "the script";
    options.authority.scopes = {"math"};
    serve(std::move(options));
  }

  std::string asked_by;
  bool internal = false;
};

TEST_F(Served, AnswersByTheHandlersOfTheScript) {
  EXPECT_EQ(call("user/double", JsonObject{{"n", 21}}).take().value, Json(42));
}

TEST_F(Served, HandlersCallBelowTheirCallWithTheSessionsAuthority) {
  const Json answer = call("user/ask", JsonObject{{"name", "math/who"}}).take().value;
  EXPECT_NE(json_text(answer).find("known"), std::string::npos) << json_text(answer);
  EXPECT_EQ(asked_by, "the script");
  EXPECT_TRUE(internal);
}

TEST_F(Served, HandlersReachOnlyWhatTheSessionMay) {
  const Json answer = call("user/ask", JsonObject{{"name", "secret/read"}}).take().value;
  EXPECT_NE(json_text(answer).find("NOT_FOUND"), std::string::npos) << json_text(answer);
}

TEST_F(Served, DeclaredErrorsReachTheCaller) {
  Outcome<Message> outcome = call("user/fails", JsonObject{});
  const Error error = error_of([&] { outcome.take(); });
  EXPECT_EQ(error.code_name(), "domain");
  EXPECT_EQ(error.details().at("code"), Json("TOO_BIG"));
}

TEST_F(Served, AStuckHandlerIsATimeoutAndItsHelperIsKilled) {
  Outcome<Message> outcome = call("user/stuck", JsonObject{}, milliseconds(50));
  EXPECT_EQ(code_of([&] { outcome.take(); }), "timeout");
  while (!ended) loop.run();
  EXPECT_EQ(failure->code_name(), "timeout");
  Outcome<Message> after = call("user/double", JsonObject{{"n", 1}});
  EXPECT_EQ(code_of([&] { after.take(); }), "resource_exhausted");
}

TEST_F(Served, OtherCallsOfAKilledHelperAreToldWhy) {
  std::optional<Outcome<Message>> other;
  call::CallRequest request;
  request.operation = "user/waits";
  request.input = {JsonObject{}, {}};
  alknet::start(loop, dispatcher.call(caller, std::move(request)),
                [&](Outcome<Message> outcome) { other.emplace(std::move(outcome)); });
  Outcome<Message> outcome = call("user/stuck", JsonObject{}, milliseconds(50));
  EXPECT_EQ(code_of([&] { outcome.take(); }), "timeout");
  while (!ended || !other) turn();
  EXPECT_EQ(code_of([&] { other->take(); }), "timeout") << "and not that memory was short";
}

TEST_F(Served, AHandlerThatOnlyWaitsCostsNoHelper) {
  Outcome<Message> outcome = call("user/waits", JsonObject{}, milliseconds(50));
  EXPECT_EQ(code_of([&] { outcome.take(); }), "timeout");
  EXPECT_EQ(call("user/double", JsonObject{{"n", 2}}).take().value, Json(4));
  EXPECT_FALSE(ended);
}

/// A handler that is busy, without giving way, for longer than a stranger's may be.
constexpr const char* kBusy = R"js(
  import { operations } from "@alknet/operations";
  operations.register({ name: "user/double", handler: ({ n }) => 2 * n });
  operations.register({ name: "user/busy", handler: () => {
    for (const end = Date.now() + 400; Date.now() < end;) {}
    return "done";
  } });
)js";

TEST_F(Sandbox, AFileOfTheProgramSurvivesACallerWhoGivesUpSoon) {
  SandboxSessionOptions options = script(kBusy, std::nullopt);
  options.provenance = call::Provenance::kLocal;
  serve(std::move(options));
  Outcome<Message> outcome = call("user/busy", JsonObject{}, milliseconds(20));
  EXPECT_EQ(code_of([&] { outcome.take(); }), "timeout");
  EXPECT_EQ(call("user/double", JsonObject{{"n", 2}}).take().value, Json(4));
  EXPECT_FALSE(ended);
}

TEST_F(Sandbox, AStrangersScriptThatIsBusyDoesNot) {
  serve(script(kBusy, std::nullopt));
  Outcome<Message> outcome = call("user/busy", JsonObject{}, milliseconds(20));
  EXPECT_EQ(code_of([&] { outcome.take(); }), "timeout");
  while (!ended) loop.run();
  EXPECT_EQ(failure->code_name(), "timeout");
}

TEST_F(Sandbox, EvenAFileOfTheProgramIsEndedInTheEnd) {
  SandboxHostOptions hosting;
  hosting.local_grace = milliseconds(10);
  open_host(hosting);
  SandboxSessionOptions options = script(kBusy, std::nullopt);
  options.provenance = call::Provenance::kLocal;
  serve(std::move(options));
  Outcome<Message> outcome = call("user/busy", JsonObject{}, milliseconds(20));
  EXPECT_EQ(code_of([&] { outcome.take(); }), "timeout");
  while (!ended) loop.run();
  EXPECT_EQ(failure->code_name(), "timeout");
}

}  // namespace
}  // namespace alknet::runtime
