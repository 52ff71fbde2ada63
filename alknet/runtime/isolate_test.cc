#include "alknet/runtime/isolate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "alknet/base/manual_executor.h"
#include "alknet/base/testing.h"

namespace alknet::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Isolate, RunsJobsOnlyWhenPumpedWithoutAnExecutor) {
  Isolate isolate;
  isolate.eval(
      "globalThis.log = []; Promise.resolve().then(() => { log.push(1); return Promise.resolve() }).then(() => "
      "log.push(2))");
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "");
  EXPECT_TRUE(isolate.has_jobs());
  EXPECT_EQ(isolate.pump_jobs(1), 1U);
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "1");
  EXPECT_GE(isolate.pump_jobs(), 2U);
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "1,2");
  EXPECT_FALSE(isolate.has_jobs());
  EXPECT_EQ(isolate.pump_jobs(), 0U);
}

TEST(Isolate, RunsJobsByItselfAfterEachTurnOfAnExecutor) {
  ManualExecutor executor;
  IsolateOptions options;
  options.executor = &executor;
  Isolate isolate(std::move(options));
  isolate.eval("globalThis.log = []; Promise.resolve().then(() => log.push(1))");
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "");
  executor.run_ready();
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "1");
  isolate.run_turn([](Realm realm) { realm.evaluate("Promise.resolve().then(() => log.push(2))", "turn"); });
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "1,2");
}

TEST(Isolate, TellsOfRejectionsThatNobodyHandles) {
  Isolate isolate;
  isolate.eval("Promise.reject(new Error('handled')).catch(() => {})");
  isolate.pump_jobs();
  EXPECT_FALSE(isolate.take_uncaught().has_value());
  isolate.eval("Promise.reject(new Error('lost'))");
  isolate.pump_jobs();
  EXPECT_EQ(isolate.take_uncaught().value().message(), "Error: lost");
  EXPECT_FALSE(isolate.take_uncaught().has_value());
}

TEST(Isolate, EndsEndlessScriptsAtTheirDeadline) {
  for (const char* const script : {"for (;;) {}", "try { for (;;) {} } catch { } finally { for (;;) {} }",
                                   "function f() { Promise.resolve().then(f) } f()"}) {
    Isolate isolate;
    isolate.set_deadline(steady_clock::now() + milliseconds(20));
    std::optional<Error> error;
    try {
      isolate.eval(script);
      isolate.pump_jobs();
      error = isolate.take_uncaught();
    } catch (const Error& caught) {
      error = caught;
    }
    ASSERT_TRUE(error.has_value()) << script;
    EXPECT_EQ(error->code(), RuntimeError::kTimeout) << script;
    EXPECT_TRUE(isolate.interrupted());
    isolate.set_deadline(std::nullopt);
    EXPECT_EQ(isolate.eval("1 + 1").to_number(), 2) << script;
  }
}

TEST(Isolate, ATimeoutPassesThroughNativeFunctionsUncaught) {
  Isolate isolate;
  isolate.realm().global().set(
      "through", isolate.realm().function("through", 1, [](Realm, const Value&, Arguments a) { return a[0].call(); }));
  isolate.set_deadline(steady_clock::now() + milliseconds(10));
  EXPECT_EQ(error_of([&] { isolate.eval("try { through(() => { for (;;) {} }) } catch { 1 }"); }).code(),
            RuntimeError::kTimeout);
}

TEST(Isolate, AnotherThreadMayInterrupt) {
  Isolate isolate;
  std::thread other([&] { isolate.interrupt(); });
  EXPECT_EQ(error_of([&] { isolate.eval("for (;;) {}"); }).code(), RuntimeError::kTimeout);
  other.join();
}

TEST(Isolate, HoldsItsMemoryLimitAndGoesOn) {
  IsolateOptions options;
  options.limits.memory_bytes = 4 << 20;
  Isolate isolate(std::move(options));
  const Error error =
      error_of([&] { isolate.eval("(() => { const a = []; for (;;) a.push(new Array(1000).fill(1)) })()"); });
  EXPECT_EQ(error.code(), RuntimeError::kMemoryLimit) << error.message();
  isolate.collect_garbage();
  EXPECT_EQ(isolate.eval("2 * 3").to_number(), 6);
  EXPECT_LE(isolate.memory().allocated, std::size_t{4} << 20);
}

TEST(Isolate, DeepRecursionIsAnError) {
  Isolate isolate;
  EXPECT_EQ(error_of([&] { isolate.eval("function f() { return f() + 1 } f()"); }).details().at("name").as_string(),
            "RangeError");
  EXPECT_NO_THROW(error_of([&] { isolate.eval("JSON.parse('['.repeat(1e6))"); }));
}

TEST(Isolate, IsIdleWhenNothingCanComeBack) {
  ManualExecutor executor;
  IsolateOptions options;
  options.executor = &executor;
  Isolate isolate(std::move(options));
  auto work = std::make_optional<PendingWork>(isolate.realm());
  bool idle = false;
  isolate.when_idle([&] { idle = true; });
  executor.run_ready();
  EXPECT_FALSE(idle);
  EXPECT_FALSE(isolate.idle());
  work.reset();
  executor.run_ready();
  EXPECT_TRUE(idle);
  EXPECT_TRUE(isolate.idle());
}

TEST(Isolate, PostsToAnIsolateThatHasEndedDoNothing) {
  ManualExecutor executor;
  WeakIsolate weak;
  bool ran = false;
  {
    IsolateOptions options;
    options.executor = &executor;
    Isolate isolate(std::move(options));
    weak = WeakIsolate(isolate.realm());
    weak.post([&](Realm) { ran = true; });
    executor.run_ready();
    EXPECT_TRUE(std::exchange(ran, false));
    weak.post([&](Realm) { ran = true; });
  }
  executor.run_ready();
  weak.post([&](Realm) { ran = true; });
  executor.run_ready();
  EXPECT_FALSE(ran);
  EXPECT_EQ(weak.get(), nullptr);
}

TEST(Isolate, AThousandComeAndGo) {
  for (int i = 0; i < 1000; ++i) {
    Isolate isolate;
    ASSERT_EQ(isolate.eval("const cycle = { f() { return cycle } }; Promise.resolve(cycle).then(() => {}); 21 * 2")
                  .to_number(),
              42);
  }
}

TEST(Isolate, AnErrorWhoseMembersThrowItIsAnError) {
  Isolate isolate;
  const auto throws = [&] {
    isolate.eval(R"(const error = new Error("x");
      for (const name of ["name", "message", "stack", "code", "details"]) {
        Object.defineProperty(error, name, { get() { throw error; } });
      }
      throw error;)");
  };
  EXPECT_EQ(code_of(throws), "script_threw");
  EXPECT_EQ(code_of([&] { isolate.eval("null.x"); }), "script_threw") << "and later ones are described again";
}

}  // namespace
}  // namespace alknet::runtime
