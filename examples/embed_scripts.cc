// Scripts inside a C++ program: functions of C++ that they import, modules that the program brings, TypeScript and
// limits. There is no event loop: nothing happens but what the program asks for, the same each time.
// embed_event_loop.cc has one.

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "alknet/runtime/bundles/embedded.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/resolver.h"
#include "alknet/runtime/transform.h"

using namespace alknet;
using namespace alknet::runtime;
using namespace std::chrono_literals;

namespace {

// import { price } from "shop:stock"
NativeModule stock_module() {
  return {"shop:stock", {"price"}, [](Realm realm) {
            const std::map<std::string, double> prices = {{"tea", 3.5}, {"cup", 8}};
            return std::vector{realm.closure("price", 1, [prices](Realm in, const Value&, Arguments given) {
              const auto found = prices.find(given[0].to_string());
              if (found == prices.end()) throw in.range_error("[price] there is no " + given[0].to_string());
              return in.number(found->second);
            })};
          }};
}

// What a settled promise holds; throws what it was rejected with.
Value result(const Value& promise) {
  if (promise_state(promise) == PromiseState::kRejected) throw promise.realm().thrown(promise_result(promise));
  return promise_result(promise);
}

constexpr const char* kRules = R"(
import { price } from "shop:stock";
import { withTax } from "shop/tax";
export async function total(items: string[]): Promise<{ net: number; gross: number }> {
  const net = items.reduce((sum, item) => sum + price(item), 0);
  return { net, gross: withTax(net) };
})";

void run() {
  ScriptResolverOptions modules;
  modules.bundles = embedded_bundles();  // @alknet/..., and the compiler of TypeScript
  modules.native = {"shop:stock"};
  modules.registered = {{"shop/tax", "export const withTax = (net) => net * 1.25;"}};
  modules.transformer = std::make_shared<Transformer>(modules.bundles);
  const auto resolver = std::make_shared<ScriptResolver>(std::move(modules));

  IsolateOptions options;
  options.limits.memory_bytes = 16 << 20;
  options.modules = {stock_module()};
  options.resolver = resolver;
  Isolate isolate(std::move(options));

  const Value loading = isolate.eval_module(resolver->transform("/rules.ts", kRules), "/rules.ts");
  isolate.pump_jobs();
  const Value rules = result(loading);
  const std::array items = {from_json(isolate.realm(), parse_json(R"(["tea", "cup"])"))};
  const Value total = rules.invoke("total", items);
  isolate.pump_jobs();
  std::printf("tea and cup: %s\n", json_text(to_json(result(total))).c_str());

  isolate.eval("function greet(name) { return `hello ${name}` }");
  const std::array name = {isolate.realm().string("Ada")};
  std::printf("%s\n", isolate.call("greet", name).to_string().c_str());

  isolate.set_deadline(std::chrono::steady_clock::now() + 20ms);
  try {
    isolate.eval("for (;;) {}");
  } catch (const Error& error) {
    std::printf("an endless loop: %s\n", error.code_name().c_str());
  }
  isolate.set_deadline(std::nullopt);  // the isolate goes on
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_embed_scripts: %s\n", error.what());
    return 1;
  }
}
