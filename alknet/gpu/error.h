#pragma once

#include <system_error>

namespace alknet::gpu {

/// What can go wrong with a GPU. Every failure of this layer is an `alknet::Error` with one of these codes; its
/// `details` name the kernel, buffer or limit concerned, and the provider's own message where there is one.
enum class GpuError {
  kNoProvider = 1,    ///< No WebGPU library could be loaded; the message lists the places searched.
  kNoAdapter,         ///< The library runs, but no usable adapter (driver) exists, or the id names none.
  kDeviceRefused,     ///< The adapter refused to make a device.
  kDeviceLost,        ///< The device is gone (driver reset, removal); acquire a new one from the Instance.
  kDestroyed,         ///< The device or buffer was destroyed by its owner and is used afterwards.
  kOutOfMemory,       ///< The device has no memory for a buffer.
  kValidationFailed,  ///< WebGPU's validation refused a call: wrong usage, bad bind group, range outside a buffer.
  kShaderInvalid,     ///< WGSL does not compile, or the pipeline does not fit it; details has `line` and `column`.
  kLimitExceeded,     ///< A size or count exceeds a limit of the device; details has `limit`, `value`, `maximum`.
  kFeatureMissing,    ///< The device lacks a feature that the call needs; details has `feature`.
  kTimeout,           ///< Work did not finish within the caller's time limit; it goes on running.
};

const std::error_category& gpu_category() noexcept;
inline std::error_code make_error_code(GpuError error) noexcept { return {static_cast<int>(error), gpu_category()}; }

}  // namespace alknet::gpu

template <>
struct std::is_error_code_enum<alknet::gpu::GpuError> : std::true_type {};
