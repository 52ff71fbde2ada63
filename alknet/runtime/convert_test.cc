#include "alknet/runtime/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    if (json.is_uint64()) continue;
    if (std::string_view(text).find("__proto__") == std::string_view::npos) {
      EXPECT_EQ(to_json(from_json(isolate.realm(), json)), json) << text;
    } else {
      EXPECT_TRUE(from_json(isolate.realm(), json).get("x").is_undefined());
    }
  }
  EXPECT_TRUE(from_json(isolate.realm(), parse_json("9223372036854775807")).is_bigint());
}

TEST(Convert, SeesWhatJsonStringifySees) {
  Isolate isolate;
  for (const char* const source :
       {"({ a: undefined, f() {}, s: Symbol(), b: 1 })", "[undefined, () => 1, 2]", "new Date(0)",
        "({ toJSON() { return { x: [1] } } })", "new Map([[1, 2]])", "({ 2: 'b', 1: 'a', z: 'c' })"}) {
    const Value value = isolate.eval(source);
    EXPECT_EQ(to_json(value), parse_json(isolate.realm().json_text(value))) << source;
  }
  EXPECT_EQ(to_json(isolate.eval("2n ** 62n")), Json(std::int64_t{1} << 62));
  EXPECT_TRUE(to_json(isolate.eval("1")).is_int64());
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

TEST(Convert, TransferredBuffersAreNotCopiedAndScriptLosesThem) {
  ManualExecutor executor;
  SharedBytes kept;
  {
    IsolateOptions options;
    options.executor = &executor;
    Isolate isolate(std::move(options));
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
  IsolateOptions options;
  options.executor = &executor;
  Isolate isolate(std::move(options));
  const Value buffer = isolate.eval(R"(
    globalThis.kept = new ArrayBuffer(8);
    const b = new Uint8Array([1, 2]).buffer;
    b.transfer = () => kept;
    ArrayBuffer.prototype.transfer = () => kept;
    b)");
  EXPECT_EQ(take_bytes(buffer).text(), "\1\2");
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
}

}  // namespace
}  // namespace alknet::runtime
