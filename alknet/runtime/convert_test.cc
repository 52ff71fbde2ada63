#include "alknet/runtime/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "alknet/base/manual_executor.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/isolate.h"

namespace alknet::runtime {
namespace {

TEST(Convert, JsonGoesInAndOutUnchanged) {
  Isolate isolate;
  for (const char* const text :
       {R"(null)", R"(true)", R"(-5)", R"(0.1)", R"("a\"\u00e9")", R"([1,[],{}])", R"({"b":1,"a":[null,2.5]})",
        R"(9007199254740991)", R"(9223372036854775807)", R"(18446744073709551615)", R"({"__proto__":{"x":1}})"}) {
    const Json json = parse_json(text);
    const Json back = to_json(from_json(isolate.realm(), json));
    EXPECT_EQ(back, json) << text;
    EXPECT_EQ(back.kind(), json.kind()) << text;
  }
  EXPECT_TRUE(from_json(isolate.realm(), parse_json(R"({"__proto__":{"x":1}})")).get("x").is_undefined());
  EXPECT_TRUE(from_json(isolate.realm(), parse_json("9223372036854775807")).is_bigint());
}

TEST(Convert, IntegersOf64BitsAreExactBothWays) {
  Isolate isolate;
  for (const char* const text : {"-9223372036854775808", "-9007199254740992", "9007199254740992", "9223372036854775807",
                                 "9223372036854775808", "18446744073709551615"}) {
    const Value value = from_json(isolate.realm(), parse_json(text));
    EXPECT_TRUE(value.is_bigint());
    EXPECT_EQ(value.to_string(), text);
    EXPECT_EQ(to_json(value), parse_json(text));
    EXPECT_EQ(to_json(isolate.eval(std::string(text) + "n")), parse_json(text));
  }
  for (const char* const source : {"({ a: [2n ** 64n] })", "({ a: [-(2n ** 63n) - 1n] })"}) {
    const Value value = isolate.eval(source);
    EXPECT_THAT(error_of([&] { to_json(value); }).message(), testing::HasSubstr("/a/0 must fit 64 bits")) << source;
  }
}

TEST(Convert, JsonIsNotSeenBySettersOfScript) {
  Isolate isolate;
  isolate.eval(R"(
    globalThis.seen = 0;
    for (const name of ["secret", "0", "__proto__"])
      for (const prototype of [Object.prototype, Array.prototype])
        Object.defineProperty(prototype, name, { set() { ++seen }, get() { return "theirs" }, configurable: true });
  )");
  const char* const text = R"({"secret":5,"list":[7],"__proto__":{"x":1}})";
  const Value value = from_json(isolate.realm(), parse_json(text));
  EXPECT_EQ(isolate.eval("seen").to_number(), 0);
  EXPECT_EQ(isolate.realm().json_text(value), text);
  isolate.realm().global().define("ours", value);
  isolate.realm().global().define("standard", isolate.eval(std::string("JSON.parse('") + text + "')"));
  const Value same = isolate.eval(R"(
    const shape = (o) => JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(o)));
    shape(ours) === shape(standard) && shape(ours.list) === shape(standard.list)
      && Object.getPrototypeOf(ours) === Object.prototype)");
  EXPECT_TRUE(same.to_boolean());
}

TEST(Convert, SeesWhatJsonStringifySees) {
  Isolate isolate;
  for (const char* const source :
       {"({ a: undefined, f() {}, s: Symbol(), b: 1 })",
        "[undefined, () => 1, 2]",
        "new Date(0)",
        "({ toJSON() { return { x: [1] } } })",
        "new Map([[1, 2]])",
        "new Set([1])",
        "({ 2: 'b', 1: 'a', z: 'c' })",
        "[new Number(5), new String('x'), new Boolean(false), Object(Symbol())]",
        "new String('x')",
        "[Object.assign(new Number(5), { valueOf: () => 6 }), Object.assign(new String('x'), { toString: () => 'y' }),"
        " Object.assign(new Boolean(false), { valueOf: () => true })]",
        "({ a: { toJSON: () => () => 1 }, b: { toJSON() {} }, c: { toJSON: () => Symbol() }, d: 1 })",
        "[{ toJSON: () => () => 1 }, { toJSON() {} }, { toJSON: () => Symbol() }, { toJSON: () => null }]",
        "({ a: { toJSON: (key) => [key] }, b: [0, { toJSON: (key) => key }] })",
        "({ toJSON: (key) => `<${key}>` })",
        "({ toJSON: () => new Number(5) })",
        "({ toJSON: () => ({ toJSON: () => 1, a: 2 }) })",
        "({ f: Object.assign(() => 1, { toJSON: () => 'function' }) })",
        "({ d: new Date(1e12), e: new Date(NaN) })",
        "new Proxy([1, 2], {})",
        "({ p: new Proxy({ a: 1 }, {}) })",
        "[JSON.rawJSON('1.5'), JSON.rawJSON('\"x\"')]",
        "({ a: [,1] })"}) {
    const Value value = isolate.eval(source);
    EXPECT_EQ(to_json(value), parse_json(isolate.realm().json_text(value))) << source;
  }
  for (const char* const source : {"undefined", "() => 1", "Symbol()", "({ toJSON() {} })"}) {
    EXPECT_EQ(to_json(isolate.eval(source)), Json()) << source;
  }
  EXPECT_EQ(to_json(isolate.eval("[Object(5n), Object(2n ** 64n - 1n)]")), parse_json("[5,18446744073709551615]"));
  EXPECT_EQ(to_json(isolate.eval("2n ** 62n")), Json(std::int64_t{1} << 62));
  EXPECT_TRUE(to_json(isolate.eval("1")).is_int64());
}

TEST(Convert, PlainJsonIsNothingThatJsonStringifyChanges) {
  Isolate isolate;
  EXPECT_EQ(to_plain_json(isolate.eval("({ a: [1, 'x\\u{1f600}', null], b: undefined })")),
            parse_json(R"({"a":[1,"x\ud83d\ude00",null]})"));
  for (const auto& [source, message] :
       std::initializer_list<std::pair<const char*, const char*>>{{"({ a: [5n] })", "/a/0 is a BigInt"},
                                                                  {"({ a: () => 1 })", "/a is a function"},
                                                                  {"[Symbol()]", "/0 is a function or a symbol"},
                                                                  {"({ at: new Date(0) })", "/at has a toJSON"},
                                                                  {"['\\ud800']", "/0 may have half"},
                                                                  {"({ '\\udc00': 1 })", "may have half"},
                                                                  {"[NaN]", "/0 is NaN"}}) {
    const Value value = isolate.eval(source);
    EXPECT_THAT(error_of([&] { to_plain_json(value); }).message(), ::testing::HasSubstr(message)) << source;
  }
}

TEST(Convert, RefusesWhatHasNoForm) {
  Isolate isolate;
  for (const auto& [source, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"({ a: [NaN] })", "/a/0 is NaN"},
           {"const c = {}; c.c = c; c", "contains itself"},
           {"({ x: 2n ** 80n })", "must fit 64 bits"},
           {"({ b: new Uint8Array(2) })", "/b is binary"},
           {"({ get a() { throw new Error('mine') } })", "mine"},
           {"new Proxy({}, { ownKeys() { throw new Error('trap') } })", "trap"}}) {
    const Value value = isolate.eval(source);
    EXPECT_THAT(error_of([&] { to_json(value); }).message(), testing::HasSubstr(message)) << source;
  }
}

TEST(Convert, BytesGoBesideTheJson) {
  Isolate isolate;
  const Message message = to_message(isolate.eval("({ data: new Uint8Array([1, 2, 3]), more: [new ArrayBuffer(2)] })"));
  EXPECT_EQ(message.value, parse_json(R"({"data":{"$bytes":0},"more":[{"$bytes":1}]})"));
  EXPECT_EQ(message.bytes.at(0).text(), "\1\2\3");
  const Value back = from_message(isolate.realm(), message);
  EXPECT_TRUE(back.get("data").is_array_buffer());
  EXPECT_EQ(back.get("more").get(0).buffer().size(), 2U);
  EXPECT_TRUE(from_json(isolate.realm(), message.value).get("data").has("$bytes"));
}

TEST(Convert, BytesMayComeOfToJson) {
  Isolate isolate;
  const Message message = to_message(isolate.eval("({ a: { toJSON: () => new Uint8Array([1, 2]) } })"));
  EXPECT_EQ(message.value, parse_json(R"({"a":{"$bytes":0}})"));
  EXPECT_EQ(message.bytes.at(0).text(), "\1\2");
  EXPECT_EQ(error_of([&] { to_json(isolate.eval("({ toJSON: () => new ArrayBuffer(1) })")); }).message(),
            "TypeError: the value is binary, which JSON has no form for");
}

TEST(Convert, WhatLeavesIsNoLargerThanTheMemoryOfTheScript) {
  IsolateOptions options;
  options.limits.memory_bytes = 4 << 20;
  Isolate isolate(std::move(options));
  for (const char* const source :
       {"{ const a = []; a.length = 4294967295; a }", "{ let a = 1; for (let i = 0; i < 60; ++i) a = [a, a]; a }"}) {
    const Value value = isolate.eval(source);
    EXPECT_EQ(error_of([&] { to_json(value); }).code(), RuntimeError::kMemoryLimit) << source;
  }
}

TEST(Convert, TransferredBuffersAreNotCopiedAndScriptLosesThem) {
  ManualExecutor executor;
  SharedBytes kept;
  {
    Isolate isolate({.executor = &executor});
    const Value buffer = isolate.eval("globalThis.b = new Uint8Array([7, 8]).buffer");
    const std::byte* const memory = buffer.buffer().data();
    const Value object = isolate.eval("({ b })");
    const Message message = to_message(object, std::span(&buffer, 1));
    EXPECT_EQ(message.bytes.at(0).data(), memory);
    EXPECT_TRUE(isolate.eval("b.detached").to_boolean());
    kept = message.bytes.at(0);
  }
  EXPECT_EQ(kept.text(), "\7\10");
}

TEST(Convert, TransfersByTheStandardsFunctionAndNotByTheScripts) {
  ManualExecutor executor;
  Isolate isolate({.executor = &executor});
  const Value buffer = isolate.eval(R"(
    globalThis.kept = new ArrayBuffer(8);
    const b = new Uint8Array([1, 2]).buffer;
    b.transfer = () => kept;
    ArrayBuffer.prototype.transfer = () => kept;
    b)");
  EXPECT_EQ(take_bytes(buffer).text(), "\1\2");
}

/// Drops bytes on another thread when the isolate frees it.
class Dropper final : public NativeObject {
 public:
  explicit Dropper(SharedBytes bytes) : bytes_(std::move(bytes)) {}
  ~Dropper() override {
    std::thread([bytes = std::move(bytes_)]() mutable { bytes = SharedBytes(); }).join();
  }

 private:
  SharedBytes bytes_;
};

TEST(Convert, BytesThatAreDroppedElsewhereWhileTheIsolateEndsAreFreedOnItsThread) {
  std::array<std::byte, 4> memory{};
  std::thread::id freed_on;
  {
    ManualExecutor executor;
    Isolate isolate({.executor = &executor});
    const Realm realm = isolate.realm();
    const auto release = [](void* thread) { *static_cast<std::thread::id*>(thread) = std::this_thread::get_id(); };
    SharedBytes bytes = take_bytes(realm.array_buffer_over(memory, release, &freed_on));
    const Value type = define_class(realm, ClassSpec{"Dropper", nullptr, 0, {}, {}, {}});
    realm.global().set("dropper", make_object(type, std::make_unique<Dropper>(std::move(bytes))));
  }
  EXPECT_EQ(freed_on, std::this_thread::get_id());
}

TEST(Convert, BytesMayBeDroppedOnAnyThreadAtAnyTime) {
  constexpr std::size_t kBuffers = 400;
  std::vector<SharedBytes> taken;
  std::latch both(2);
  std::optional<Isolate> isolate(std::in_place);
  for (std::size_t i = 0; i < kBuffers; ++i) taken.push_back(take_bytes(isolate->eval("new ArrayBuffer(64)")));
  const Value kept = isolate->eval("({})");
  std::thread other([&] {
    both.arrive_and_wait();
    while (taken.size() > 1) taken.pop_back();
  });
  both.arrive_and_wait();
  isolate.reset();
  { const Value copy = kept; }
  other.join();
  EXPECT_EQ(taken.front().size(), 64U) << "the engine lives as long as its bytes are used";
}

TEST(Convert, BytesThatCameBackAreFreedInTheNextTurn) {
  ManualExecutor executor;
  Isolate isolate({.executor = &executor});
  std::array<std::byte, 4> memory{};
  int released = 0;
  const auto release = [](void* count) { ++*static_cast<int*>(count); };
  SharedBytes bytes = take_bytes(isolate.realm().array_buffer_over(memory, release, &released));
  std::thread([&] { bytes = SharedBytes(); }).join();
  EXPECT_EQ(released, 0);
  executor.run_ready();
  EXPECT_EQ(released, 1);
}

TEST(Convert, LongArraysEndAtTheDeadline) {
  Isolate isolate;
  const Value sparse = isolate.eval("const a = []; a.length = 4294967295; a");
  isolate.set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  EXPECT_EQ(error_of([&] { to_json(sparse); }).code(), RuntimeError::kTimeout);
}

TEST(Convert, BuffersOverForeignMemoryAreReleasedOnce) {
  int released = 0;
  std::array<std::byte, 4> memory{};
  const auto release = [](void* count) { ++*static_cast<int*>(count); };
  {
    Isolate isolate;
    isolate.realm().global().set("m", isolate.realm().array_buffer_over(memory, release, &released));
    isolate.eval("new Uint8Array(m)[1] = 9");
    EXPECT_EQ(std::to_integer<int>(memory[1]), 9);
    isolate.realm().detach(isolate.eval("m"));
    EXPECT_EQ(released, 1);
    EXPECT_EQ(isolate.eval("m.byteLength").to_number(), 0);
  }
  EXPECT_EQ(released, 1);
  {
    Isolate isolate;
    isolate.realm().array_buffer_over({}, release, &released);
  }
  EXPECT_EQ(released, 2) << "also of nothing";
}

}  // namespace
}  // namespace alknet::runtime
