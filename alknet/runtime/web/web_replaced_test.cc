// A script may replace everything that the language gave it. The standards say that what the platform does inside is
// not observable: each interface works as before, and none of the replacements is called, nor even read.
#include <gtest/gtest.h>

#include <string>

#include "alknet/runtime/web/testing.h"
#include "alknet/runtime/web/web_replaced_cases.h"

namespace alknet::runtime::web {
namespace {

/// fetch: gives what it was asked, whole or in two pieces, or never answers.
Value answer(Realm realm, const Value& request) {
  const PromiseCapability made = realm.promise_capability();
  const std::string url = request.get("url").to_string();
  if (url.ends_with("never")) return made.promise;
  const Value out = realm.object(), headers = realm.array();
  const Value pair[] = {realm.string("x-a"), realm.string("1")};
  headers.define("0", realm.array(pair));
  out.define("status", realm.number(200));
  out.define("url", realm.string(url));
  out.define("headers", headers);
  out.define("body", request.get("body"));
  if (url.ends_with("pieces")) {
    const Value body = realm.object();
    const auto left = std::make_shared<int>(2);
    body.define("pull", realm.closure("pull", 0, [left](Realm in, const Value&, Arguments) {
      const PromiseCapability piece = in.promise_capability();
      const Value bytes = in.typed_array(TypedArray::kUint8, std::as_bytes(std::span("piece;", 6)));
      const Value value = (*left)-- > 0 ? bytes : in.null();
      piece.resolve.call(std::span(&value, 1));
      return piece.promise;
    }));
    out.define("body", body);
  }
  made.resolve.call(std::span(&out, 1));
  return made.promise;
}

/// WebSocket: opens, tells two messages and closes; `buffered` counts the bytes that were sent.
Value connect(Realm realm, const Value&, const Value& protocols, const Value& handlers) {
  const auto work = std::make_shared<PendingWork>(realm);
  WeakIsolate(realm).post([handlers, work, protocol = protocols.get(0U)](Realm in) {
    const auto tell = [&](std::string_view name, const std::vector<Value>& arguments) {
      handlers.get(name).call(arguments);
    };
    tell("opened", {protocol});
    tell("message", {in.string("text")});
    tell("message", {in.array_buffer(std::as_bytes(std::span("bytes", 5)))});
    tell("closed", {in.number(1000), in.string("bye"), in.boolean(true)});
  });
  const auto sent = std::make_shared<std::size_t>(0);
  Value connection = realm.object();
  connection.define("send", realm.closure("send", 1, [sent](Realm, const Value&, Arguments arguments) {
    *sent += arguments[0].is_string() ? arguments[0].to_string().size() : arguments[0].buffer().size();
    return Value();
  }));
  connection.define("buffered", realm.closure("buffered", 0, [sent](Realm in, const Value&, Arguments) {
    return in.number(static_cast<double>(*sent));
  }));
  return connection;
}

enum class Replaced { kNothing, kByThrowing, kByWatching };

/// What the case says and prints, and how often a replacement was in use.
std::string outcome(const Case& one, Replaced replaced) {
  WebOptions options;
  options.fetch = answer;
  options.connect = connect;
  WebIsolate web({}, std::move(options));
  web.isolate().eval(std::string(kReplace) + one.before, "before");
  if (replaced != Replaced::kNothing) {
    web.isolate().eval(replaced == Replaced::kByWatching ? "replaceAll(true)" : "replaceAll(false)");
  }
  try {
    web.isolate().eval("{" + std::string(one.script) + "}", one.name);
    web.run();
  } catch (const Error& error) {
    return "threw " + error.message() + "; used: " + web.text_of("counted[0]");
  }
  std::string out = web.text_of("result");
  for (const auto& [level, text] : web.printed()) out += "\n" + text;
  for (const std::string& error : web.uncaught()) out += "\nuncaught " + error;
  std::string used;
  const int count = static_cast<int>(web.isolate().eval("counted.length").to_number());
  for (int i = 0; i < std::min(count, 12); ++i) used += " " + web.text_of("counted[" + std::to_string(i) + "]");
  return out + "\nused:" + used;
}

class WebReplaced : public testing::TestWithParam<Case> {};

TEST_P(WebReplaced, WorksOnWhatScriptsHaveMadeThrow) {
  EXPECT_EQ(outcome(GetParam(), Replaced::kByThrowing), outcome(GetParam(), Replaced::kNothing));
}

TEST_P(WebReplaced, ReadsNothingOfWhatScriptsHaveReplaced) {
  EXPECT_EQ(outcome(GetParam(), Replaced::kByWatching), outcome(GetParam(), Replaced::kNothing));
}

TEST(WebReplacedClasses, AreUsedByThePlatformAsTheyWere) {
  WebOptions options;
  options.fetch = answer;
  WebIsolate web({}, std::move(options));
  web.isolate().eval(R"js(
    const { ownKeys, getOwnPropertyDescriptor, defineProperty, apply } = Reflect;
    const { text, clone } = Response.prototype, { append } = FormData.prototype;
    const form = new FormData(), file = new File(["content"], "name");
    const used = [];
    const classes = [Headers, Request, Response, AbortSignal, EventTarget, Event, Blob, File, FormData, URL,
      URLSearchParams, TextEncoder, TextDecoder, ReadableStream, ReadableStreamDefaultReader,
      ReadableStreamDefaultController, ReadableByteStreamController];
    const iterators = [new Headers().keys(), form.keys()].map(Object.getPrototypeOf);
    for (const owner of iterators.concat(classes, classes.map((Class) => Class.prototype))) {
      for (const key of ownKeys(owner)) {
        const { value, get, configurable } = getOwnPropertyDescriptor(owner, key);
        const thrower = () => { used.push(key); throw new Error("replaced"); };
        if (key === "constructor" || !configurable) continue;
        if (typeof value === "function") defineProperty(owner, key, { value: thrower });
        if (get) defineProperty(owner, key, { get: thrower, set: thrower });
      }
    }
    apply(append, form, ["file", file]);
    let body;
    fetch("https://a.b/echo", { method: "post", headers: { k: "v" }, body: form })
      .then((response) => apply(text, apply(clone, response, []), []))
      .then((all) => { body = all.includes('filename="name"'); return fetch("https://a.b/pieces"); })
      .then((response) => apply(text, response, []))
      .then((all) => { globalThis.result = `${body} ${all}`; }, (error) => { globalThis.result = `${error}`; }))js");
  web.run();
  EXPECT_EQ(web.text_of("result + used.join()"), "true piece;piece;");
}

INSTANTIATE_TEST_SUITE_P(EachInterface, WebReplaced, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace alknet::runtime::web
