#include "alknet/gpu/driver_files.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/gpu/instance_state.h"
#include "alknet/gpu/provider.h"
#include "alknet/gpu/vulkan_driver.h"

namespace alknet::gpu {
namespace {

namespace fs = std::filesystem;

using enum DriverFile::Use;
constexpr DriverFile kStandard[] = {
    {"/lib", kRead, "libraries"},
    {"/lib64", kRead, "libraries"},
    {"/usr/lib", kRead, "libraries"},
    {"/usr/lib64", kRead, "libraries"},
    {"/usr/local/lib", kRead, "libraries"},
    {"/usr/local/nvidia", kRead, "NVIDIA's libraries and manifests in containers"},
    {"/etc/ld.so.cache", kRead, "where libraries are"},
    {"/etc/vulkan", kRead, "manifests of drivers and layers"},
    {"/etc/xdg/vulkan", kRead, "manifests of drivers and layers"},
    {"/usr/share/vulkan", kRead, "manifests of drivers and layers"},
    {"/usr/local/share/vulkan", kRead, "manifests of drivers and layers"},
    {"/etc/glvnd", kRead, "manifests of EGL's libraries, which NVIDIA's driver loads"},
    {"/usr/share/glvnd", kRead, "manifests of EGL's libraries, which NVIDIA's driver loads"},
    {"/etc/drirc", kRead, "Mesa's settings"},
    {"/usr/share/drirc.d", kRead, "Mesa's settings"},
    {"/usr/share/libdrm", kRead, "names of AMD's chips"},
    {"/etc/nvidia", kRead, "NVIDIA's settings"},
    {"/usr/share/nvidia", kRead, "NVIDIA's settings"},
    {"/sys/bus/pci", kRead, "what GPUs there are"},
    {"/sys/class/drm", kRead, "what GPUs there are"},
    {"/sys/dev/char", kRead, "what GPUs there are"},
    {"/sys/devices", kRead, "GPUs, processors and NUMA nodes"},
    {"/sys/fs/cgroup/memory.max", kRead, "how much memory there is"},
    {"/sys/module/nvidia", kRead, "NVIDIA's driver"},
    {"/proc/self", kRead, "this process"},
    {"/proc/cpuinfo", kRead, "processors"},
    {"/proc/meminfo", kRead, "how much memory there is"},
    {"/proc/devices", kRead, "NVIDIA's driver: the numbers of its devices"},
    {"/proc/modules", kRead, "NVIDIA's driver: whether it is there"},
    {"/proc/driver/nvidia", kRead, "NVIDIA's driver: its devices"},
    {"/proc/driver/nvidia-caps", kRead, "NVIDIA's driver: its devices"},
    {"/proc/sys/vm/max_map_count", kRead, "memory"},
    {"/proc/sys/vm/mmap_min_addr", kRead, "memory"},
    {"/proc/sys/vm/overcommit_memory", kRead, "memory"},
    {"/dev/null", kDevice, "nothing"},
    {"/dev/zero", kDevice, "memory"},
    {"/dev/random", kRead, "random numbers"},
    {"/dev/urandom", kRead, "random numbers"},
    {"/dev", kList, "what GPUs there are"},
    {"/dev/dri/renderD*", kDevice, "GPUs"},
    {"/dev/nvidia*", kDevice, "NVIDIA's GPUs"},
    {"/dev/kfd", kDevice, "AMD's GPUs"},
    {"/dev/dxg", kDevice, "GPUs of the host of a virtual machine (WSL)"},
    {"/dev/kgsl*", kDevice, "Qualcomm's GPUs"},
    {"/dev/mali*", kDevice, "Arm's GPUs"},
};

/// Name manifests, or folders of them; EGL's look as Vulkan's do.
constexpr const char* kManifestVariables[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES",
                                              "__EGL_VENDOR_LIBRARY_DIRS"};

/// The paths in `text`, which may end in `*`, that are there.
std::vector<std::string> there(std::string_view text) {
  if (!text.ends_with('*')) return {std::string(text)};
  return entries_that_begin(text.substr(0, text.size() - 1));
}

/// The library that a driver's manifest names by path.
std::optional<std::string> library_of(const std::string& manifest) {
  try {
    const Json document = parse_json(read_file(manifest, 1U << 20U));
    const std::string library(document.at("ICD").at("library_path").as_string());
    if (library.find('/') == std::string::npos) return std::nullopt;
    return (fs::path(manifest).parent_path() / library).string();
  } catch (const std::exception&) {
    return std::nullopt;  // the loader ignores what is no manifest, too
  }
}

/// `place` is a manifest or a folder of them.
std::vector<std::string> manifests_in(const std::string& place) {
  std::error_code none;
  if (!fs::is_directory(place, none)) return {place};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(place, none)) found.push_back(entry.path().string());
  return found;
}

std::vector<std::string> providers(const InstanceOptions& options) {
  try {
    return provider_candidates(options.library, deps_directory_of(options));
  } catch (const Error&) {
    return {};  // there is none of that name, which who opens it says
  }
}

std::vector<std::string> listed_in(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? std::vector<std::string>() : path_list(value);
}

}  // namespace

std::span<const DriverFile> standard_driver_files() { return kStandard; }

FileAccess driver_files(const InstanceOptions& options) {
  FileAccess access;
  for (const DriverFile& file : kStandard) {
    auto& group = file.use == kRead ? access.read : file.use == kList ? access.list : access.read_and_write;
    for (std::string& path : there(file.path)) group.push_back(std::move(path));
  }
  for (std::string& library : providers(options)) {
    if (library.find('/') != std::string::npos) access.read.push_back(std::move(library));
  }
  const DriverSituation situation = inspect_drivers(deps_directory_of(options));
  std::vector<std::string> manifests = situation.installed;
  if (!situation.private_icd.empty()) manifests.push_back(situation.private_icd);
  for (const char* variable : kManifestVariables) {
    for (const std::string& place : listed_in(variable)) {
      for (std::string& manifest : manifests_in(place)) manifests.push_back(std::move(manifest));
      access.read.push_back(place);
    }
  }
  for (std::string& manifest : manifests) {
    if (auto library = library_of(manifest)) access.read.push_back(std::move(*library));
    access.read.push_back(std::move(manifest));
  }
  for (std::string& folder : listed_in("LD_LIBRARY_PATH")) access.read.push_back(std::move(folder));
  return access;
}

}  // namespace alknet::gpu
