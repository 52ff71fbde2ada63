// Scripts on the event loop of a C++ program: timers, console, and a function of C++ whose answer comes later.

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/web/web.h"

using namespace alknet;
using namespace alknet::runtime;
using namespace std::chrono_literals;

namespace {

// import { confirm } from "shop:orders": a promise that C++ settles later.
NativeModule orders_module(Loop& loop) {
  return {"shop:orders", {"confirm"}, [&loop](Realm realm) {
            return std::vector{realm.closure("confirm", 1, [&loop](Realm in, const Value&, Arguments given) {
              const Deferred answer(in);
              loop.post_after(5ms, [answer, order = given[0].to_string()] {
                answer.resolve_later([order](Realm later) { return later.string(order + " is confirmed"); });
              });
              return answer.promise();
            })};
          }};
}

void run() {
  Loop loop;  // outlives the isolate
  IsolateOptions options;
  options.executor = &loop;
  options.modules = {orders_module(loop)};
  options.on_uncaught = [](const ScriptError& error) { std::fprintf(stderr, "%s\n", error.what()); };
  Isolate isolate(std::move(options));
  WebOptions web;
  web.print = [](ConsoleLevel, std::string_view text) { std::printf("script: %s\n", std::string(text).c_str()); };
  install_web(isolate, std::move(web));

  const Value main = isolate.eval_module(R"(import { confirm } from "shop:orders";
    setTimeout(() => console.log("no answer yet"), 0);
    console.log(await confirm("order 7"));)",
                                         "main.js");
  isolate.when_idle([&loop] { loop.stop(); });  // no job, timer or answer is left
  loop.run();
  if (promise_state(main) == PromiseState::kRejected) throw isolate.realm().thrown(promise_result(main));
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_embed_event_loop: %s\n", error.what());
    return 1;
  }
}
