#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/compute/backend.h"

namespace alknet::compute {

/// What kernels took, added up by device and name. Thread-safe.
///
/// A context that has one (Context::measure) runs its kernels one at a time and waits for each, so a GPU is slower
/// then; without one nothing is measured, and that costs a comparison of a pointer.
class KernelTimes {
 public:
  struct Row {
    std::string device;  ///< "cpu", "gpu:0".
    std::string name;    ///< "matmul+add+gelu"; kOthers for those beyond the limit.
    std::uint64_t count = 0;
    double seconds = 0;  ///< In total.
  };

  /// Names kept for a device; more are added up as kOthers.
  static constexpr std::size_t kMaxNames = 1'000;
  static constexpr std::string_view kOthers = "others";

  void add(std::string_view device, std::string_view name, double seconds);

  /// Those that took longest first.
  std::vector<Row> rows() const;

 private:
  struct Sum {
    std::uint64_t count = 0;
    double seconds = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, Sum, std::less<>>, std::less<>> sums_;  // by device, then name
};

/// Runs launches of one kernel, and measures them where `times` is not null.
void run_measured(KernelTimes* times, Backend& backend, std::string_view name,
                  std::span<const std::unique_ptr<Launch>> launches, Slots slots);

}  // namespace alknet::compute
