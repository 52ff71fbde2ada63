#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "alknet/gpu/pipeline.h"

namespace alknet::compute {

/// What a kernel's source says of itself, found by a look at its text or words without compiling it.
struct SourceScan {
  /// Of the entry point, where it is written as numbers.
  std::optional<std::array<std::uint32_t, 3>> workgroup_size;
  /// Whether it reads how many workgroups run, as a kernel must whose workgroups are folded.
  bool reads_workgroup_count = false;
};

/// Comments are not told from code. Hostile bytes give a wrong answer at worst.
SourceScan scan_source(gpu::ShaderLanguage language, std::string_view source, std::string_view entry);

}  // namespace alknet::compute
