#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alknet::gpu {

/// What decides which Vulkan drivers to try.
struct DriverSituation {
  bool chosen_by_user = false;              ///< VK_DRIVER_FILES or VK_ICD_FILENAMES is set.
  bool has_gpu_node = false;                ///< The operating system shows a GPU (machine_has_gpu).
  std::vector<std::string> installed = {};  ///< ICD files in the Vulkan loader's standard directories.
  std::string private_icd = {};             ///< ICD file of the private software driver; empty when it is not there.
};

enum class DriverSet {
  kMachine,  ///< What the Vulkan loader finds by itself.
  kPrivate,  ///< The private software driver, named by VK_DRIVER_FILES.
};

/// Looks at the environment and the file system.
DriverSituation inspect_drivers(const std::string& deps_directory);

/// The order to try. The user's choice stands alone. The machine's drivers come first where a GPU exists; where none
/// does, only software drivers could work, and the private one is the one known to.
std::vector<DriverSet> driver_order(const DriverSituation& situation);

/// Makes the Vulkan loader use these drivers, by the process's environment. A user's choice stays as it is.
void use_drivers(DriverSet drivers, const DriverSituation& situation);

/// The paths of a list with colons between them; empty ones are left out.
std::vector<std::string> path_list(std::string_view list);

/// The files of a folder whose whole path begins like this.
std::vector<std::string> entries_that_begin(std::string_view path);

/// Why no adapter was found, and the remedy.
std::string no_adapter_reason(const DriverSituation& situation);

}  // namespace alknet::gpu
