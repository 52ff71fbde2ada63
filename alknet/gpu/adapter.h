#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::gpu {

/// What kind of hardware an adapter is. The order is the order of preference.
enum class AdapterType {
  kDiscrete,    ///< A GPU with memory of its own.
  kIntegrated,  ///< A GPU that shares the CPU's memory.
  kSoftware,    ///< Vulkan on the CPU (Mesa llvmpipe): correct everywhere, slower than the `cpu` device.
  kUnknown,
};

/// "discrete", "integrated", "software" or "unknown".
std::string_view adapter_type_name(AdapterType type);

/// One limit under WebGPU's name for it ("maxBufferSize"); sizes are in bytes.
struct Limit {
  std::string_view name;  ///< Static storage.
  std::uint64_t value = 0;
};

/// The value of a limit by name, or 0 when the list has none of that name.
std::uint64_t limit_value(std::span<const Limit> limits, std::string_view name);

/// A size of fragment that the adapter's matrix units multiply.
struct MatrixConfig {
  std::string_view component;  ///< Of both operands: "f32", "f16", "u32", "i32", "u8" or "i8". Static storage.
  std::string_view result;     ///< Of the sums.
  std::uint32_t rows = 0, columns = 0, depth = 0;
};

/// What a machine's adapter is and can do. Plain data.
struct AdapterInfo {
  std::string id;      ///< "gpu:0", "gpu:1", ...: discrete first, then integrated, then software; stable on a machine.
  std::string name;    ///< "llvmpipe (LLVM 15.0.6, 256 bits)"
  std::string vendor;  ///< "mesa", "nvidia", ...
  std::string architecture;
  std::string driver;   ///< Driver and version as the provider words it.
  std::string backend;  ///< "vulkan", "metal", "d3d12", ...
  AdapterType type = AdapterType::kUnknown;
  std::uint32_t vendor_id = 0;  ///< PCI ids; 0 when there is none.
  std::uint32_t device_id = 0;
  std::uint32_t subgroup_min_size = 0;  ///< Invocations; 0 when unknown.
  std::uint32_t subgroup_max_size = 0;
  std::vector<Limit> limits;                 ///< All limits, in WebGPU's order.
  std::vector<std::string> features;         ///< All features under WebGPU's names ("shader-f16"), sorted.
  std::vector<MatrixConfig> matrix_configs;  ///< With "chromium-experimental-subgroup-matrix"; empty without.
  bool usable = true;                        ///< Whether Instance::acquire can make a device of it.
  std::string reason;                        ///< Why it is not usable, and the remedy; empty when it is.

  bool has_feature(std::string_view feature) const;
};

}  // namespace alknet::gpu
