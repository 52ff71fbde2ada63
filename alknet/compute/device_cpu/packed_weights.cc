#include "alknet/compute/device_cpu/packed_weights.h"

#include <algorithm>
#include <utility>

#include "alknet/compute/device_cpu/cpu_memory.h"

namespace alknet::compute {

PackedMatrix::PackedMatrix(MemoryBlock data, std::size_t bytes, std::shared_ptr<CpuCounters> counters)
    : data_(std::move(data)), bytes_(bytes), counters_(std::move(counters)) {
  counters_->add(bytes_);
}

PackedMatrix::~PackedMatrix() {
  counters_->live -= bytes_;
  counters_->packed -= bytes_;
}

std::shared_ptr<const PackedMatrix> PackedWeights::find(const Key& key, const std::shared_ptr<CpuCounters>& counters,
                                                        FunctionRef<void(std::byte*)> pack) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
  if (found == entries_.end()) {
    entries_.push_back({key, nullptr});
    return nullptr;
  }
  if (found->matrix) return found->matrix;
  const std::size_t bytes = packed_matrix_bytes(key.compute, key.depth, key.columns);
  if ((counters->packed += bytes) > kMaxPackedBytes) {
    counters->packed -= bytes;
    return nullptr;
  }
  MemoryBlock block = allocate_block(bytes);
  if (!block) {
    counters->packed -= bytes;
    return nullptr;
  }
  auto matrix = std::make_shared<PackedMatrix>(std::move(block), bytes, counters);
  pack(matrix->data_.get());
  found->matrix = std::move(matrix);
  return found->matrix;
}

void PackedWeights::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace alknet::compute
