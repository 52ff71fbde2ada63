#include "bench/process_memory.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace alknet::bench {
namespace {

std::filesystem::path folder_of(pid_t process) { return std::filesystem::path("/proc") / std::to_string(process); }

// A line "VmHWM:    1234 kB" of /proc/PID/status, in bytes.
std::uint64_t status_bytes(const std::string& key, pid_t process = ::getpid()) {
  std::ifstream status(folder_of(process) / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  }
  throw std::runtime_error("the status of a process has no " + key);
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

std::uint64_t resident_bytes(pid_t process) { return status_bytes("VmRSS", process); }

double processor_seconds(pid_t process) {
  std::ifstream file(folder_of(process) / "stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream words(text.substr(text.rfind(')') + 1));
  std::string word;
  for (int field = 3; field < 14; ++field) words >> word;  // proc(5): utime is field 14
  double user = 0, system = 0;
  words >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t open_files(pid_t process) {
  const std::filesystem::directory_iterator files(folder_of(process) / "fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

}  // namespace alknet::bench
