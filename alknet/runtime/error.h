#pragma once

#include <system_error>

#include "alknet/base/error.h"

namespace alknet::runtime {

/// What can go wrong when scripts run.
enum class RuntimeError {
  kScriptThrew = 1,   ///< A script threw, or a promise was rejected and nobody handled it; details as ScriptError says.
  kTimeout,           ///< The deadline passed, or `Isolate::interrupt` was called.
  kMemoryLimit,       ///< The isolate's memory limit was reached.
  kLimit,             ///< Another limit (timers, jobs, open calls, output) was reached; details has `limit`.
  kModuleNotFound,    ///< An import names nothing; details has `specifier`, `referrer` and what was `tried`.
  kModuleInvalid,     ///< A module cannot be read, transformed or parsed; details has `file`, `line`, `column`.
  kPermissionDenied,  ///< The privileges of the script do not allow it; details has `privilege`.
  kClosed,            ///< The isolate has ended.
  kSandboxUnavailable,  ///< This machine cannot confine a helper process, so none is started.
  kSandboxFailed,       ///< A helper process could not be started or left by itself; details has `status`.
  kSandboxDied,         ///< A signal that was not the host's ended a helper; details has its name `signal`, `number`.
};

const std::error_category& runtime_category() noexcept;
inline std::error_code make_error_code(RuntimeError error) noexcept {
  return {static_cast<int>(error), runtime_category()};
}

}  // namespace alknet::runtime

template <>
struct std::is_error_code_enum<alknet::runtime::RuntimeError> : std::true_type {};
