// QuickJS-NG by its C interface alone: what R2 and R3 compare with.
#include <quickjs.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "bench/cases.h"
#include "bench/protocol.h"

namespace alknet::bench {
namespace {

struct Engine {
  JSRuntime* runtime = JS_NewRuntime();
  JSContext* context = JS_NewContext(runtime);

  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
  }

  void eval(const std::string& source) const {
    const JSValue value = JS_Eval(context, source.c_str(), source.size(), "peer.js", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(value)) throw std::runtime_error("the script threw");
    JS_FreeValue(context, value);
  }

  double call(const char* name, double argument) const {
    const JSValue global = JS_GetGlobalObject(context), function = JS_GetPropertyStr(context, global, name);
    JSValue value = JS_NewFloat64(context, argument);
    const JSValue result = JS_Call(context, function, JS_UNDEFINED, 1, &value);
    double number = 0;
    JS_ToFloat64(context, &number, result);
    JS_FreeValue(context, result);
    JS_FreeValue(context, function);
    JS_FreeValue(context, global);
    return number;
  }
};

Case isolate_life(const Json&) {
  return [] {
    const Engine engine;
    engine.eval("function twice(x) { return 2 * x }");
    keep(engine.call("twice", 21));
  };
}

JSValue add(JSContext* context, JSValueConst, int, JSValueConst* values) {
  double a = 0, b = 0;
  if (JS_ToFloat64(context, &a, values[0]) < 0 || JS_ToFloat64(context, &b, values[1]) < 0) return JS_EXCEPTION;
  return JS_NewFloat64(context, a + b);
}

Case host_calls(const Json& parameters) {
  const auto engine = std::make_shared<Engine>();
  const JSValue global = JS_GetGlobalObject(engine->context);
  JS_SetPropertyStr(engine->context, global, "add", JS_NewCFunction(engine->context, add, "add", 2));
  JS_FreeValue(engine->context, global);
  engine->eval("function loop(count) { let sum = 0; for (let i = 0; i < count; i++) sum = add(sum, i); return sum }");
  return [engine, count = parameters.at("count").to_number<double>()] { keep(engine->call("loop", count)); };
}

}  // namespace
}  // namespace alknet::bench

int main() {
  using namespace alknet::bench;
  serve({{"isolate_life", isolate_life}, {"host_calls", host_calls}}, std::string("QuickJS-NG ") + JS_GetVersion());
}
