#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "alknet/gpu/handle.h"
#include "alknet/gpu/provider.h"

namespace alknet::gpu {

/// A buffer that the CPU can read after a copy on the device.
struct StagingBuffer {
  Handle<WGPUBuffer> buffer;
  std::uint64_t capacity = 0;
};

/// Keeps readback buffers for reuse: up to four of each size between 64 KiB and 8 MiB. Guarded by the device's mutex.
class Staging {
 public:
  /// Largest piece that one staging buffer takes; larger readbacks go through several in turn.
  static constexpr std::uint64_t kChunkBytes = std::uint64_t{8} << 20;
  static constexpr std::size_t kChunksInFlight = 4;

  /// A buffer of at least `bytes`, from the store or new. Errors are reported as for any buffer.
  StagingBuffer acquire(const Functions& functions, WGPUDevice device, std::uint64_t bytes);

  /// Takes an unmapped buffer back.
  void release(StagingBuffer buffer);

 private:
  std::vector<StagingBuffer> free_;
};

/// The answer to a request for mapping a buffer.
struct MapAnswer : Completion {
  WGPUMapAsyncStatus status = WGPUMapAsyncStatus_Force32;
  std::string message;
};

/// Asks for bytes of a buffer to be mapped. `answer` must stay in place until it has been waited for.
void map_async(const Functions& functions, WGPUBuffer buffer, WGPUMapMode mode, std::uint64_t offset,
               std::uint64_t bytes, MapAnswer& answer);

/// Buffers through which large writes go in turn: while the device copies one, the CPU fills the next. Made when first
/// used. `mutex` guards the ring and is held for a whole write.
struct UploadRing {
  static constexpr std::uint64_t kChunkBytes = std::uint64_t{4} << 20;
  struct Slot {
    Handle<WGPUBuffer> buffer;
    MapAnswer answer;  // under way when `busy`
    bool busy = false;
  };

  std::mutex mutex;
  std::array<Slot, 4> slots;
  std::size_t next = 0;
};

}  // namespace alknet::gpu
