#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "alknet/base/testing.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

namespace alknet::runtime {
namespace {

class MapResolver final : public ModuleResolver {
 public:
  std::map<std::string, ModuleSource> modules;
  int loads = 0;

  void add(const std::string& name, std::string_view text, ModuleSource::Kind kind = ModuleSource::Kind::kScript) {
    modules[name] = {kind, SharedBytes::copy(text), "file:///" + name, ""};
  }
  std::string resolve(std::string_view specifier, std::string_view) override {
    if (modules.count(std::string(specifier)) == 0) {
      throw Error(RuntimeError::kModuleNotFound, "[import] nothing is named '" + std::string(specifier) + "'");
    }
    return std::string(specifier);
  }
  ModuleSource load(const std::string& name) override {
    ++loads;
    return modules.at(name);
  }
};

class Modules : public testing::Test {
 protected:
  Modules() {
    IsolateOptions options;
    options.resolver = resolver;
    options.modules.push_back({"alknet:demo", {"answer", "twice"}, [](Realm realm) {
                                 return std::vector<Value>{
                                     realm.number(42),
                                     realm.function("twice", 1, [](Realm in, const Value&, Arguments a) {
                                       return in.number(2 * a[0].to_number());
                                     })};
                               }});
    isolate.emplace(std::move(options));
  }

  /// The namespace that a promise of one gives, after all jobs.
  Value namespace_of(const Value& promise) {
    isolate->pump_jobs();
    EXPECT_EQ(promise_state(promise), PromiseState::kFulfilled);
    return promise_result(promise);
  }

  std::shared_ptr<MapResolver> resolver = std::make_shared<MapResolver>();
  std::optional<Isolate> isolate;
};

TEST_F(Modules, ImportEachOtherOnce) {
  resolver->add("a", "import { b } from 'b'; export const a = b + 1");
  resolver->add("b", "export const b = 1; globalThis.runs = (globalThis.runs ?? 0) + 1");
  const Value space = namespace_of(isolate->eval_module("export { a } from 'a'; export { b } from 'b'", "main"));
  EXPECT_EQ(space.get("a").to_number(), 2);
  EXPECT_EQ(isolate->eval("runs").to_number(), 1);
  EXPECT_EQ(resolver->loads, 2);
}

TEST_F(Modules, MayAwaitAtTheTopAndImportDynamically) {
  resolver->add("late", "export default await Promise.resolve(5)");
  const Value space = namespace_of(isolate->eval_module("export const x = (await import('late')).default", "main"));
  EXPECT_EQ(space.get("x").to_number(), 5);
  EXPECT_EQ(namespace_of(isolate->import_module("late")).get("default").to_number(), 5);
}

TEST_F(Modules, MayImportOnesThatHaveAwaitedBefore) {
  resolver->add("a", "export const a = await Promise.resolve(1)");
  resolver->add("b", "import { a } from 'a'; export const b = a + 1");
  resolver->add("c", "import { a } from 'a'; import { b } from 'b'; export const c = a + b");
  EXPECT_EQ(namespace_of(isolate->import_module("b")).get("b").to_number(), 2);
  EXPECT_EQ(namespace_of(isolate->import_module("c")).get("c").to_number(), 3);
}

TEST_F(Modules, MayBeNativeOrJson) {
  resolver->add("data", R"({"k": [1, 2]})", ModuleSource::Kind::kJson);
  const Value space =
      namespace_of(isolate->eval_module("import { answer, twice } from 'alknet:demo'; import data from 'data'; export "
                                        "const x = twice(answer) + data.k[1]",
                                        "main"));
  EXPECT_EQ(space.get("x").to_number(), 86);
}

TEST_F(Modules, MayBeBytecodeOfOurOwn) {
  resolver->add("b", "export const b = 1");
  const SharedBytes code = Isolate().compile_module("import { b } from 'b'; export const c = b + 1", "c");
  resolver->modules["c"] = {ModuleSource::Kind::kBytecode, code, "", ""};
  EXPECT_EQ(namespace_of(isolate->eval_module("export { c } from 'c'", "main")).get("c").to_number(), 2);
}

TEST_F(Modules, KnowTheirUrl) {
  resolver->add("u", "export default import.meta.url");
  EXPECT_EQ(namespace_of(isolate->import_module("u")).get("default").to_string(), "file:///u");
}

TEST_F(Modules, ThatAreMissingOrWrongAreErrors) {
  EXPECT_EQ(error_of([&] { isolate->eval_module("import 'nothing'", "main"); }).details().at("code").as_string(),
            "module_not_found");
  resolver->add("bad", "export const = 1");
  EXPECT_EQ(error_of([&] { isolate->eval_module("import 'bad'", "main2"); }).details().at("name").as_string(),
            "SyntaxError");
  const Value promise = isolate->eval_module("throw new Error('at the top')", "main3");
  isolate->pump_jobs();
  EXPECT_EQ(promise_state(promise), PromiseState::kRejected);
  EXPECT_EQ(error_of([&] { Isolate().eval_module("import 'x'", "m"); }).details().at("code").as_string(),
            "module_not_found");
}

}  // namespace
}  // namespace alknet::runtime
