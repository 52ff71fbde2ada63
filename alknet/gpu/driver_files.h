#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "alknet/base/confinement.h"
#include "alknet/gpu/instance.h"

namespace alknet::gpu {

/// What drivers open on every machine, and why; a folder stands for all below it.
struct DriverFile {
  enum class Use : std::uint8_t {
    kRead,
    kList,    ///< names of the files in a folder alone
    kDevice,  ///< read, written and mapped; a path that ends in `*` stands for what begins so
  };
  std::string_view path;
  Use use;
  std::string_view why;
};

/// The whole list, as docs/sandbox.md prints it.
std::span<const DriverFile> standard_driver_files();

/// What a WebGPU library, the Vulkan loader and the machine's drivers open until their device is gone, for a process
/// that is to open nothing else: the standard ones, and
///
/// - the WebGPU library that an Instance with these options would load (a folder of its own is not opened);
/// - the manifests of drivers that the environment (VK_DRIVER_FILES, VK_ICD_FILENAMES) and `options` name, and the
///   library that each manifest here or in the Vulkan loader's folders names by path;
/// - the folders of LD_LIBRARY_PATH, which is where other libraries of such a driver can be named.
///
/// Loads nothing. Reads the environment.
FileAccess driver_files(const InstanceOptions& options = {});

}  // namespace alknet::gpu
