// R2 and R3: isolates and the way from script to C++ and back. A program of its own, as a script host is: it links the
// runtime and nothing of the compute engine.
#include <array>

#include "alknet/runtime/isolate.h"
#include "bench/cases.h"
#include "bench/protocol.h"

namespace alknet::bench {
namespace {

using runtime::Arguments;
using runtime::Isolate;
using runtime::Realm;
using runtime::Value;

/// R2: an isolate from nothing, one call, and its end.
Case isolate_life(const Json&) {
  return [] {
    Isolate isolate;
    isolate.eval("function twice(x) { return 2 * x }");
    const std::array arguments = {isolate.realm().number(21)};
    keep(isolate.call("twice", arguments).to_number());
  };
}

Value add(Realm realm, const Value&, Arguments arguments) {
  return realm.number(arguments[0].to_number() + arguments[1].to_number());
}

/// R3: `count` calls of a host function of two numbers in a loop of script.
Case host_calls(const Json& parameters) {
  const auto isolate = std::make_shared<Isolate>();
  const Realm realm = isolate->realm();
  realm.global().set("add", realm.function("add", 2, add));
  isolate->eval("function loop(count) { let sum = 0; for (let i = 0; i < count; i++) sum = add(sum, i); return sum }");
  return [isolate, count = parameters.at("count").to_number<double>()] {
    const std::array arguments = {isolate->realm().number(count)};
    keep(isolate->call("loop", arguments).to_number());
  };
}

}  // namespace
}  // namespace alknet::bench

int main() {
  using namespace alknet::bench;
  serve({{"isolate_life", isolate_life}, {"host_calls", host_calls}}, "alknet " ALKNET_VERSION);
}
