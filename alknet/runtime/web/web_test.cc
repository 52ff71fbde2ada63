#include "alknet/runtime/web/web.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/manual_executor.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/web/globals.h"
#include "alknet/runtime/web/scripts.h"
#include "alknet/runtime/web/testing.h"

namespace alknet::runtime::web {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::Pair;

TEST(WebGlobals, EachComesFromAScriptThatExportsIt) {
  WebOptions options;
  options.fetch = [](Realm realm, const Value&) { return realm.null(); };
  options.connect = [](Realm realm, const Value&, const Value&, const Value&) { return realm.null(); };
  WebIsolate web({}, std::move(options));
  for (const std::string_view name : web_globals()) {
    EXPECT_NE(web.text_of("typeof globalThis." + std::string(name)), "undefined") << name;
  }
  EXPECT_TRUE(web.uncaught().empty());
}

TEST(WebGlobals, AreAccessorsUntilFirstUsed) {
  WebIsolate web;
  const auto kind = [&] {
    return web.text_of("Object.keys(Object.getOwnPropertyDescriptor(globalThis, 'structuredClone')).join()");
  };
  EXPECT_EQ(kind(), "get,set,enumerable,configurable");
  EXPECT_EQ(web.text_of("structuredClone(1)"), "1");
  EXPECT_EQ(kind(), "value,writable,enumerable,configurable");
}

TEST(WebGlobals, CanBeReplacedBeforeTheyAreUsed) {
  WebIsolate web;
  EXPECT_EQ(web.text_of("globalThis.URL = 5; URL"), "5");
  EXPECT_EQ(web.text_of("var console = 'mine'; console"), "mine");
  EXPECT_EQ(web.text_of("delete globalThis.Blob; typeof Blob"), "undefined");
  EXPECT_EQ(web.text_of("new File(['a'], 'n').size"), "1") << "other scripts keep their own";
}

TEST(WebGlobals, WhatTheHostDoesNotGiveIsUndefined) {
  WebIsolate web;
  EXPECT_EQ(web.text_of("typeof fetch + typeof WebSocket + typeof process + typeof require + 'fetch' in globalThis"),
            "false");
  EXPECT_EQ(web.text_of("[typeof fetch, typeof WebSocket, typeof navigator.gpu, typeof Response].join()"),
            "undefined,undefined,undefined,function");
}

TEST(WebGlobals, NoScriptOfOursShowsItsHost) {
  WebIsolate web;
  EXPECT_EQ(
      web.text_of("Object.getOwnPropertyNames(globalThis).filter((name) => /host|alknet|load/i.test(name)).join()"),
      "");
}

TEST(WebConsole, GivesEachMessageWithItsLevel) {
  WebIsolate web;
  web.isolate().eval(
      "console.log('a', {b: 1}); console.warn('w'); console.error('e'); console.info('i'); console.debug('d')");
  EXPECT_THAT(web.printed(), ElementsAre(Pair(ConsoleLevel::kLog, "a { b: 1 }"), Pair(ConsoleLevel::kWarn, "w"),
                                         Pair(ConsoleLevel::kError, "e"), Pair(ConsoleLevel::kInfo, "i"),
                                         Pair(ConsoleLevel::kDebug, "d")));
}

TEST(WebConsole, StopsAtTheLimitOfOutput) {
  IsolateLimits limits;
  limits.output_bytes = 10;
  WebIsolate web(limits);
  EXPECT_EQ(web.text_of("console.log('12345'); try { console.log('123456') } catch (e) { e.code }"), "limit");
  EXPECT_EQ(web.printed().size(), 1U);
}

TEST(WebConsole, WorksWithoutASink) {
  Isolate isolate;
  install_web(isolate);
  isolate.eval("console.log(1)");
}

TEST(WebTimers, KeepTheIsolateBusyUntilTheyAreOver) {
  ManualExecutor executor;
  Isolate isolate({.executor = &executor});
  install_web(isolate);
  isolate.eval("globalThis.log = []; setTimeout(() => log.push(1), 20); const id = setInterval(() => log.push(2), 15)");
  EXPECT_FALSE(isolate.idle());
  executor.advance(milliseconds(14));
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "");
  executor.advance(milliseconds(17));
  EXPECT_EQ(isolate.eval("log.join()").to_string(), "2,1,2");
  isolate.eval("clearInterval(id)");
  executor.run_ready();
  EXPECT_TRUE(isolate.idle());
  EXPECT_EQ(executor.timers(), 0U);
  isolate.eval("AbortSignal.timeout(50)");
  executor.run_ready();
  EXPECT_TRUE(isolate.idle()) << "a timeout alone keeps nothing alive";
}

TEST(WebGlobals, WhatAScriptReplacesDoesNotShowTheHost) {
  WebIsolate web;
  web.text_of(R"(
    globalThis.seen = [];
    const look = function (...given) { seen.push(this, ...given) };
    for (const name of ["bind", "call", "apply"]) Function.prototype[name] = look;
    for (const name of ["host", "load", "exports", "fetch", "now", "startTimer"])
      Object.defineProperty(Object.prototype, name, { set: look, get: look, configurable: true });
    try { setTimeout(() => {}); console.log(1); new URL("http://a/"); crypto.randomUUID() } catch {})");
  EXPECT_EQ(web.text_of("seen.filter((one) => one !== null && typeof one === 'object' && 'startTimer' in one && "
                        "Object.hasOwn(one, 'startTimer')).length"),
            "0");
}

TEST(WebTimers, DoNotSeeWhatAScriptMakesOfMath) {
  ManualExecutor executor;
  Isolate isolate({.executor = &executor});
  install_web(isolate);
  isolate.eval("globalThis.fired = 0; Math.trunc = () => NaN; setTimeout(() => ++fired, 5)");
  executor.advance(milliseconds(4));
  EXPECT_EQ(isolate.eval("fired").to_number(), 0);
  executor.advance(milliseconds(1));
  EXPECT_EQ(isolate.eval("fired").to_number(), 1);
}

TEST(WebTimers, GoWithTheIsolate) {
  ManualExecutor executor;
  Value kept;
  {
    Isolate isolate({.executor = &executor});
    install_web(isolate);
    isolate.eval("setTimeout(() => {}, 1e6); setInterval(() => {}, 1e6); AbortSignal.timeout(1e6)");
    kept = isolate.eval("[setTimeout, setInterval]");
    EXPECT_GT(executor.timers(), 0U);
  }
  EXPECT_EQ(executor.timers(), 0U);
}

TEST(WebTimers, ThoseSetInsideACallbackWaitForTheNextTurn) {
  ManualExecutor executor;
  Isolate isolate({.executor = &executor});
  install_web(isolate);
  isolate.eval("globalThis.count = 0; (function again() { if (++count < 1000) setTimeout(again) })()");
  executor.advance(milliseconds(1));
  EXPECT_EQ(isolate.eval("count").to_number(), 1000);
}

TEST(WebTimers, StopAtTheirLimit) {
  IsolateLimits limits;
  limits.timers = 3;
  WebIsolate web(limits);
  EXPECT_EQ(web.text_of("let n = 0; try { for (;;) { setTimeout(() => {}, 1); n++ } } catch (e) { n + e.code }"),
            "3limit");
  web.run();
  EXPECT_EQ(web.text_of("clearTimeout(setTimeout(() => {}, 1)); 'free again'"), "free again");
}

TEST(WebTimers, NeedAnEventLoop) {
  Isolate isolate;
  install_web(isolate);
  EXPECT_EQ(isolate.eval("try { setTimeout(() => {}) } catch (e) { e.code }").to_string(), "unsupported");
}

TEST(WebTimers, ReportWhatTheirCallbacksThrow) {
  WebIsolate web;
  web.isolate().eval("setTimeout(() => { throw new RangeError('late') }); setTimeout(() => console.log('next'))");
  web.run();
  EXPECT_THAT(web.uncaught(), ElementsAre("RangeError: late"));
  EXPECT_EQ(web.printed().size(), 1U);
}

TEST(WebTimers, MayOutliveTheirIsolate) {
  ManualExecutor executor;
  {
    Isolate isolate({.executor = &executor});
    install_web(isolate);
    isolate.eval("setTimeout(() => {}, 5); setInterval(() => {}, 1); globalThis.self = setTimeout");
  }
  executor.advance(milliseconds(10));
}

TEST(WebErrors, ReportErrorReachesTheHostUnlessPrevented) {
  WebIsolate web;
  web.isolate().eval(
      "reportError(new Error('one')); addEventListener('error', (e) => e.preventDefault()); reportError(2)");
  EXPECT_THAT(web.uncaught(), ElementsAre("Error: one"));
}

TEST(WebErrors, AListenerThatThrowsWhileErrorsAreReportedDoesNotRecurse) {
  WebIsolate web;
  web.isolate().eval("addEventListener('error', () => { throw new Error('again') }); reportError(new Error('first'))");
  EXPECT_THAT(web.uncaught(), ElementsAre("Error: again", "Error: first"));
}

/// `fetch` answered by the test: the request is written as JSON into the answer's body.
WebOptions answering(const char* answer) {
  WebOptions options;
  options.fetch = [answer](Realm realm, const Value& request) {
    realm.global().set("asked", request);
    return realm.evaluate(answer, "answer");
  };
  return options;
}

TEST(WebFetch, AsksTheHostAndReadsTheAnswer) {
  WebIsolate web(
      {}, answering("Promise.resolve({status: 201, statusText: 'Created', url: 'https://a.b/c', redirected: true, "
                    "headers: [['x-a', '1'], ['set-cookie', 'p'], ['set-cookie', 'q']], "
                    "body: new TextEncoder().encode('{\"n\": 1}')})"));
  EXPECT_EQ(
      web.settle("fetch('https://a.b', {method: 'post', headers: {A: 'b'}, body: 'text'}).then(async (r) => "
                 "JSON.stringify([r.status, r.ok, r.statusText, r.url, r.redirected, r.type, r.headers.get('X-A'), "
                 "r.headers.getSetCookie(), await r.json(), r.bodyUsed]))"),
      R"([201,true,"Created","https://a.b/c",true,"basic","1",["p","q"],{"n":1},true])");
  EXPECT_EQ(web.text_of("JSON.stringify([asked.method, asked.url, asked.headers, new TextDecoder().decode(asked.body), "
                        "asked.redirect, asked.signal.aborted])"),
            R"(["POST","https://a.b/",[["a","b"],["content-type","text/plain;charset=UTF-8"]],"text","follow",false])");
}

TEST(WebFetch, ReadsABodyPieceByPiece) {
  WebIsolate web(
      {}, answering("(() => { let n = 0; return Promise.resolve({status: 200, headers: [], body: {pull: async () => "
                    "n < 3 ? new Uint8Array([65 + n++]) : null}}) })()"));
  EXPECT_EQ(web.settle("fetch('https://a.b').then((r) => r.text())"), "ABC");
}

TEST(WebFetch, AbortEndsTheRequestAndTheBody) {
  WebIsolate web({}, answering("new Promise(() => {})"));
  EXPECT_EQ(
      web.settle("(async () => { const c = new AbortController(); const p = fetch('https://a.b', {signal: c.signal}); "
                 "await null; c.abort(); try { await p } catch (e) { return e.name + asked.signal.aborted } })()"),
      "AbortErrortrue");
  WebIsolate body({}, answering("Promise.resolve({status: 200, body: {pull: () => new Promise(() => {}), cancel() { "
                                "globalThis.cancelled = true }}})"));
  EXPECT_EQ(
      body.settle(
          "(async () => { const c = new AbortController(); const r = await fetch('https://a.b', {signal: "
          "c.signal}); const p = r.text(); c.abort('why'); try { await p } catch (e) { return e + cancelled } })()"),
      "whytrue");
}

TEST(WebFetch, GivesWhatTheHostRejectsWith) {
  WebIsolate web({}, answering("Promise.reject(new TypeError('not allowed'))"));
  EXPECT_EQ(web.settle("fetch('https://a.b').catch((e) => String(e))"), "TypeError: not allowed");
  EXPECT_EQ(web.settle("fetch('no url').catch((e) => e.name)"), "TypeError");
}

TEST(WebNavigator, SaysWhatProgramThisIs) {
  WebOptions options;
  options.user_agent = "alknet/1.2.3";
  options.hardware_concurrency = 7;
  WebIsolate web({}, std::move(options));
  EXPECT_EQ(web.text_of("navigator.userAgent + navigator.hardwareConcurrency"), "alknet/1.2.37");
}

TEST(WebHostile, HugeSizesAreRefused) {
  IsolateLimits limits;
  limits.memory_bytes = 64 << 20;
  WebIsolate web(limits);
  EXPECT_EQ(web.text_of("try { crypto.getRandomValues(new Uint8Array(70000)) } catch (e) { e.name }"),
            "QuotaExceededError");
  EXPECT_EQ(web.text_of("const a = []; a.length = 4294967295; structuredClone(a).length"), "4294967295");
}

TEST(WebHostile, MemoryRunsOutWithAnError) {
  for (const char* const script :
       {"for (let s = 'x'; ; s += s) new TextEncoder().encode(s)",
        "for (const parts = ['x'.repeat(1e5)]; ; ) parts.push(new Blob(parts))",
        "const all = []; for (;;) all.push(structuredClone(Array(1000).fill({a: 1})))",
        "const all = []; for (;;) all.push(new URL('https://a.b/' + 'c'.repeat(1000)))",
        "const url = new URL('https://a.b'); for (;;) url.searchParams.append('k'.repeat(1e6), 'v')"}) {
    IsolateLimits limits;
    limits.memory_bytes = 24 << 20;
    WebIsolate web(limits);
    web.isolate().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(20));
    EXPECT_THROW(web.isolate().eval(script), Error) << script;
    EXPECT_FALSE(web.isolate().interrupted()) << script;
  }
}

TEST(WebHostile, TheDeadlineEndsOurScriptsToo) {
  for (const char* const script :
       {"console.log(Array.from({length: 1e6}, (_, i) => ({i})), '%s'.repeat(1e6)); for (;;) console.table([{a: 1}])",
        "for (;;) structuredClone([[[[]]]])", "for (;;) try { new URL('bad') } catch {}",
        "queueMicrotask(function again() { queueMicrotask(again) }); for (;;) reportError(1)"}) {
    WebIsolate web;
    web.isolate().set_deadline(std::chrono::steady_clock::now() + milliseconds(30));
    EXPECT_EQ(error_of([&] { web.isolate().eval(script); }).code(), RuntimeError::kTimeout) << script;
  }
}

TEST(WebHostile, TheIsolateEndsWithWorkUnderWay) {
  for (const char* const script :
       {"new ReadableStream({pull: () => new Promise(() => {})}).getReader().read()",
        "setInterval(() => {}, 1); AbortSignal.any([AbortSignal.timeout(1000)]).onabort = () => {}",
        "globalThis.keep = new DecompressionStream('gzip'); keep.writable.getWriter().write(new Uint8Array(3))",
        "new URL('https://a.b?c').searchParams; new Response(new FormData()).formData(); performance.mark('a')"}) {
    WebIsolate web;
    web.isolate().eval(script);
  }
}

TEST(WebHostile, AnInterruptedScriptOfOursCanBeLoadedAgain) {
  WebIsolate web;
  web.isolate().interrupt();
  EXPECT_THROW(web.isolate().eval("for (;;) new URL('https://a.b')"), Error);
  web.isolate().set_deadline(std::nullopt);
  EXPECT_EQ(web.text_of("new URL('https://a.b').host"), "a.b");
}

}  // namespace
}  // namespace alknet::runtime::web
