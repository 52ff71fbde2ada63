#include "alknet/compute/kernel_times.h"

#include <algorithm>
#include <chrono>

namespace alknet::compute {

void KernelTimes::add(std::string_view device, std::string_view name, double seconds) {
  const std::lock_guard lock(mutex_);
  auto of_device = sums_.find(device);
  if (of_device == sums_.end()) of_device = sums_.try_emplace(std::string(device)).first;
  auto& sums = of_device->second;
  auto sum = sums.find(name);
  if (sum == sums.end()) sum = sums.try_emplace(std::string(sums.size() < kMaxNames ? name : kOthers)).first;
  ++sum->second.count;
  sum->second.seconds += seconds;
}

std::vector<KernelTimes::Row> KernelTimes::rows() const {
  std::vector<Row> rows;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [device, sums] : sums_) {
      for (const auto& [name, sum] : sums) rows.push_back({device, name, sum.count, sum.seconds});
    }
  }
  std::ranges::stable_sort(rows, [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return rows;
}

void run_measured(KernelTimes* times, Backend& backend, std::string_view name,
                  std::span<const std::unique_ptr<Launch>> launches, Slots slots) {
  if (times == nullptr) return backend.run(launches, slots);
  backend.synchronize();  // what was given to the device before does not count
  const auto start = std::chrono::steady_clock::now();
  backend.run(launches, slots);
  backend.synchronize();
  times->add(backend.id(), name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace alknet::compute
