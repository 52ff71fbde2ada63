#include "alknet/platform/webgpu/facade.h"

#include <algorithm>

namespace alknet::platform::webgpu {
namespace {

WGPUErrorFilter filter_of(WGPUErrorType type) {
  switch (type) {
    case WGPUErrorType_OutOfMemory: return WGPUErrorFilter_OutOfMemory;
    case WGPUErrorType_Internal: return WGPUErrorFilter_Internal;
    default: return WGPUErrorFilter_Validation;
  }
}

}  // namespace

void* Facade::function(const char* symbol) {
  const auto known = std::ranges::find(functions_, symbol, &std::pair<const char*, void*>::first);
  if (known != functions_.end()) return known->second;
  return functions_.emplace_back(symbol, native_.function(symbol)).second;
}

void Facade::run(FunctionRef<void()> calls) {
  if (std::optional<gpu::NativeError> error = native_.run(calls)) {
    report({filter_of(error->type), std::move(error->message)});
  }
}

void Facade::report(GpuFailure failure) {
  if (ended_) return;
  const auto scope =
      std::find_if(scopes_.rbegin(), scopes_.rend(), [&](const Scope& one) { return one.filter == failure.filter; });
  if (scope != scopes_.rend()) {
    if (!scope->first) scope->first = std::move(failure);
    return;
  }
  if (uncaptured) uncaptured(failure);
}

std::optional<GpuFailure> Facade::pop_scope(bool& had_scope) {
  had_scope = !scopes_.empty();
  if (!had_scope) return std::nullopt;
  std::optional<GpuFailure> first = std::move(scopes_.back().first);
  scopes_.pop_back();
  return first;
}

}  // namespace alknet::platform::webgpu
