#include "alknet/runtime/transform.h"

#include <fmt/format.h>

#include <array>

#include "alknet/runtime/error_report.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/resolver.h"

namespace alknet::runtime {
namespace {

constexpr std::string_view kModule = "alknet:transform";

Error invalid(const std::string& path, std::string_view source, const Value& outcome) {
  const TextPosition at{static_cast<std::uint32_t>(outcome.get("line").to_integer("line")),
                        static_cast<std::uint32_t>(outcome.get("column").to_integer("column"))};
  const std::string message = outcome.get("message").to_string();
  return {RuntimeError::kModuleInvalid,
          fmt::format("{}:{}:{}: {}{}", path, at.line, at.column, message, marked_line(line_of(source, at.line), at)),
          JsonObject{{"file", path}, {"line", at.line}, {"column", at.column}, {"message", message}}};
}

}  // namespace

bool needs_transform(std::string_view path) {
  for (const std::string_view extension : {".ts", ".tsx", ".jsx", ".mts"}) {
    if (path.ends_with(extension)) return true;
  }
  return false;
}

struct Transformer::Engine {
  explicit Engine(const Bundles& bundles)
      : isolate({.executor = nullptr,
                 .limits = {},
                 .resolver = std::make_shared<ScriptResolver>(ScriptResolverOptions{.bundles = bundles}),
                 .modules = {},
                 .on_uncaught = nullptr}) {
    const Value promise = isolate.import_module(kModule);
    isolate.pump_jobs();
    if (promise_state(promise) != PromiseState::kFulfilled) {
      throw Error(BaseError::kInternal,
                  fmt::format("the module {} does not load: {}", kModule, promise_result(promise).to_string()));
    }
    module = promise_result(promise);
  }

  Isolate isolate;
  Value module;
};

Transformer::Transformer(Bundles bundles, bool places) : bundles_(bundles), places_(places) {}

Transformer::~Transformer() = default;

std::string Transformer::call(std::string_view function, const std::string& path, std::string_view source) {
  const std::lock_guard lock(mutex_);
  const auto began = std::chrono::steady_clock::now();
  if (engine_ == nullptr) engine_ = std::make_unique<Engine>(bundles_);
  const Realm realm = engine_->isolate.realm();
  const std::array<Value, 3> arguments = {realm.string(path), realm.string(source), realm.boolean(places_)};
  const Value outcome = engine_->module.invoke(function, arguments);
  spent_ += std::chrono::steady_clock::now() - began;
  const Value text = outcome.get("text");
  if (!text.is_string()) throw invalid(path, source, outcome);
  return text.to_string();
}

std::string Transformer::transform(const std::string& path, std::string_view source) {
  return call("transform", path, source);
}

std::chrono::nanoseconds Transformer::time_spent() {
  const std::lock_guard lock(mutex_);
  return spent_;
}

std::string Transformer::source_map(const std::string& path, std::string_view source) {
  return call("sourceMap", path, source);
}

}  // namespace alknet::runtime
