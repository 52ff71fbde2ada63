#include "alknet/runtime/native.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/runtime/isolate.h"

namespace alknet::runtime {
namespace {

/// Counts itself; holds a Value, by which script can make cycles.
class Box final : public NativeObject {
 public:
  explicit Box(int& living) : living_(living) { ++living_; }
  ~Box() override { --living_; }
  void visit(ValueVisitor& visitor) const override { visitor.visit(value); }
  Value value;

 private:
  int& living_;
};

int living = 0;  // NOLINT: constructors of script have no other way to a counter

Value make_box(Realm, const Value& self, Arguments) { return make_object(self, std::make_unique<Box>(living)); }
Value get_value(Realm, const Value& self, Arguments) { return native_this<Box>(self, "Box").value; }
Value set_value(Realm, const Value& self, Arguments arguments) {
  native_this<Box>(self, "Box").value = arguments[0];
  return {};
}
Value twice(Realm realm, const Value& self, Arguments) {
  return realm.number(2 * native_this<Box>(self, "Box").value.to_number());
}

constexpr MethodSpec kMethods[] = {{"twice", 0, twice}};
constexpr AttributeSpec kAttributes[] = {{"value", get_value, set_value}};
const ClassSpec kBox{"Box", make_box, 0, kMethods, kAttributes, {}};

TEST(NativeClass, HasAttributesMethodsAndATag) {
  Isolate isolate;
  isolate.realm().global().set("Box", define_class(isolate.realm(), kBox));
  EXPECT_EQ(isolate.eval("const b = new Box(); b.value = 4; b.twice()").to_number(), 8);
  EXPECT_EQ(isolate.eval("Object.prototype.toString.call(b)").to_string(), "[object Box]");
  EXPECT_EQ(isolate.eval("[Box.name, typeof Box, b instanceof Box, 'value' in b].join()").to_string(),
            "Box,function,true,true");
  EXPECT_EQ(
      isolate.eval("class C extends Box { f() { return this.twice() + 1 } }; const c = new C(); c.value = 1; c.f()")
          .to_number(),
      3);
  EXPECT_EQ(error_of([&] { isolate.eval("Box()"); }).details().at("name").as_string(), "TypeError");
  EXPECT_EQ(error_of([&] { isolate.eval("Box.prototype.twice.call({})"); }).message(),
            "TypeError: Illegal invocation: this is no Box");
}

TEST(NativeClass, MayHaveAParentAndNoConstructor) {
  Isolate isolate;
  const Value box = define_class(isolate.realm(), kBox);
  const Value chest = define_class(isolate.realm(), ClassSpec{"Chest", nullptr, 0, {}, {}, {}}, box);
  isolate.realm().global().set("Chest", chest);
  EXPECT_EQ(error_of([&] { isolate.eval("new Chest()"); }).message(), "TypeError: Illegal constructor");
  isolate.realm().global().set("made", make_object(chest, std::make_unique<Box>(living)));
  EXPECT_EQ(isolate.eval("made.value = 3; made.twice()").to_number(), 6);
  EXPECT_EQ(native_cast<Box>(isolate.eval("({})")), nullptr);
}

TEST(NativeClass, ObjectsAreFreedAlsoInCyclesAndWithTheIsolate) {
  living = 0;
  {
    Isolate isolate;
    isolate.realm().global().set("Box", define_class(isolate.realm(), kBox));
    isolate.eval("(() => { const a = new Box(), b = new Box(); a.value = { b }; b.value = a })()");
    EXPECT_EQ(living, 2);
    isolate.collect_garbage();
    EXPECT_EQ(living, 0);
    isolate.eval("globalThis.a = new Box(); a.value = { a, f: () => a }; Promise.resolve(a).then((x) => x)");
    EXPECT_EQ(living, 1);
  }
  EXPECT_EQ(living, 0);
}

TEST(NativeFunction, ErrorsOfCxxAreErrorsOfScript) {
  Isolate isolate;
  const auto fail = [](Realm, const Value&, Arguments) -> Value {
    throw Error(BaseError::kNotFound, "[fail] no such thing", {{"name", "x"}});
  };
  isolate.realm().global().set("fail", isolate.realm().function("fail", 0, fail));
  EXPECT_EQ(isolate.eval("try { fail() } catch (e) { [e.message, e.code, e.details.name, e instanceof Error].join() }")
                .to_string(),
            "[fail] no such thing,not_found,x,true");
  const Error error = error_of([&] { isolate.eval("fail()"); });
  EXPECT_EQ(error.details().at("code").as_string(), "not_found");
  EXPECT_EQ(error.details().at("details").at("name").as_string(), "x");
}

TEST(NativeFunction, OtherExceptionsAreInternalErrors) {
  Isolate isolate;
  const auto fail = [](Realm, const Value&, Arguments) -> Value { throw std::out_of_range("no such index"); };
  isolate.realm().global().set("fail", isolate.realm().function("fail", 0, fail));
  EXPECT_EQ(isolate.eval("try { fail() } catch (e) { `${e} ${e instanceof InternalError}` }").to_string(),
            "InternalError: no such index true");
}

TEST(NativeFunction, ErrorsAreTheStandardsWhateverScriptPutInTheirPlace) {
  Isolate isolate;
  isolate.eval(R"(
    globalThis.calls = 0;
    globalThis.standard = {};
    for (const name of ["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "InternalError"]) {
      standard[name] = globalThis[name];
      globalThis[name] = class { constructor() { ++calls } };
    }
    globalThis.Symbol = () => { ++calls };)");
  const Realm realm = isolate.realm();
  const Value standard = isolate.eval("standard");
  for (const auto& [type, name] :
       std::initializer_list<std::pair<ErrorType, const char*>>{{ErrorType::kError, "Error"},
                                                                {ErrorType::kTypeError, "TypeError"},
                                                                {ErrorType::kRangeError, "RangeError"},
                                                                {ErrorType::kSyntaxError, "SyntaxError"},
                                                                {ErrorType::kReferenceError, "ReferenceError"}}) {
    const ScriptError error = realm.error(type, "x");
    EXPECT_TRUE(error.thrown().instance_of(standard.get(name)));
    EXPECT_EQ(error.message(), std::string(name) + ": x");
  }
  EXPECT_TRUE(realm.error_value(Error(BaseError::kNotFound, "[x] gone")).instance_of(standard.get("Error")));
  EXPECT_TRUE(realm.error_value(std::out_of_range("x")).instance_of(standard.get("InternalError")));
  realm.global().set("Box", define_class(realm, kBox));
  EXPECT_EQ(isolate.eval("Object.prototype.toString.call(new Box())").to_string(), "[object Box]");
  EXPECT_EQ(isolate.eval("calls").to_number(), 0);
}

TEST(NativeFunction, WhatScriptThrewComesBackAsTheSameValue) {
  Isolate isolate;
  isolate.realm().global().set(
      "through", isolate.realm().function("through", 1, [](Realm, const Value&, Arguments a) { return a[0].call(); }));
  EXPECT_TRUE(
      isolate.eval("const e = new Error('x'); try { through(() => { throw e }) } catch (c) { c === e }").to_boolean());
}

TEST(NativeFunction, StateOfAFunctionLivesAsLongAsIt) {
  const auto state = std::make_shared<int>(7);
  {
    Isolate isolate;
    isolate.realm().global().set("f", isolate.realm().closure("f", 0, [state](Realm realm, const Value&, Arguments) {
      return realm.number(++*state);
    }));
    EXPECT_EQ(isolate.eval("f() + f()").to_number(), 17);
    EXPECT_EQ(state.use_count(), 2);
    isolate.eval("delete globalThis.f");
    EXPECT_EQ(state.use_count(), 1);
  }
}

}  // namespace
}  // namespace alknet::runtime
