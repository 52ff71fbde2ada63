#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "alknet/runtime/native.h"
#include "alknet/runtime/web/timer_queue.h"
#include "alknet/runtime/web/web.h"

namespace alknet::runtime::web {

/// What our scripts reach of C++: the object that they import as `host` from "alknet:web". Script of others never sees
/// it; but much of what our scripts hand on comes from it, so no function here trusts its arguments.
class WebHost final : public NativeObject {
 public:
  WebHost(Realm realm, WebOptions options);
  void visit(ValueVisitor& visitor) const override;

  WebOptions options;
  TimerQueue timers;
  std::size_t printed = 0;                         ///< bytes
  std::chrono::steady_clock::time_point start;     ///< performance.now() is 0
  std::vector<Value> scripts;                      ///< the exports of each script that has run, by its number
  Value module;                                    ///< {host, load}: what "alknet:web" is to scripts
  Value bitmap_class;                              ///< ImageBitmap
  Value coder_class;                               ///< of compression streams
  std::unordered_map<std::uint32_t, Value> kinds;  ///< the text of kindOf by the engine's class
};

/// The host behind `this` in a function of it.
inline WebHost& host_of(const Value& self) { return native_this<WebHost>(self, "web host"); }

// The functions of the host, each file's own.
std::span<const MethodSpec> clock_functions();
std::span<const MethodSpec> coder_functions();
std::span<const MethodSpec> console_functions();
std::span<const MethodSpec> crypto_functions();
std::span<const MethodSpec> image_functions();
std::span<const MethodSpec> kind_functions();
std::span<const MethodSpec> text_functions();
std::span<const MethodSpec> timer_functions();
std::span<const MethodSpec> url_functions();

}  // namespace alknet::runtime::web
