#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>

#include "alknet/base/json.h"
#include "alknet/base/manual_executor.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

// What C++ makes in an isolate, with each limit of its memory from too little to enough: the limit is met at every
// place that takes memory, and each time it is an error and nothing else.

namespace alknet::runtime {
namespace {

/// Lives as long as what it was given to.
using Token = std::shared_ptr<int>;

class Holder final : public NativeObject {
 public:
  explicit Holder(Token token) : token_(std::move(token)) {}
  const Token& token() const { return token_; }

 private:
  Token token_;
};

Value nothing(Realm, const Value&, Arguments) { return {}; }

constexpr MethodSpec kMethods[] = {{"first", 0, nothing}, {"second", 0, nothing}};
constexpr AttributeSpec kAttributes[] = {{"third", nothing, nothing}, {"fourth", nothing}};
const ClassSpec kClass{"SomeClass", nothing, 0, kMethods, kAttributes, kMethods};

struct MemoryCase {
  const char* name;
  std::function<void(Isolate&, const Token&)> make;
};

/// Throws what `done` was rejected with.
void settle(Isolate& isolate, const Value& done) {
  if (promise_state(done) == PromiseState::kRejected) throw isolate.realm().thrown(promise_result(done));
  // A job of the engine that itself finds no room leaves the promise as it is.
  if (const auto uncaught = isolate.take_uncaught()) throw Error(*uncaught);
  ASSERT_EQ(promise_state(done), PromiseState::kFulfilled);
}

void import(Isolate& isolate, std::string_view name) {
  const Value done = isolate.import_module(name);
  mark_handled(done);
  isolate.pump_jobs();
  settle(isolate, done);
}

class OneJsonModule final : public ModuleResolver {
 public:
  std::string resolve(std::string_view specifier, std::string_view) override { return std::string(specifier); }
  ModuleSource load(const std::string&) override {
    ModuleSource source;
    source.kind = ModuleSource::Kind::kJson;
    source.content = SharedBytes::copy(std::string_view(R"({"a": [1, 2, {"b": "text"}]})"));
    source.url = "file:///a.json";
    return source;
  }
};

const MemoryCase kCases[] = {
    {"functions",
     [](Isolate& isolate, const Token&) {
       isolate.realm().function("a function with a name that nobody else has", 1, nothing);
     }},
    {"closures",
     [](Isolate& isolate, const Token& token) {
       isolate.realm().closure("a closure with a name that nobody else has", 1,
                               [token](Realm, const Value&, Arguments) { return Value(); });
     }},
    {"classes and objects",
     [](Isolate& isolate, const Token& token) {
       const Value parent = define_class(isolate.realm(), kClass);
       const Value type = define_class(isolate.realm(), kClass, parent);
       make_object(type, std::make_unique<Holder>(token));
     }},
    {"promises",
     [](Isolate& isolate, const Token& token) {
       const Deferred deferred(isolate.realm());
       const PromiseCapability other = isolate.realm().promise_capability();
       for (const Value& promise : {deferred.promise(), other.promise}) {
         when_settled(
             promise, [token](Realm, const Value&) {}, [token](Realm, const Value&) {});
       }
       deferred.resolve(isolate.realm().string("done"));
       other.resolve.call();
       isolate.pump_jobs();
     }},
    {"native modules", [](Isolate& isolate, const Token&) { import(isolate, "alknet:sweep"); }},
    {"modules of JSON", [](Isolate& isolate, const Token&) { import(isolate, "/a.json"); }},
    {"modules of script",
     [](Isolate& isolate, const Token&) {
       const Value done = isolate.eval_module(
           "import { first } from 'alknet:sweep'; import data from '/a.json'; export const both = [first, data]; "
           "export default await both",
           "/m.js");
       isolate.pump_jobs();
       settle(isolate, done);
     }},
    {"values of JSON",
     [](Isolate& isolate, const Token&) {
       const Value value =
           from_json(isolate.realm(),
                     parse_json(R"({"one":[1,"two",{"three":null}],"four":18446744073709551615,"__proto__":{}})"));
       to_json(value);
     }},
    {"buffers",
     [](Isolate& isolate, const Token& token) {
       static std::array<std::byte, 8> memory{};
       auto owner = std::make_unique<Token>(token);
       const auto release = [](void* held) { delete static_cast<Token*>(held); };
       const Value buffer = isolate.realm().array_buffer_over(memory, release, owner.get());
       static_cast<void>(owner.release());
       isolate.realm().typed_array_over(TypedArray::kUint8, buffer);
       take_bytes(buffer);
       isolate.realm().typed_array(TypedArray::kFloat32, std::as_bytes(std::span("12345678", 8)));
     }},
    {"errors",
     [](Isolate& isolate, const Token&) {
       isolate.realm().error_value(Error(BaseError::kNotFound, "[sweep] gone", JsonObject{{"a", JsonArray{1, "2"}}}));
       isolate.realm().error_value(std::out_of_range("other"));
     }},
    {"scripts", [](Isolate& isolate, const Token&) { isolate.eval("class A { #b = /x+/.exec('xx') }; [new A()]"); }},
};

class MemoryLimit : public testing::TestWithParam<MemoryCase> {};

TEST_P(MemoryLimit, IsAnErrorWhereverItIsReached) {
  constexpr std::size_t kStep = 32, kMost = 1 << 20;
  const std::size_t base = Isolate().memory().allocated;
  const Token token = std::make_shared<int>(0);
  std::size_t failed = 0;
  for (std::size_t limit = base - (8 << 10);; limit += kStep) {
    ASSERT_LT(limit, base + kMost);
    bool enough = true;
    {
      ManualExecutor executor;
      IsolateOptions options;
      options.executor = &executor;
      options.limits.memory_bytes = limit;
      options.resolver = std::make_shared<OneJsonModule>();
      options.modules.push_back({"alknet:sweep", {"first", "second"}, [token](Realm realm) {
                                   return std::vector<Value>{realm.string("1"), realm.array()};
                                 }});
      Isolate isolate(std::move(options));
      try {
        GetParam().make(isolate, token);
      } catch (const Error& error) {
        enough = false;
        EXPECT_EQ(error.code(), RuntimeError::kMemoryLimit) << limit << ": " << error.message();
      }
      executor.run_ready();
    }
    ASSERT_EQ(token.use_count(), 1) << "freed once, with a limit of " << limit;
    if (enough) break;
    ++failed;
  }
  EXPECT_GT(failed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Of, MemoryLimit, testing::ValuesIn(kCases), [](const auto& tested) {
  std::string name = tested.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

}  // namespace
}  // namespace alknet::runtime
