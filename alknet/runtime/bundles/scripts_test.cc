// The resolver, the transformer and error reports over the bundles of the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "alknet/base/files.h"
#include "alknet/base/manual_executor.h"
#include "alknet/base/random_hex.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/bundles/embedded.h"
#include "alknet/runtime/error_report.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/resolver.h"
#include "alknet/runtime/transform.h"
#include "alknet/runtime/web/web.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ScriptsTest : public ::testing::Test {
 protected:
  ScriptsTest() : folder_(fs::canonical(fs::temp_directory_path()) / ("alknet-scripts-" + random_hex(8))) {
    fs::create_directories(folder_);
  }
  ~ScriptsTest() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, text);
    return (folder_ / name).string();
  }

  ScriptResolverOptions options() const {
    ScriptResolverOptions made;
    made.bundles = embedded_bundles();
    made.native = {"alknet:host"};
    made.files = ModuleFiles({folder_.string()});
    made.transformer = std::make_shared<Transformer>(made.bundles);
    return made;
  }

  /// The namespace of a module that loads at once. Throws what it throws.
  static Value import(Isolate& isolate, const std::string& name) {
    const Value promise = isolate.import_module(name);
    isolate.pump_jobs();
    if (promise_state(promise) == PromiseState::kRejected) throw isolate.realm().thrown(promise_result(promise));
    return promise_result(promise);
  }

  fs::path folder_;
};

TEST_F(ScriptsTest, EveryBundleLoadsThatNeedsNoHost) {
  const auto resolver = std::make_shared<ScriptResolver>(options());
  IsolateOptions isolate_options;
  isolate_options.resolver = resolver;
  Isolate isolate(std::move(isolate_options));
  for (const std::string name : {"@preact/signals-core", "@sinclair/typebox", "@sinclair/typebox/value", "@alknet/ujsx",
                                 "@alknet/ujsx/jsx-runtime", "@alknet/schema", "@alknet/test", "@alknet/test/runner"}) {
    EXPECT_FALSE(import(isolate, name).keys().empty()) << name;
  }
}

constexpr std::string_view kBusyScript = R"(
import { effect, signal } from "@preact/signals-core";
import { h } from "@alknet/ujsx";
import { answer, count } from "alknet:host";

const counted = signal(0);
effect(() => { if (counted.value > 0) count(counted.value); });
counted.value = 1;
const controller = new AbortController();
controller.signal.addEventListener("abort", count);
const kept = { count, tree: h("p", { id: new URL("https://a.example/b").pathname }), bytes: new TextEncoder().encode("text") };
kept.kept = structuredClone(kept.bytes), kept.itself = kept; // a cycle through a function of ours
globalThis.kept = kept;
globalThis.never = new Promise(() => {}).then(count);
globalThis.waits = (async () => { count(await answer()); })();
setTimeout(count, 3_600_000);
setInterval(count, 3_600_000);
export const path = kept.tree.props.id;
)";

TEST_F(ScriptsTest, AThousandWithWorkUnderWayComeAndGo) {
  ManualExecutor executor;
  const ScriptResolverOptions resolving = options();
  const auto counted = std::make_shared<int>(0);
  for (int i = 0; i < 1000; ++i) {
    std::optional<Deferred> late;
    IsolateOptions made;
    made.executor = &executor;
    made.resolver = std::make_shared<ScriptResolver>(resolving);
    made.modules.push_back({"alknet:host", {"count", "answer"}, [counted, &late](Realm realm) {
                              return std::vector{realm.closure("count", 1,
                                                               [counted](Realm in, const Value&, Arguments) {
                                                                 return in.number(++*counted);
                                                               }),
                                                 realm.closure("answer", 0, [&late](Realm in, const Value&, Arguments) {
                                                   return late.emplace(in).promise();
                                                 })};
                            }});
    std::optional<Isolate> isolate(std::in_place, std::move(made));
    install_web(*isolate);
    Value module = isolate->eval_module(kBusyScript, "busy.js");
    executor.run_ready();
    ASSERT_EQ(promise_state(module), PromiseState::kFulfilled);
    ASSERT_EQ(promise_result(module).get("path").to_string(), "/b");
    ASSERT_FALSE(isolate->idle());
    ASSERT_GT(executor.timers(), 0U);

    module = {};
    isolate.reset();
    ASSERT_EQ(executor.timers(), 0U);
    ASSERT_EQ(counted.use_count(), 1) << "what a function of ours holds goes with the isolate";
    late->resolve_later([](Realm in) { return in.number(1); });
    executor.advance(std::chrono::hours(2));
  }
  EXPECT_EQ(*counted, 1000) << "nothing runs that was under way";
}

TEST_F(ScriptsTest, PackagesShareOneCopyOfWhatTheyImport) {
  const std::string path = file("main.ts", R"(import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
export const ok = Value.Check(Type.Object({ x: Type.Number() }), { x: 1 }) && !Value.Check(Type.Number(), "1");)");
  IsolateOptions isolate_options;
  isolate_options.resolver = std::make_shared<ScriptResolver>(options());
  Isolate isolate(std::move(isolate_options));
  EXPECT_TRUE(import(isolate, path).get("ok").to_boolean());
}

TEST_F(ScriptsTest, NamesAndPathsAreResolvedFromTheImportingModule) {
  const std::string a = file("a.ts", "");
  const std::string b = file("sub/b.ts", "");
  ScriptResolver resolver(options());
  EXPECT_EQ(resolver.resolve("./sub/b", a), b);
  EXPECT_EQ(resolver.resolve("../a.js", b), a);
  EXPECT_EQ(resolver.resolve(file_url(b), a), b);
  EXPECT_EQ(resolver.resolve("@alknet/ujsx", a), "@alknet/ujsx");
  EXPECT_EQ(resolver.resolve("alknet:host", a), "alknet:host");
  EXPECT_EQ(code_of([&] { resolver.resolve("./sub/b", ""); }), "module_not_found");
  EXPECT_EQ(code_of([&] { resolver.resolve("./c", a); }), "module_not_found");
  EXPECT_EQ(code_of([&] { resolver.resolve("/etc/passwd", a); }), "permission_denied");
  EXPECT_THAT(error_of([&] { resolver.resolve("@alknet/ujs", a); }).message(), HasSubstr("did you mean"));
  EXPECT_THAT(error_of([&] { resolver.resolve("node:fs", a); }).message(), HasSubstr("Node"));
}

TEST_F(ScriptsTest, BundlesSeeNeitherFilesNorTheImportMap) {
  const std::string path = file("x.js", "");
  ScriptResolverOptions made = options();
  made.import_map = ImportMap(parse_json(R"({"imports": {"@preact/signals-core": "./x.js"}})"), folder_.string());
  ScriptResolver resolver(std::move(made));
  EXPECT_EQ(resolver.resolve("@preact/signals-core", path), path);
  EXPECT_EQ(resolver.resolve("@preact/signals-core", "@alknet/ujsx"), "@preact/signals-core");
  EXPECT_EQ(code_of([&] { resolver.resolve(path, "@alknet/ujsx"); }), "module_not_found");
}

TEST_F(ScriptsTest, AConsumersModuleHasANameOfItsOwn) {
  ScriptResolver resolver(options());
  resolver.register_module("app", "export const x = 1;");
  EXPECT_EQ(resolver.resolve("app", ""), "app");
  EXPECT_EQ(resolver.load("app").content.text(), "export const x = 1;");
  for (const std::string name : {"app", "@alknet/ujsx", "alknet:host", "/x", "./x", ""}) {
    EXPECT_EQ(code_of([&] { resolver.register_module(name, ""); }), "invalid_argument") << name;
  }
}

TEST_F(ScriptsTest, TransformKeepsLines) {
  Transformer transformer(embedded_bundles());
  const std::string source =
      "import type { A } from './a';\ninterface B {\n  x: number;\n}\nexport const f = (a: A, b: B): number =>\n  b.x "
      "as any;\n";
  const std::string code = transformer.transform("/x.ts", source);
  EXPECT_EQ(std::count(code.begin(), code.end(), '\n'), std::count(source.begin(), source.end(), '\n'));
  EXPECT_THAT(std::string(line_of(code, 5)), HasSubstr("export const f = (a, b)"));
  EXPECT_THAT(transformer.transform("/x.tsx", "export const e = <a b={1}/>;"), HasSubstr("@alknet/ujsx/jsx-runtime"));
  EXPECT_THAT(transformer.transform("/x.tsx", "/** @jsxImportSource other */\nexport const e = <a/>;"),
              HasSubstr("other/jsx-runtime"));
  EXPECT_TRUE(needs_transform("/a.mts"));
  EXPECT_FALSE(needs_transform("/a.mjs"));
}

TEST_F(ScriptsTest, ElementsKnowTheirPlacesWhenThatIsAsked) {
  const std::string path = file("tree.tsx", "export const tree = <a>\n  <b x={1} />\n</a>;\n");
  ScriptResolverOptions made = options();
  made.transformer = std::make_shared<Transformer>(made.bundles, true);
  IsolateOptions isolate_options;
  isolate_options.resolver = std::make_shared<ScriptResolver>(std::move(made));
  Isolate isolate(std::move(isolate_options));
  const Value inner = import(isolate, path).get("tree").get("children").get(0U);
  EXPECT_EQ(inner.get("source").get("file").to_string(), path);
  EXPECT_EQ(inner.get("source").get("line").to_integer("line"), 2);
  Transformer transformer(embedded_bundles(), true);
  EXPECT_THAT(transformer.transform("/x.tsx", "/** @jsxImportSource other */\nexport const e = <a/>;"),
              HasSubstr("other/jsx-runtime"));
}

TEST_F(ScriptsTest, BadSyntaxNamesThePlace) {
  Transformer transformer(embedded_bundles());
  const Error error = error_of([&] { transformer.transform("/x.ts", "let a = 1;\nlet b: number = = 2;\n"); });
  EXPECT_EQ(error.code_name(), "module_invalid");
  EXPECT_EQ(error.message(), "/x.ts:2:17: Unexpected token\n  2 | let b: number = = 2;\n    |                 ^");
  EXPECT_EQ(error.details().at("line").to_number<int>(), 2);
}

TEST_F(ScriptsTest, AStackNamesPlacesInSources) {
  const std::string path = file("main.ts", R"(import { describe } from "@alknet/test";
const run = (name: string, times: number): void => describe(name, () => undefined);
run("x", 1);)");
  const auto resolver = std::make_shared<ScriptResolver>(options());
  IsolateOptions isolate_options;
  isolate_options.resolver = resolver;
  Isolate isolate(std::move(isolate_options));
  const Error error = error_of([&] { import(isolate, path); });
  const std::string text = describe_error(error, *resolver);
  EXPECT_THAT(text, HasSubstr("@alknet/test/src/collect.ts:"));
  EXPECT_THAT(text, HasSubstr("(" + path + ":2:61)"));  // the engine names the parenthesis of a call
  EXPECT_THAT(text, HasSubstr("2 | const run = (name: string"));
}

TEST(ParseStack, ReadsFrames) {
  const auto frames = parse_stack("    at f (/a b/c.ts:2:3)\n    at native\n  noise\n    at <anonymous> (@x/y:7)\n");
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].function, "f");
  EXPECT_EQ(frames[0].file, "/a b/c.ts");
  EXPECT_EQ(frames[0].position, (TextPosition{2, 3}));
  EXPECT_EQ(frames[1].file, "native");
  EXPECT_EQ(frames[2].position, (TextPosition{7, 1}));
  EXPECT_EQ(stack_text({frames[0]}), "    at f (/a b/c.ts:2:3)\n");
}

}  // namespace
}  // namespace alknet::runtime
