#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace alknet::app {

/// "250ms", "30s", "5m", "24h". Throws UsageError.
std::chrono::milliseconds parse_duration(const std::string& text);

/// "64K", "16M", "4G", or plain bytes. Throws UsageError.
std::uint64_t parse_size(const std::string& text);

}  // namespace alknet::app
