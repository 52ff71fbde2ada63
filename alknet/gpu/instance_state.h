#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alknet/gpu/adapter.h"
#include "alknet/gpu/handle.h"
#include "alknet/gpu/instance.h"
#include "alknet/gpu/provider.h"

namespace alknet::gpu {

class ErrorSink;

/// What bin/setup filled, as the options, the environment or the build say.
std::string deps_directory_of(const InstanceOptions& options);

/// How an adapter is asked for; WebGPU gives no list, so each way is tried and equal answers count once.
struct AdapterRequest {
  WGPUPowerPreference power = WGPUPowerPreference_HighPerformance;
  bool fallback = false;
};

struct FoundAdapter {
  AdapterInfo info;
  AdapterRequest request;
  std::vector<Feature> features;
};

struct Instance::State {
  std::shared_ptr<const Provider> provider;
  std::unique_ptr<PipelineCache> cache;  // outlives the library's objects, whose threads call it
  Handle<WGPUInstance> instance;
  std::string provider_text;
  std::vector<FoundAdapter> found;
  std::vector<AdapterInfo> adapters;  // the infos of `found`
  std::string reason;

  // Where devices report: kept to the end, because a provider may report late.
  mutable std::mutex sinks_mutex;
  mutable std::vector<std::shared_ptr<ErrorSink>> sinks;

  const Functions& functions() const { return provider->functions; }
};

/// Asks for an adapter and waits for the answer; null when there is none. `experimental`: see Dialect::adapter_chain.
Handle<WGPUAdapter> request_adapter(const Provider& provider, WGPUInstance instance, const AdapterRequest& request,
                                    bool experimental = false);

/// All adapters of an instance in order of preference, with ids.
std::vector<FoundAdapter> find_adapters(const Provider& provider, WGPUInstance instance);

/// Limits on their way to and from a library: some know more than the header and keep them behind its structure.
struct RoomyLimits {
  WGPULimits known{};
  std::uint32_t more[12]{};
};

/// All limits under their names.
std::vector<Limit> limits_of(const WGPULimits& limits);

}  // namespace alknet::gpu
