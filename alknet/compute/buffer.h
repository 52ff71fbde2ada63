#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/compute/backend.h"

namespace alknet::compute {

/// Names a buffer across the process: device, slot, generation. A stale or foreign id is an error, never somebody
/// else's memory.
struct BufferId {
  std::uint64_t value = 0;
  friend bool operator==(BufferId, BufferId) = default;
};

class BufferManager;

/// Memory that tensors share. Freed (or pooled) when the last owner goes, or at once by `BufferManager::dispose`.
/// Thread-safe.
class Buffer {
 private:
  struct Registry;
  struct DevicePool;
  struct Private {};  ///< Only the manager can make one.

 public:
  Buffer(Private, std::shared_ptr<Registry> registry, std::shared_ptr<Backend> backend, std::size_t bytes,
         std::string label);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  BufferId id() const { return id_; }
  std::size_t bytes() const { return bytes_; }
  const std::shared_ptr<Backend>& backend() const { return backend_; }

  /// The memory, kept alive by the returned pointer. Throws Error `stale_buffer` after `dispose`.
  std::shared_ptr<Memory> memory() const;

  /// From now on others may hold the memory outside this process's books, such as a script its GPUBuffer: it never goes
  /// to the pool. Thread-safe.
  void lend() { lent_.store(true, std::memory_order_relaxed); }

  /// How often the elements were changed after the tensor was made; what saved it for a gradient compares.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  /// Raises the version. `writer` says what wrote ("assign"), for messages; it must be a literal.
  void note_write(const char* writer);
  /// What wrote last.
  const char* last_writer() const { return writer_.load(std::memory_order_relaxed); }
  const std::string& label() const { return label_; }

 private:
  friend class BufferManager;

  std::shared_ptr<Memory> take_memory();
  void set_memory(std::shared_ptr<Memory> memory);

  std::shared_ptr<Registry> registry_;
  std::shared_ptr<Backend> backend_;
  BufferId id_;
  std::size_t bytes_;
  std::string label_;
  DevicePool* pool_ = nullptr;            ///< Of the registry, which outlives this.
  mutable std::atomic_flag memory_busy_;  ///< Guards `memory_` for a few instructions.
  std::shared_ptr<Memory> memory_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<const char*> writer_{""};
  bool pooled_ = false;
  std::atomic<bool> lent_{false};
};

/// Exact counts for one device, in bytes.
struct BufferStatistics {
  std::uint64_t live = 0;    ///< In buffers that exist.
  std::uint64_t pooled = 0;  ///< Kept for reuse.
  std::uint64_t peak = 0;    ///< Highest live + pooled so far.
  std::uint64_t buffers = 0;
};

/// Owns the memory of tensors on every device: a size-class pool, statistics, a leak report. Thread-safe.
class BufferManager {
 public:
  struct Options {
    std::uint64_t pool_bytes = std::uint64_t{256} << 20;  ///< Per device, kept for reuse.
    /// Called when the manager goes while buffers live: what, where created. Debug builds of programs set it.
    std::function<void(const std::string&)> on_leak;
  };

  BufferManager();
  explicit BufferManager(Options options);
  ~BufferManager();
  BufferManager(const BufferManager&) = delete;
  BufferManager& operator=(const BufferManager&) = delete;

  /// Uninitialised memory, from the pool where a block of that size class is free. `label` says what it is for. When
  /// the device is out of memory the pool is emptied and the allocation tried again before `out_of_memory` is thrown.
  std::shared_ptr<Buffer> allocate(const std::shared_ptr<Backend>& backend, std::size_t bytes, std::string label);

  /// Throws what `allocate` throws when buffers of these sizes cannot be had at one time. They are free again on
  /// return: for callers who would do much before they allocate.
  void check_room(const std::shared_ptr<Backend>& backend, std::span<const std::size_t> sizes);

  /// A buffer over existing bytes; see Backend::wrap.
  std::shared_ptr<Buffer> wrap(const std::shared_ptr<Backend>& backend, SharedBytes bytes, std::string label);

  /// A buffer over memory of `backend` that somebody else made.
  std::shared_ptr<Buffer> adopt(const std::shared_ptr<Backend>& backend, std::shared_ptr<Memory> memory,
                                std::string label);

  /// The living buffer of an id. Throws Error `stale_buffer`.
  std::shared_ptr<Buffer> find(BufferId id) const;

  /// Frees the memory now; tensors that still refer to it get `stale_buffer`. Throws `stale_buffer` for a stale id.
  void dispose(BufferId id);

  /// Frees what the pool keeps.
  void trim();

  BufferStatistics statistics(const Backend& backend) const;

  struct Leak {
    BufferId id;
    std::string device;
    std::size_t bytes;
    std::string label;
  };
  /// Buffers that live now, oldest slot first.
  std::vector<Leak> live_buffers() const;

 private:
  std::shared_ptr<Buffer::Registry> registry_;
};

}  // namespace alknet::compute
