#include "bench/process_memory.h"

#include <fstream>
#include <stdexcept>
#include <string>

namespace alknet::bench {
namespace {

// A line "VmHWM:    1234 kB" of /proc/self/status, in bytes.
std::uint64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + key);
}

}  // namespace

PeakMemory::PeakMemory() {
  std::ofstream("/proc/self/clear_refs") << '5';  // VmHWM becomes VmRSS
  start_ = status_bytes("VmRSS");
}

std::uint64_t PeakMemory::bytes() const {
  const std::uint64_t peak = status_bytes("VmHWM");
  return peak > start_ ? peak - start_ : 0;
}

}  // namespace alknet::bench
