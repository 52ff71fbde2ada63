#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/compute/device_cpu/gemm.h"
#include "alknet/compute/device_cpu/memory_block.h"

namespace alknet::compute {

struct CpuCounters;

/// The right operand of a product, packed whole (see pack_matrix). Immutable.
class PackedMatrix {
 public:
  PackedMatrix(MemoryBlock data, std::size_t bytes, std::shared_ptr<CpuCounters> counters);
  ~PackedMatrix();
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;
  const std::byte* data() const { return data_.get(); }

 private:
  friend class PackedWeights;
  MemoryBlock data_;
  std::size_t bytes_;
  std::shared_ptr<CpuCounters> counters_;
};

/// The matrices in one memory that products packed, kept until the memory is written. Thread-safe.
class PackedWeights {
 public:
  /// One matrix in the memory; `view.data` is null.
  struct Key {
    std::int64_t offset = 0;  ///< In elements.
    MatrixView view;
    Dtype compute = Dtype::kF32;
    std::int64_t depth = 0, columns = 0;
    bool operator==(const Key&) const = default;
  };

  /// The packed matrix; null at the first use, which may be the only one, and where memory is short: more than
  /// kMaxPackedBytes are not kept on a backend. `pack` fills it.
  std::shared_ptr<const PackedMatrix> find(const Key& key, const std::shared_ptr<CpuCounters>& counters,
                                           FunctionRef<void(std::byte*)> pack);

  /// Forgets all.
  void clear();

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const PackedMatrix> matrix;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

/// Bytes of packed matrices that a backend keeps at most.
inline constexpr std::uint64_t kMaxPackedBytes = std::uint64_t{1} << 30;

}  // namespace alknet::compute
