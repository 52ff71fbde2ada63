#include "alknet/runtime/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "alknet/base/testing.h"
#include "alknet/runtime/isolate.h"

namespace alknet::runtime {
namespace {

using testing::ElementsAre;

TEST(Value, KnowsWhatItIs) {
  Isolate isolate;
  EXPECT_TRUE(Value().is_undefined());
  EXPECT_TRUE(isolate.eval("null").is_null());
  EXPECT_TRUE(isolate.eval("true").is_boolean());
  EXPECT_TRUE(isolate.eval("0.5").is_number());
  EXPECT_TRUE(isolate.eval("5n").is_bigint());
  EXPECT_TRUE(isolate.eval("'a'").is_string());
  EXPECT_TRUE(isolate.eval("Symbol('s')").is_symbol());
  EXPECT_TRUE(isolate.eval("[]").is_array());
  EXPECT_TRUE(isolate.eval("(() => 1)").is_function());
  EXPECT_TRUE(isolate.eval("Promise.resolve()").is_promise());
  EXPECT_TRUE(isolate.eval("new TypeError('x')").is_error());
  EXPECT_TRUE(isolate.eval("new ArrayBuffer(4)").is_array_buffer());
  EXPECT_TRUE(isolate.eval("new DataView(new ArrayBuffer(4))").is_array_buffer_view());
  EXPECT_FALSE(isolate.eval("({})").is_function());
}

TEST(Value, ConvertsAsJavaScriptDoes) {
  Isolate isolate;
  EXPECT_EQ(isolate.eval("'12.5'").to_number(), 12.5);
  EXPECT_TRUE(std::isnan(isolate.eval("({})").to_number()));
  EXPECT_EQ(isolate.eval("[1,2]").to_string(), "1,2");
  EXPECT_FALSE(isolate.eval("''").to_boolean());
  EXPECT_EQ(isolate.eval("'\\u{1F600}'").to_string(), "\xF0\x9F\x98\x80");
  EXPECT_EQ(isolate.eval("'a\\uD800b'").to_string(),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(isolate.eval("2**53-1").to_integer("x"), 9007199254740991);
  EXPECT_EQ(isolate.eval("-(2n**63n)").to_integer("x"), INT64_MIN);
  EXPECT_THROW(isolate.eval("2n**63n").to_integer("x"), ScriptError);
  EXPECT_THROW(isolate.eval("1.5").to_integer("x"), ScriptError);
  EXPECT_THROW(isolate.eval("'5'").to_integer("x"), ScriptError);
}

TEST(Value, ReadsAndWritesProperties) {
  Isolate isolate;
  const Value object = isolate.eval("({ b: 1, a: [5, 6], get t() { throw new RangeError('no') } })");
  EXPECT_THAT(object.keys(), ElementsAre("b", "a", "t"));
  EXPECT_EQ(object.get("a").get(1).to_number(), 6);
  EXPECT_EQ(object.get("a").length(), 2U);
  EXPECT_TRUE(object.get("missing").is_undefined());
  object.set("c", isolate.realm().string("x"));
  EXPECT_TRUE(object.has("c"));
  EXPECT_TRUE(object.remove("c"));
  EXPECT_FALSE(object.has("c"));
  object.define_hidden("h", isolate.realm().number(1));
  EXPECT_EQ(object.keys().size(), 3U);
  EXPECT_EQ(error_of([&] { object.get("t"); }).message(), "RangeError: no");
  EXPECT_THROW(isolate.eval("Object.freeze({})").set("a", Value()), ScriptError);
}

TEST(Value, CallsFunctionsWithThisAndArguments) {
  Isolate isolate;
  const std::array arguments = {isolate.realm().number(2), isolate.realm().number(3)};
  EXPECT_EQ(isolate.eval("((a, b) => a * b)").call(arguments).to_number(), 6);
  const Value object = isolate.eval("({ k: 10, f(a, b) { return this.k + a + b } })");
  EXPECT_EQ(object.invoke("f", arguments).to_number(), 15);
  EXPECT_EQ(isolate.eval("(class { constructor(a) { this.a = a } })").construct(arguments).get("a").to_number(), 2);
  EXPECT_EQ(error_of([&] { isolate.eval("5").call(); }).message(), "TypeError: not a function");
}

TEST(Value, AnExceptionOfScriptTellsNameMessageAndStack) {
  Isolate isolate;
  const Error error = error_of([&] { isolate.eval("\nfunction f() { null.x }\nf()", "demo.js"); });
  EXPECT_EQ(error.code(), RuntimeError::kScriptThrew);
  EXPECT_EQ(error.details().at("name").as_string(), "TypeError");
  EXPECT_THAT(std::string(error.details().at("stack").as_string()), testing::HasSubstr("demo.js:2"));
  EXPECT_EQ(error_of([&] { isolate.eval("throw 'text'"); }).message(), "text");
  EXPECT_EQ(error_of([&] { isolate.eval("throw Symbol('s')"); }).message(), "a symbol");
  EXPECT_NO_THROW(error_of([&] { isolate.eval("throw { get message() { throw 1 } }"); }));
}

TEST(Value, ShowsTheBytesOfBuffersAndViews) {
  Isolate isolate;
  EXPECT_EQ(isolate.eval("new ArrayBuffer(8)").buffer().size(), 8U);
  const Value kept = isolate.eval("new Uint16Array([1, 2, 3]).subarray(1)");
  const auto view = kept.buffer();
  ASSERT_EQ(view.size(), 4U);
  EXPECT_EQ(std::to_integer<int>(view[0]), 2);
  EXPECT_EQ(isolate.eval("new DataView(new ArrayBuffer(10), 3, 5)").buffer().size(), 5U);
  EXPECT_THROW(isolate.eval("[1]").buffer(), ScriptError);
  EXPECT_THROW(isolate.eval("{ const b = new ArrayBuffer(8); b.transfer(); b }").buffer(), ScriptError);
  EXPECT_TRUE(isolate.eval("new ArrayBuffer(0)").buffer().empty());
}

TEST(Value, WhatScriptDefinesOnAViewSaysNothingOfItsMemory) {
  Isolate isolate;
  const Value view = isolate.eval(R"(
    const memory = new ArrayBuffer(64), view = new DataView(memory, 8, 16);
    for (const name of ["byteOffset", "byteLength", "buffer"])
      Object.defineProperty(view, name, { get() { memory.transfer(0); return name === "buffer" ? memory : 1000 } });
    Object.defineProperty(DataView.prototype, "byteLength", { get() { return -1 } });
    view)");
  EXPECT_EQ(view.buffer().size(), 16U);
  EXPECT_EQ(view.array_buffer().buffer().size(), 64U);
  EXPECT_EQ(isolate.eval("memory.detached").to_boolean(), false);
  EXPECT_EQ(
      isolate.eval("Object.defineProperty(new Uint32Array(2), 'BYTES_PER_ELEMENT', { value: 0 })").element_bytes(), 4U);
  EXPECT_EQ(view.element_bytes(), 1U);
}

TEST(Value, MayOutliveItsIsolate) {
  Value kept;
  {
    Isolate isolate;
    kept = isolate.eval("({ f() { return 1 } })");
  }
  EXPECT_TRUE(kept.is_object());
  EXPECT_EQ(error_of([&] { kept.get("f"); }).code(), RuntimeError::kClosed);
}

}  // namespace
}  // namespace alknet::runtime
