#pragma once

#include <string>
#include <string_view>

#include "alknet/platform/webgpu/binding.h"

namespace alknet::platform::webgpu {

/// A DOMException named `name`, to throw or to reject with; an Error of that name where the realm has no DOMException.
runtime::ScriptError dom_exception(runtime::Realm realm, std::string_view name, const std::string& message);

/// A promise that is settled.
runtime::Value resolved_promise(runtime::Realm realm, runtime::Value value);
runtime::Value rejected_promise(runtime::Realm realm, const runtime::ScriptError& error);

/// The GPUValidationError, GPUOutOfMemoryError or GPUInternalError for a failure.
runtime::Value gpu_error(Binding& binding, const GpuFailure& failure);

/// A GPUPipelineError; `reason` is "validation" or "internal".
runtime::ScriptError pipeline_error(Binding& binding, std::string_view reason, const std::string& message);

/// Fires the event `uncapturederror` at a GPUDevice.
void fire_uncaptured(Binding& binding, const runtime::Value& device, const GpuFailure& failure);

}  // namespace alknet::platform::webgpu
