#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/gpu/adapter.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/pipeline_cache.h"

namespace alknet::gpu {

/// Where the WebGPU library and the private software driver are looked for.
struct InstanceOptions {
  /// Path of the library. Empty: the first of the environment's ALKNET_WEBGPU_LIBRARY, the system's
  /// libwebgpu_dawn.so, and the private one under `deps_directory`.
  std::string library = {};
  /// What bin/setup filled. Empty: the environment's ALKNET_DEPS_DIR, else the directory given at build time.
  std::string deps_directory = {};
  /// Where compiled kernels are kept for the next run: an absolute folder, or "off". Empty: the environment's
  /// ALKNET_PIPELINE_CACHE, else ~/.cache/alknet/pipelines.
  std::string pipeline_cache = {};
};

/// The WebGPU library, loaded, with the adapters it found on this machine.
///
/// Opening loads the library and the machine's Vulkan drivers (0.1 to 0.5 s), so do it only when a GPU is wanted. When
/// the machine has no driver that works, the private software driver is used: this sets VK_DRIVER_FILES in the
/// process's environment, so open an Instance before other threads read or write the environment. A user's own
/// VK_DRIVER_FILES or VK_ICD_FILENAMES is never changed.
///
/// A cheap handle: copies share the library, which stays loaded as long as an Instance or Device lives. Thread-safe.
/// Let the last handle go before main returns: drivers clean up at exit, and NVIDIA's crashes when it is used after
/// that.
class Instance {
 public:
  /// Throws `no_provider` when no library can be loaded, `invalid_argument` for a pipeline cache that is no folder. No
  /// adapter is not an error here: see `adapters`.
  explicit Instance(const InstanceOptions& options = {});

  /// "dawn (/usr/lib/.../libwebgpu_dawn.so)".
  const std::string& provider() const;

  /// All adapters, the preferred first.
  std::span<const AdapterInfo> adapters() const;

  /// Why `adapters` is empty, and the remedy; empty when it is not.
  const std::string& reason() const;

  /// Makes a device of the adapter `id` ("gpu:0"; "gpu" means the first) with every limit and useful feature it has.
  /// Works again after a device of the same adapter was lost. Throws `no_adapter`, `device_refused`.
  Device acquire(std::string_view id, const DeviceOptions& options = {}) const;

  /// The cache that the library was given; null where there is none, or the library takes none.
  const PipelineCache* pipeline_cache() const;

  struct State;

 private:
  std::shared_ptr<const State> state_;
};

/// What `alknet devices` shows. Never throws for want of a library or driver: `reason` says what is missing.
struct Survey {
  std::string provider;  ///< Empty when no library could be loaded.
  std::vector<AdapterInfo> adapters;
  std::string reason;  ///< Empty when at least one adapter is there.
};
Survey survey(const InstanceOptions& options = {});

/// Whether the operating system shows a GPU at all (a device node of any vendor). False answers "is there a discrete
/// GPU?" in microseconds, without loading a library; true promises nothing.
bool machine_has_gpu();

}  // namespace alknet::gpu
