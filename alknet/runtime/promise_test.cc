#include "alknet/runtime/promise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "alknet/base/manual_executor.h"
#include "alknet/base/testing.h"

namespace alknet::runtime {
namespace {

class Promises : public testing::Test {
 protected:
  Promises() {
    IsolateOptions options;
    options.executor = &executor;
    isolate.emplace(std::move(options));
    isolate->eval("globalThis.log = []");
  }
  std::string log() { return isolate->eval("log.join()").to_string(); }

  ManualExecutor executor;
  std::optional<Isolate> isolate;
};

TEST_F(Promises, AreSettledByCxx) {
  const Deferred good(isolate->realm()), bad(isolate->realm());
  isolate->realm().global().set("good", good.promise());
  isolate->realm().global().set("bad", bad.promise());
  isolate->eval("good.then((v) => log.push(v)); bad.catch((e) => log.push(e.code))");
  EXPECT_FALSE(isolate->idle());
  good.resolve(isolate->realm().number(5));
  good.resolve(isolate->realm().number(6));
  bad.reject(Error(BaseError::kNotFound, "[x] gone"));
  executor.run_ready();
  EXPECT_EQ(log(), "5,not_found");
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Promises, MayBeSettledFromAnyThread) {
  const Deferred deferred(isolate->realm());
  isolate->realm().global().set("p", deferred.promise());
  isolate->eval("p.then((v) => log.push(v))");
  std::thread([deferred] { deferred.resolve_later([](Realm realm) { return realm.string("other"); }); }).join();
  executor.run_ready();
  EXPECT_EQ(log(), "other");
}

TEST_F(Promises, ThatNobodyWillSettleDoNotKeepTheIsolateBusy) {
  { const Deferred forgotten(isolate->realm()); }
  executor.run_ready();
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Promises, OfARealmDoNotKeepTheIsolateBusy) {
  const PromiseCapability made = isolate->realm().promise_capability();
  EXPECT_TRUE(isolate->idle());
  isolate->realm().global().set("p", made.promise);
  isolate->eval("p.then((v) => log.push(v))");
  const Value five = isolate->realm().number(5);
  made.resolve.call(std::span(&five, 1));
  executor.run_ready();
  EXPECT_EQ(log(), "5");
}

TEST_F(Promises, AreTheEnginesWhateverScriptPutInTheirPlace) {
  isolate->eval(R"(
    const wrong = () => { log.push("called") };
    globalThis.Standard = Promise;
    Object.defineProperty(Promise, Symbol.species, { get: wrong });
    Object.defineProperty(Promise.prototype, "constructor", { get: wrong });
    Promise.prototype.then = Promise.prototype.catch = Promise.resolve = Promise.reject = wrong;
    globalThis.Promise = class { constructor() { wrong() } };)");
  const PromiseCapability made = isolate->realm().promise_capability();
  const Deferred deferred(isolate->realm());
  int settled = 0;
  for (const Value& promise : {made.promise, deferred.promise()}) {
    EXPECT_TRUE(promise.instance_of(isolate->eval("Standard")));
    when_settled(
        promise, [&](Realm, const Value&) { ++settled; }, [](Realm, const Value&) { FAIL(); });
  }
  made.resolve.call();
  deferred.resolve(Value());
  executor.run_ready();
  EXPECT_EQ(settled, 2);
  EXPECT_EQ(log(), "");
}

Task<int> half(int x) {
  co_await reschedule();
  if (x % 2 != 0) throw Error(BaseError::kInvalidArgument, "[half] odd");
  co_return x / 2;
}

TEST_F(Promises, MayBeTasks) {
  const auto number = [](Realm realm, int value) { return realm.number(value); };
  isolate->realm().global().set("half",
                                isolate->realm().closure("half", 1, [number](Realm realm, const Value&, Arguments a) {
                                  return promise_of(realm, half(static_cast<int>(a[0].to_number())), number);
                                }));
  isolate->eval("half(8).then((v) => log.push(v)); half(3).catch((e) => log.push(e.message))");
  executor.run_ready();
  EXPECT_EQ(log(), "4,[half] odd");
}

Task<double> doubled(Value promise) {
  const Value value = co_await settled(std::move(promise));
  co_return 2 * value.to_number();
}

TEST_F(Promises, CanBeAwaited) {
  EXPECT_EQ(run_until_done(executor, doubled(isolate->eval("Promise.resolve(4).then((x) => x + 1)"))), 10);
  EXPECT_EQ(run_until_done(executor, doubled(isolate->eval("7"))), 14);
  const Value rejected = isolate->eval("Promise.reject(new TypeError('no'))");
  mark_handled(rejected);
  const Error error = error_of([&] { run_until_done(executor, doubled(rejected)); });
  EXPECT_EQ(error.message(), "TypeError: no");
  EXPECT_FALSE(isolate->take_uncaught().has_value());
}

TEST_F(Promises, AwaitingEndsWhenNobodyCanSettle) {
  std::optional<Outcome<double>> outcome;
  start(executor, doubled(isolate->eval("new Promise(() => {})")),
        [&](Outcome<double> result) { outcome.emplace(std::move(result)); });
  executor.run_ready();
  isolate.reset();
  executor.run_ready();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(error_of([&] { outcome->take(); }).code(), RuntimeError::kClosed);
}

Task<void> forever(bool& stopped) {
  try {
    co_await sleep_for(std::chrono::hours(1));
  } catch (const Error& error) {
    stopped = error.code() == BaseError::kAborted;
    throw;
  }
}

TEST_F(Promises, TasksAreStoppedWithTheIsolate) {
  bool stopped = false;
  promise_of(isolate->realm(), forever(stopped), [](Realm) { return Value(); });
  executor.run_ready();
  isolate.reset();
  executor.run_ready();
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace alknet::runtime
