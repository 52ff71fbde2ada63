#include "alknet/runtime/bridge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

namespace alknet::runtime {
namespace {

using call::OperationContext;
using std::chrono::milliseconds;

/// An isolate whose script calls, and serves, the operations of a node in the same thread.
class Bridge : public testing::Test {
 protected:
  Bridge() {
    call::Identity identity;
    identity.id = "program";
    identity.scopes = {"allowed"};
    program = std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "program", identity);
    options.caller = owner_caller(*node.dispatcher, program);
    options.owner = program;
    options.add_operation = curated_adder(node.registry);
    options.environment = call::ScopedEnvironment({"*"});
  }
  ~Bridge() override {
    isolate.reset();
    program->end();
    node.executor.run_ready();
  }

  void begin(IsolateLimits limits = {}) {
    IsolateOptions made;
    made.executor = &node.executor;
    made.limits = limits;
    made.modules.push_back(host_module(options));
    isolate.emplace(std::move(made));
    run("import * as host from 'alknet:host'; globalThis.host = host; globalThis.log = [];"
        "globalThis.spec = (name, more) => ({name, op_type: 'query', ...more});");
  }

  /// Runs a module until nothing is ready.
  void run(std::string_view source) {
    const Value done = isolate->eval_module(source, "test.js");
    node.executor.run_ready();
    if (promise_state(done) == PromiseState::kRejected) {
      throw isolate->realm().thrown(promise_result(done));
    }
  }
  std::string value(std::string_view expression) {
    return isolate->eval("JSON.stringify(" + std::string(expression) + ")").to_string();
  }
  std::string log() { return isolate->eval("log.join(' ')").to_string(); }

  void add(call::Registration registration) {
    std::vector<call::Registration> list;
    list.push_back(std::move(registration));
    node.registry->curated().add(std::move(list));
  }

  /// Calls as a peer, until nothing is ready.
  std::shared_ptr<call::NotingSink> start(std::string operation, std::string_view input = "{}") {
    auto sink = std::make_shared<call::NotingSink>();
    handle = node.dispatcher->start(node.owner,
                                    call::TestNode::request(std::move(operation), call::json_message(input)), sink);
    node.executor.run_ready();
    return sink;
  }
  Error error_in(std::string operation, std::string_view input = "{}") {
    return error_of([&] { node.call(operation, input); });
  }

  call::TestNode node;
  call::CallHandle handle;
  BridgeOptions options;
  std::shared_ptr<call::Owner> program;
  std::optional<Isolate> isolate;
};

// --- script calls ---------------------------------------------------------------------------------------------------

TEST_F(Bridge, CallsGiveOutputsAndTheirId) {
  add(call::simple_operation("a/echo", call::echo));
  begin();
  run("globalThis.r = await host.call('a/echo', {x: [1, null, 'y']}, {})");
  EXPECT_EQ(value("r.data"), R"({"x":[1,null,"y"]})");
  EXPECT_THAT(value("r.requestId"), testing::MatchesRegex("\"[0-9a-f]+-1\""));
  EXPECT_EQ(value("'error' in r"), "false");
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Bridge, FailuresAreToldAsTheProtocolDoes) {
  call::Registration fails = call::simple_operation("a/fails", [](OperationContext&, Message) -> Task<Message> {
    throw call::domain_error("TOO_COLD", "brr", JsonObject{{"celsius", -40}}, true);
    co_return Message{};
  });
  fails.spec.errors.push_back({"TOO_COLD", "cold"});
  add(std::move(fails));
  call::Registration guarded = call::simple_operation("a/guarded", call::echo);
  guarded.spec.access.required_scopes = {"other"};
  add(std::move(guarded));
  call::Registration allowed = call::simple_operation("a/allowed", call::echo);
  allowed.spec.access.required_scopes = {"allowed"};
  add(std::move(allowed));
  add(call::with_schema(call::simple_operation("a/typed", call::echo), R"({"properties":{"n":{"type":"integer"}}})"));
  begin();
  run(R"(
    const code = async (...args) => (await host.call(...args)).error?.code ?? 'ok';
    const {error} = await host.call('a/fails', {}, {});
    log.push(error.code, error.retryable, error.details.celsius, error.message);
    log.push(await code('a/nothing', {}), await code('a/guarded', {}), await code('a/allowed', {}));
    log.push(await code('a/typed', {n: 'x'}));)");
  EXPECT_EQ(log(), "TOO_COLD true -40 brr NOT_FOUND FORBIDDEN ok INVALID_INPUT");
}

TEST_F(Bridge, BytesCrossWithoutTextAndAreDetachedWhenTransferred) {
  std::vector<std::string> seen;
  add(call::with_schema(
      call::simple_operation("a/bytes",
                             [&seen](OperationContext&, Message input) -> Task<Message> {
                               for (const SharedBytes& each : input.bytes) {
                                 seen.emplace_back(each.text());
                               }
                               Message output;
                               output.value = JsonObject{{"d", attach_bytes(output, SharedBytes::copy("out"))}};
                               co_return output;
                             }),
      R"({"properties":{"a":{"TypeDef:Bytes":true},"b":{"TypeDef:Bytes":true}}})",
      R"({"properties":{"d":{"TypeDef:Bytes":true}}})"));
  begin();
  run(R"(
    const bytes = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
    const a = bytes('..abc').subarray(2), b = bytes('xyz');
    const {data} = await host.call('a/bytes', {a, b: b.buffer}, {transfer: [b.buffer]});
    log.push(String.fromCharCode(...new Uint8Array(data.d)), a.length, b.length, b.buffer.byteLength);
    const whole = bytes('0123456789'), unused = new ArrayBuffer(4);
    await host.call('a/bytes', {a: whole.subarray(2, 5), b: whole.subarray(7)},
                    {transfer: [whole.buffer, unused]});
    log.push(whole.length, unused.byteLength);)");
  EXPECT_THAT(seen, testing::ElementsAre("abc", "xyz", "234", "789"));
  EXPECT_EQ(log(), "out 3 0 0 0 0");
}

TEST_F(Bridge, InputsThatCannotBeSentThrow) {
  add(call::simple_operation("a/echo", call::echo));
  begin();
  run(R"(
    const thrown = (f) => { try { f(); return 'none'; } catch (e) { return e.message ?? e; } };
    const loop = {}; loop.self = loop;
    log.push(thrown(() => host.call('a/echo', loop, {})) !== 'none');
    log.push(thrown(() => host.call('a/echo', {get x() { throw 'mine'; }}, {})));
    log.push(thrown(() => host.call('a/echo', {x: NaN}, {})) !== 'none');
    const gone = new ArrayBuffer(4); gone.transfer();
    log.push(thrown(() => host.call('a/echo', {gone}, {})) !== 'none');
    log.push(thrown(() => host.call('a/echo', {}, {timeout: -1})) !== 'none');
    log.push(thrown(() => host.call('a/echo', {}, {transfer: [5]})) !== 'none');
    log.push(thrown(() => host.call('a/echo', new Proxy({}, {ownKeys() { throw 'proxy'; }}), {})));
    log.push(thrown(() => host.call({toString() { throw 'name'; }}, {}, {})));)");
  EXPECT_EQ(log(), "true mine true true true true proxy name");
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Bridge, AGetterThatDetachesABufferOnTheWayHarmsNobody) {
  add(call::simple_operation("a/echo", call::echo));
  begin();
  run(R"(
    const b = new ArrayBuffer(1 << 20);
    try {
      await host.call('a/echo', {a: b, get c() { b.transfer(); return 1; }, d: new Uint8Array(4)}, {});
    } catch {}
    const v = new Uint8Array(1 << 20);
    try { await host.call('a/echo', {get c() { v.buffer.transfer(); return 1; }, v}, {}); } catch {}
    log.push('alive');)");
  EXPECT_EQ(log(), "alive");
}

TEST_F(Bridge, DeadlinesAreThoseOfTheCall) {
  add(call::simple_operation("a/sleep", call::sleep_an_hour));
  begin();
  run("host.call('a/sleep', {}, {timeout: 50}).then(({error}) => log.push(error.code, error.retryable))");
  EXPECT_FALSE(isolate->idle());
  node.executor.advance(milliseconds(49));
  EXPECT_EQ(log(), "");
  node.executor.advance(milliseconds(2));
  EXPECT_EQ(log(), "TIMEOUT true");
}

TEST_F(Bridge, AbortReachesTheHandlerAndTheCaller) {
  bool stopped = false;
  add(call::simple_operation("a/wait", [&stopped](OperationContext&, Message) -> Task<Message> {
    try {
      co_await sleep_for(std::chrono::hours(1));
    } catch (const Error&) {
      stopped = true;
    }
    co_return Message{};
  }));
  begin();
  run("host.call('a/wait', {}, {token: 7}).then(({error}) => log.push(error.code)); host.abort(8)");
  EXPECT_EQ(log(), "");
  run("host.abort(7)");
  EXPECT_TRUE(stopped);
  EXPECT_EQ(log(), "ABORTED");
}

TEST_F(Bridge, TheEndOfTheIsolateAbortsItsCalls) {
  bool stopped = false;
  add(call::simple_operation("a/wait", [&stopped](OperationContext& context, Message) -> Task<Message> {
    const std::stop_callback note(context.stop_token(), [&stopped] { stopped = true; });
    co_await sleep_for(std::chrono::hours(1));
    co_return Message{};
  }));
  begin();
  run("host.call('a/wait', {}, {})");
  isolate.reset();
  node.executor.run_ready();
  EXPECT_TRUE(stopped);
}

TEST_F(Bridge, OpenCallsAreLimited) {
  add(call::simple_operation("a/sleep", call::sleep_an_hour));
  IsolateLimits limits;
  limits.open_calls = 2;
  begin(limits);
  run(R"(
    for (let i = 0; i < 3; ++i) host.call('a/sleep', {}, {token: i}).then(({error}) => log.push(i, error.code));)");
  EXPECT_EQ(log(), "2 RESOURCE_EXHAUSTED");
  run("host.abort(0)");
  run("host.call('a/sleep', {}, {timeout: 1}).then(({error}) => log.push(error.code))");
  node.executor.advance(milliseconds(2));
  EXPECT_EQ(log(), "2 RESOURCE_EXHAUSTED 0 ABORTED TIMEOUT");
}

AsyncGenerator<Message> count_to(int& made, bool& ended, int most) {
  struct End {
    bool& flag;
    ~End() { flag = true; }
  } const end{ended};
  for (made = 1; made <= most; ++made) {
    Message item{made, {}};
    co_yield std::move(item);
  }
}

TEST_F(Bridge, SubscriptionsGiveAnItemWhenItIsAskedFor) {
  int made = 0;
  bool ended = false;
  add(call::simple_subscription("a/count", [&](OperationContext&, Message) { return count_to(made, ended, 3); }));
  begin();
  run(R"(
    globalThis.items = host.subscribe('a/count', {}, {});
    const {data, done} = await items.next();
    log.push(data, done);)");
  EXPECT_EQ(log(), "1 false");
  EXPECT_LE(made, 2) << "a reader that does not read holds the sender back";
  run("for (let next; !(next = await items.next()).done;) log.push(next.data); log.push((await items.next()).done)");
  EXPECT_EQ(log(), "1 false 2 3 true");
  EXPECT_TRUE(ended);
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Bridge, ClosingASubscriptionEndsItsHandler) {
  int made = 0;
  bool ended = false;
  add(call::simple_subscription("a/count",
                                [&](OperationContext&, Message) { return count_to(made, ended, 1'000'000); }));
  begin();
  run("globalThis.items = host.subscribe('a/count', {}, {}); await items.next(); items.close(); items.close();"
      "log.push((await items.next()).done)");
  EXPECT_TRUE(ended);
  EXPECT_EQ(log(), "true");
  ended = false;
  run("globalThis.items = host.subscribe('a/count', {}, {}); await items.next(); globalThis.items = null");
  isolate->collect_garbage();
  node.executor.run_ready();
  EXPECT_TRUE(ended) << "nobody can read it any more";
}

TEST_F(Bridge, TheErrorOfASubscriptionComesAfterItsItems) {
  add(call::simple_subscription("a/breaks", [](OperationContext&, Message) -> AsyncGenerator<Message> {
    Message item{1, {}};
    co_yield std::move(item);
    throw Error(call::CallError::kForbidden, "no more");
  }));
  begin();
  run(R"(
    const items = host.subscribe('a/breaks', {}, {});
    log.push((await items.next()).data);
    const last = await items.next();
    log.push(last.done, last.error.code);)");
  EXPECT_EQ(log(), "1 true FORBIDDEN");
}

// --- script serves --------------------------------------------------------------------------------------------------

TEST_F(Bridge, FunctionsOfScriptAreOperations) {
  begin();
  run(R"(host.register(spec('js/add', {input_schema: {properties: {a: {type: 'number'}}, required: ['a']}}), [],
                       async ({a, b}) => a + (await b)))");
  EXPECT_EQ(node.call("js/add", R"({"a":1,"b":2})"), Json(3));
  EXPECT_EQ(error_in("js/add", R"({"a":"x"})").code(), call::CallError::kInvalidInput);
  const auto found = node.dispatcher->find(*node.owner, "js/add");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->registration().provenance, call::Provenance::kLocal);
  run("log.push((await host.call('js/add', {a: 2, b: 3}, {})).data)");
  EXPECT_EQ(log(), "5");
}

TEST_F(Bridge, HandlersKnowTheirCall) {
  begin();
  run(R"(host.register(spec('js/who', {default_timeout_ms: 5000}), [], (input, context) => ({
    op: context.operation, id: context.requestId !== '', parent: context.parentId, who: context.identity?.id,
    left: context.remaining()})))");
  run("log.push(JSON.stringify((await host.call('js/who', {}, {})).data))");
  EXPECT_EQ(log(), R"({"op":"js/who","id":true,"parent":"","who":"program","left":5000})");
}

TEST_F(Bridge, HandlersKnowWhetherTheirCallerIsTheProgram) {
  begin();
  run("host.register(spec('js/own', {}), [], (input, context) => context.own)");
  run("log.push((await host.call('js/own', {}, {})).data)");
  EXPECT_EQ(log(), "true");
  EXPECT_EQ(node.call("js/own", "{}"), Json(false));
}

TEST_F(Bridge, WhatHandlersThrowIsToldOnlyWhenItHasACode) {
  begin();
  run(R"(
    class OperationError extends Error { constructor(code, message, more) { super(message); Object.assign(this, {code, ...more}); } }
    const errors = [{code: 'TOO_COLD', description: ''}];
    host.register(spec('js/fails', {error_schemas: errors}), [], ({how}) => {
      if (how === 'declared') throw new OperationError('TOO_COLD', 'brr', {retryable: true, details: {c: -40}});
      if (how === 'undeclared') throw new OperationError('ODD', 'odd');
      if (how === 'protocol') throw new OperationError('FORBIDDEN', 'not you');
      if (how === 'hostile') throw {get code() { throw new Error('trap'); }};
      if (how === 'odd') throw {code: 'TOO_COLD', message: {toString() { throw 1; }}};
      if (how === 'string') throw 'a secret';
      throw new TypeError('a secret');
    });)");
  const auto fail = [&](std::string_view how) {
    return error_of([&] { node.call("js/fails", "{\"how\":\"" + std::string(how) + "\"}"); });
  };
  EXPECT_EQ(call::wire_error(fail("declared")).to_json(),
            parse_json(R"({"code":"TOO_COLD","message":"brr","retryable":true,"details":{"c":-40}})"));
  EXPECT_EQ(call::wire_error(fail("undeclared")).to_json().at("details"), parse_json(R"({"code":"ODD"})"));
  EXPECT_EQ(fail("protocol").code(), call::CallError::kForbidden);
  for (const auto* how : {"hostile", "odd", "string", "other"}) {
    const Error error = fail(how);
    EXPECT_EQ(error.code(), call::CallError::kInternal) << how;
    EXPECT_THAT(error.message() + json_text(error.details()), testing::Not(testing::HasSubstr("secret"))) << how;
  }
  EXPECT_FALSE(isolate->take_uncaught()) << "an error that a caller is told of is not uncaught";
}

TEST_F(Bridge, OutputsThatCannotBeSentAreInternal) {
  begin();
  run(R"(
    host.register(spec('js/loop'), [], () => { const loop = {}; loop.self = loop; return loop; });
    host.register(spec('js/never'), [], () => new Promise(() => {}));
    host.register(spec('js/nothing'), [], () => {});)");
  EXPECT_EQ(error_in("js/loop").code(), call::CallError::kInternal);
  EXPECT_TRUE(node.call("js/nothing", "{}").is_null());
}

TEST_F(Bridge, AnAbortedHandlerIsToldAndWhatItCalledIsAborted) {
  bool stopped = false;
  add(call::simple_operation("a/wait", [&stopped](OperationContext& context, Message) -> Task<Message> {
    const std::stop_callback note(context.stop_token(), [&stopped] { stopped = true; });
    co_await sleep_for(std::chrono::hours(1));
    co_return Message{};
  }));
  begin();
  run(R"(host.register(spec('js/outer'), ['a/wait'], async (input, context) => {
    context.onAbort(() => log.push('aborted'));
    const {error} = await context.call('a/wait', {}, {});
    log.push(error.code);
  }))");
  const auto sink = start("js/outer");
  EXPECT_EQ(log(), "");
  handle.abort();
  node.executor.run_ready();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(log(), "aborted ABORTED");
  EXPECT_EQ(sink->said, "");
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Bridge, ADeadlineEndsAHandlerThatNeverAnswers) {
  begin();
  run(R"(host.register(spec('js/never', {default_timeout_ms: 100}), [], (input, context) => {
    context.onAbort(() => log.push('late'));
    return new Promise(() => {});
  }))");
  const auto sink = start("js/never");
  EXPECT_FALSE(isolate->idle());
  node.executor.advance(milliseconds(101));
  EXPECT_EQ(sink->said, "failed TIMEOUT; ");
  EXPECT_EQ(log(), "late");
  EXPECT_TRUE(isolate->idle());
}

TEST_F(Bridge, NestedCallsPassTheGatesOfTheHandler) {
  call::Registration inner = call::simple_operation("a/inner", [](OperationContext& context, Message) -> Task<Message> {
    Message output{JsonObject{{"internal", context.internal()},
                              {"who", context.identity() ? Json(context.identity()->id) : Json(nullptr)},
                              {"parent", context.parent_id()}},
                   {}};
    co_return output;
  });
  inner.spec.visibility = call::Visibility::kInternal;
  add(std::move(inner));
  call::Registration guarded = call::simple_operation("a/guarded", call::echo);
  guarded.spec.access.required_scopes = {"allowed"};
  add(std::move(guarded));
  options.authority.id = "scripts";
  begin();
  run(R"(
    const reach = async (input, context) => {
      const {data, error} = await context.call(input.op, {}, {});
      return {data, code: error?.code, mine: context.requestId};
    };
    host.register(spec('js/reach'), ['a/*'], reach);
    host.register(spec('js/alone'), [], reach);)");
  const Json answer = node.call("js/reach", R"({"op":"a/inner"})");
  EXPECT_EQ(answer.at("data").at("internal"), Json(true));
  EXPECT_EQ(answer.at("data").at("who"), Json("scripts"));
  EXPECT_EQ(answer.at("data").at("parent"), answer.at("mine"));
  EXPECT_EQ(node.call("js/alone", R"({"op":"a/inner"})").at("code"), Json("NOT_FOUND"));
  // The program may call a/guarded, its handlers' authority may not.
  run("log.push((await host.call('a/guarded', {}, {})).error?.code ?? 'ok')");
  EXPECT_EQ(log(), "ok");
  EXPECT_EQ(node.call("js/reach", R"({"op":"a/guarded"})").at("code"), Json("FORBIDDEN"));
}

TEST_F(Bridge, TheEnvironmentOfAHandlerIsNarrowedToThatOfTheProgram) {
  add(call::simple_operation("a/one", call::echo));
  add(call::simple_operation("b/two", call::echo));
  options.environment = call::ScopedEnvironment({"a/*"});
  begin();
  run("host.register(spec('js/reach'), ['*', 'b/two', 'b/*'], async ({op}, context) =>"
      " (await context.call(op, {}, {})).error?.code ?? 'ok')");
  EXPECT_EQ(node.call("js/reach", R"({"op":"a/one"})"), Json("ok"));
  EXPECT_EQ(node.call("js/reach", R"({"op":"b/two"})"), Json("NOT_FOUND"));
}

TEST_F(Bridge, CallsInTheNameOfACallThatHasEndedFail) {
  add(call::simple_operation("a/echo", call::echo));
  begin();
  run("host.register(spec('js/keep'), ['*'], (input, context) => { globalThis.kept = context; })");
  node.call("js/keep", "{}");
  run("log.push((await kept.call('a/echo', {}, {})).error.code); kept.onAbort(() => log.push('heard'))");
  EXPECT_EQ(log(), "ABORTED heard");
}

TEST_F(Bridge, AsyncGeneratorsAreSubscriptions) {
  begin();
  run(R"(
    host.register({name: 'js/count', op_type: 'subscription'}, [], async function* ({to}) {
      try { for (let i = 1; i <= to; ++i) { log.push('made' + i); yield {i}; } } finally { log.push('ended'); }
    });
    host.register({name: 'js/list', op_type: 'subscription'}, [], () => [1, 2]);
    host.register({name: 'js/none', op_type: 'subscription'}, [], () => 5);
    host.register({name: 'js/throws', op_type: 'subscription', error_schemas: [{code: 'DRY'}]}, [], async function* () {
      yield 1; throw Object.assign(new Error('empty'), {code: 'DRY'});
    });)");
  EXPECT_EQ(start("js/count", R"({"to":2})")->said, R"(responded {"i":1}; responded {"i":2}; completed; )");
  EXPECT_EQ(log(), "made1 made2 ended");
  EXPECT_EQ(start("js/list")->said, "responded 1; responded 2; completed; ");
  EXPECT_EQ(start("js/none")->said, "failed INTERNAL; ");
  EXPECT_EQ(start("js/throws")->said, "responded 1; failed DRY; ");
}

TEST_F(Bridge, AGeneratorRunsOnlyAsFarAsItIsRead) {
  begin();
  run(R"(host.register({name: 'js/endless', op_type: 'subscription'}, [], async function* () {
    try { for (let i = 1; ; ++i) { log.push(i); yield i; } } finally { log.push('ended'); }
  }))");
  auto items = std::make_optional(node.dispatcher->subscribe(node.owner, call::TestNode::request("js/endless", {})));
  const auto next = [&]() -> Task<Json> {
    auto item = co_await items->next();
    co_return item->value;
  };
  EXPECT_EQ(run_until_done(node.executor, next()), Json(1));
  node.executor.run_ready();
  EXPECT_THAT(log(), testing::AnyOf("1", "1 2"));
  items.reset();
  node.executor.run_ready();
  EXPECT_THAT(log(), testing::EndsWith("ended"));
}

TEST_F(Bridge, StreamsOfScriptReadStreamsOfTheHost) {
  int made = 0;
  bool ended = false;
  add(call::simple_subscription("a/count",
                                [&](OperationContext&, Message) { return count_to(made, ended, 1'000'000); }));
  begin();
  run(R"(host.register({name: 'js/double', op_type: 'subscription'}, ['a/count'], async function* (input, context) {
    const items = context.subscribe('a/count', {}, {});
    try {
      for (let next; !(next = await items.next()).done && next.data < 4;) yield 2 * next.data;
    } finally { items.close(); }
  }))");
  EXPECT_EQ(start("js/double")->said, "responded 2; responded 4; responded 6; completed; ");
  EXPECT_TRUE(ended);
}

TEST_F(Bridge, OperationsGoWhenScriptSaysSoAndWithTheIsolate) {
  begin();
  run(R"(
    globalThis.off = host.register(spec('js/first'), [], () => 1);
    host.register(spec('js/second'), [], () => new Promise(() => {}));)");
  EXPECT_EQ(node.call("js/first", "{}"), Json(1));
  run("off(); off();");
  EXPECT_EQ(error_in("js/first").code(), call::CallError::kNotFound);
  const auto sink = start("js/second");
  isolate.reset();
  node.executor.run_ready();
  EXPECT_EQ(sink->said, "failed INTERNAL; ");
  EXPECT_EQ(sink->last.message, "the program that serves js/second has ended");
  EXPECT_EQ(error_in("js/second").code(), call::CallError::kNotFound);
}

TEST_F(Bridge, RegistrationsThatCannotBeAreRefused) {
  begin();
  run(R"(
    const code = (...args) => { try { host.register(...args); return 'ok'; } catch (e) { return e.code ?? e.name; } };
    log.push(code(spec('plain'), [], () => 1), code({}, [], () => 1), code(spec('js/a'), [], 5),
             code(spec('js/a'), 'x', () => 1), code({name: 'js/a', input_schema: {type: 'odd'}}, [], () => 1),
             code(spec('js/a'), [], () => 1), code(spec('js/a'), [], () => 1));)");
  EXPECT_EQ(log(), "operation_invalid operation_invalid TypeError TypeError operation_invalid ok name_taken");
  isolate.reset();
  options.add_operation = nullptr;
  begin();
  run("try { host.register(spec('js/a'), [], () => 1) } catch (e) { log.push(e.code) }");
  EXPECT_EQ(log(), "permission_denied");
}

TEST_F(Bridge, SessionsMayNotTakeReservedNames) {
  const auto layer = std::make_shared<call::Layer>();
  options.add_operation = overlay_adder(node.registry, layer);
  options.provenance = call::Provenance::kSession;
  program->add_layer(layer);
  begin();
  run(R"(
    try { host.register(spec('compute/mine'), [], () => 1) } catch (e) { log.push(e.code) }
    host.register(spec('mine/op'), [], () => 1);
    log.push((await host.call('mine/op', {}, {})).data);)");
  EXPECT_EQ(log(), "name_taken 1");
  EXPECT_EQ(error_in("mine/op").code(), call::CallError::kNotFound) << "others do not see it";
}

/// Calls that end only by a stop, and tell their id when the test says so.
class LateCaller final : public call::Caller {
 public:
  Task<Message> call(std::string, Message, call::CallOptions options) override {
    on_id = options.on_id;
    return forever();
  }
  AsyncGenerator<Message> subscribe(std::string, Message, call::CallOptions options) override {
    on_id = options.on_id;
    return no_items();
  }
  std::function<void(const std::string&)> on_id;

 private:
  static Task<Message> forever() {
    co_await sleep_for(std::chrono::hours(1));
    co_return Message{};
  }
  static AsyncGenerator<Message> no_items() { co_await sleep_for(std::chrono::hours(1)); }
};

TEST_F(Bridge, AnIdThatIsToldAfterTheCallWasGivenUpIsForNobody) {
  const auto late = std::make_shared<LateCaller>();
  options.caller = late;
  begin();
  run("globalThis.p = host.call('a/op', {}, {token: 1})");
  run("host.abort(1); globalThis.r = await p");
  EXPECT_EQ(value("r.error.code"), "\"ABORTED\"");
  late->on_id("late");
  run("globalThis.items = host.subscribe('a/op', {}, {}); items.next()");
  run("items.close(); delete globalThis.items");
  isolate->collect_garbage();
  late->on_id("late");
}

TEST_F(Bridge, AnswersAreNotSeenBySettersOfScript) {
  add(call::simple_operation("a/echo", call::echo));
  begin();
  run(R"(for (const name of ['data', 'error', 'requestId', 'x'])
           Object.defineProperty(Object.prototype, name, { set(v) { log.push(name) } });
         globalThis.r = await host.call('a/echo', {x: 5}, {}))");
  EXPECT_EQ(value("r.data.x"), "5");
  EXPECT_EQ(log(), "");
}

// --- two threads ----------------------------------------------------------------------------------------------------

/// An isolate and a dispatcher that live on threads of their own.
TEST(BridgeThreads, CallsStreamsAndHandlersCross) {
  LoopThread calls, scripts;
  const auto registry = std::make_shared<call::Registry>();
  std::vector<call::Registration> list;
  list.push_back(call::simple_operation("a/echo", call::echo));
  list.push_back(call::simple_subscription("a/three", [](OperationContext&, Message) -> AsyncGenerator<Message> {
    for (int i = 1; i <= 3; ++i) {
      Message item{i, {}};
      co_yield std::move(item);
    }
  }));
  registry->curated().add(std::move(list));
  call::Dispatcher dispatcher(calls.loop(), registry);
  const auto owner = std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "program", std::nullopt);
  std::optional<Isolate> isolate;
  const auto play = [&]() -> Task<std::string> {
    BridgeOptions options;
    options.caller = owner_caller(dispatcher, owner);
    options.add_operation = curated_adder(registry);
    options.environment = call::ScopedEnvironment({"*"});
    IsolateOptions made;
    made.executor = &scripts.loop();
    made.modules.push_back(host_module(options));
    isolate.emplace(std::move(made));
    const Value done = isolate->eval_module(R"(
      import * as host from 'alknet:host';
      const log = [];
      host.register({name: 'js/sum', op_type: 'query'}, ['a/three'], async (input, context) => {
        let sum = input.from;
        const items = context.subscribe('a/three', {}, {});
        for (let next; !(next = await items.next()).done;) sum += next.data;
        return sum;
      });
      log.push((await host.call('a/echo', 'hello', {})).data);
      log.push((await host.call('js/sum', {from: 10}, {})).data);
      const items = host.subscribe('a/three', {}, {});
      log.push((await items.next()).data);
      items.close();
      globalThis.result = log.join();)",
                                            "test.js");
    const Value settled_value = co_await settled(done);
    static_cast<void>(settled_value);
    std::string result = isolate->realm().global().get("result").to_string();
    co_return result;
  };
  EXPECT_EQ(wait_for(scripts.loop(), play()), "hello,16,1");
  const auto finish = [&]() -> Task<void> {
    isolate.reset();
    co_return;
  };
  wait_for(scripts.loop(), finish());
  const auto end_owner = [&]() -> Task<void> {
    owner->end();
    co_return;
  };
  wait_for(calls.loop(), end_owner());
}

}  // namespace
}  // namespace alknet::runtime
