#include "alknet/gpu/vulkan_driver.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "alknet/gpu/instance.h"

namespace alknet::gpu {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name, std::string fallback = {}) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : std::move(fallback);
}

void append_list(std::vector<std::string>& directories, std::string_view list) {
  for (std::string& directory : path_list(list)) directories.push_back(std::move(directory));
}

// The Vulkan loader's search path on Linux (LoaderDriverInterface.md of the Vulkan loader).
std::vector<std::string> icd_directories() {
  const std::string home = environment("HOME");
  std::vector<std::string> bases;
  append_list(bases, environment("XDG_CONFIG_HOME", home.empty() ? "" : home + "/.config"));
  append_list(bases, environment("XDG_CONFIG_DIRS", "/etc/xdg"));
  bases.emplace_back("/etc");
  append_list(bases, environment("XDG_DATA_HOME", home.empty() ? "" : home + "/.local/share"));
  append_list(bases, environment("XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
  for (std::string& base : bases) base += "/vulkan/icd.d";
  return bases;
}

}  // namespace

std::vector<std::string> path_list(std::string_view list) {
  std::vector<std::string> paths;
  while (!list.empty()) {
    const std::size_t colon = std::min(list.find(':'), list.size());
    if (colon > 0) paths.emplace_back(list.substr(0, colon));
    list.remove_prefix(std::min(colon + 1, list.size()));
  }
  return paths;
}

std::vector<std::string> entries_that_begin(std::string_view path) {
  std::vector<std::string> found;
  std::error_code ignored;  // a directory that is missing or closed to us shows nothing
  for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path(), ignored)) {
    if (entry.path().native().starts_with(path)) found.push_back(entry.path().string());
  }
  return found;
}

bool machine_has_gpu() {
  return std::ranges::any_of(std::array{"/dev/dri/renderD", "/dev/nvidia", "/dev/dxg", "/dev/mali", "/dev/kgsl"},
                             [](const char* begin) { return !entries_that_begin(begin).empty(); });
}

DriverSituation inspect_drivers(const std::string& deps_directory) {
  DriverSituation situation;
  situation.chosen_by_user = !environment("VK_DRIVER_FILES").empty() || !environment("VK_ICD_FILENAMES").empty();
  situation.has_gpu_node = machine_has_gpu();
  for (const std::string& directory : icd_directories()) {
    std::error_code ignored;  // most of the standard directories do not exist
    for (const auto& entry : fs::directory_iterator(directory, ignored)) {
      if (entry.path().extension() == ".json") situation.installed.push_back(entry.path().string());
    }
  }
  std::ranges::sort(situation.installed);
  std::string icd = deps_directory + "/vulkan/lvp_icd.x86_64.json";
  std::error_code ignored;
  if (!deps_directory.empty() && fs::exists(icd, ignored)) situation.private_icd = std::move(icd);
  return situation;
}

std::vector<DriverSet> driver_order(const DriverSituation& situation) {
  if (situation.chosen_by_user || situation.private_icd.empty()) return {DriverSet::kMachine};
  if (situation.installed.empty()) return {DriverSet::kPrivate};
  if (situation.has_gpu_node) return {DriverSet::kMachine, DriverSet::kPrivate};
  return {DriverSet::kPrivate, DriverSet::kMachine};
}

void use_drivers(DriverSet drivers, const DriverSituation& situation) {
  if (situation.chosen_by_user) return;
  if (drivers == DriverSet::kMachine) {
    unsetenv("VK_DRIVER_FILES");
    return;
  }
  setenv("VK_DRIVER_FILES", situation.private_icd.c_str(), 1);
  setenv("NODEVICE_SELECT", "1", 0);  // Mesa's device chooser would connect to a display
}

std::string no_adapter_reason(const DriverSituation& situation) {
  void* loader = dlopen("libvulkan.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (loader == nullptr) {
    return "The Vulkan loader libvulkan.so.1 is missing. Install it (Debian: libvulkan1) or run bin/setup";
  }
  dlclose(loader);
  if (situation.chosen_by_user) {
    return "No driver that VK_DRIVER_FILES or VK_ICD_FILENAMES names gives a usable adapter. Correct or unset it";
  }
  const std::string installed =
      situation.installed.empty()
          ? std::string("no Vulkan driver is installed")
          : fmt::format("no installed Vulkan driver ({}) gives a usable adapter", fmt::join(situation.installed, ", "));
  const std::string software =
      situation.private_icd.empty() ? "the private software driver is missing" : "nor does the private software driver";
  return fmt::format(
      "There is no GPU to use: {}, and {}. Run bin/setup for the software driver, or install your GPU's "
      "Vulkan driver (Debian: mesa-vulkan-drivers, nvidia-vulkan-icd)",
      installed, software);
}

}  // namespace alknet::gpu
