#include "alknet/compute/buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

// A BufferId is device (8 bits), generation (24 bits), slot (32 bits); generation 0 is never given.
constexpr std::uint64_t kGenerationMask = (1u << 24) - 1;

std::uint32_t slot_of(BufferId id) { return static_cast<std::uint32_t>(id.value); }
std::uint64_t generation_of(BufferId id) { return (id.value >> 32) & kGenerationMask; }

/// Rounds up to one of four classes an octave, at least 256 bytes: at most a quarter is wasted.
std::size_t size_class(std::size_t bytes) {
  constexpr std::size_t kSmallest = 256;
  if (bytes <= kSmallest) return kSmallest;
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

struct Buffer::DevicePool {
  std::uint64_t number = 0;
  std::weak_ptr<Backend> home;  ///< Whose memory is in `free`: a device that is lost leaves its name to another.
  /// By size class. Lists keep their room, so that a block that comes back and goes again allocates nothing.
  std::map<std::size_t, std::vector<std::shared_ptr<Memory>>> free;
  BufferStatistics statistics;
  void note_peak() { statistics.peak = std::max(statistics.peak, statistics.live + statistics.pooled); }

  bool belongs_to(const std::shared_ptr<Backend>& backend) const {
    return !home.owner_before(backend) && !backend.owner_before(home);
  }

  /// All free memory, for whoever drops it after unlocking.
  std::vector<std::shared_ptr<Memory>> empty() {
    std::vector<std::shared_ptr<Memory>> freed;
    for (auto& [bytes, blocks] : free) {
      for (auto& memory : blocks) freed.push_back(std::move(memory));
    }
    free.clear();
    statistics.pooled = 0;
    return freed;
  }

  std::shared_ptr<Memory> take(std::size_t size) {
    const auto it = free.find(size);
    if (it == free.end() || it->second.empty()) return nullptr;
    std::shared_ptr<Memory> memory = std::move(it->second.back());
    it->second.pop_back();
    statistics.pooled -= size;
    return memory;
  }
};

struct Buffer::Registry {
  struct Slot {
    std::uint64_t generation = 0;
    Buffer* buffer = nullptr;
    std::weak_ptr<Buffer> handle;
  };

  explicit Registry(BufferManager::Options manager_options) : options(std::move(manager_options)) {}

  DevicePool& pool(const Backend& backend) {
    if (recent && recent->first == backend.id()) return recent->second;
    auto [it, added] = pools.try_emplace(backend.id());
    if (added) it->second.number = pools.size();
    recent = &*it;
    return it->second;
  }

  void add(const std::shared_ptr<Buffer>& buffer) {
    std::uint32_t slot = 0;
    if (free_slots.empty()) {
      slot = static_cast<std::uint32_t>(slots.size());
      slots.emplace_back();
    } else {
      slot = free_slots.back();
      free_slots.pop_back();
    }
    Slot& entry = slots[slot];
    entry.generation = entry.generation % kGenerationMask + 1;
    entry.buffer = buffer.get();
    entry.handle = buffer;
    DevicePool& device = pool(*buffer->backend_);
    buffer->pool_ = &device;
    buffer->id_ = {device.number << 56 | entry.generation << 32 | slot};
    device.statistics.live += buffer->memory_->bytes();
    ++device.statistics.buffers;
    device.note_peak();
  }

  /// Takes the memory out of a buffer, into the pool or to the caller, who drops it after unlocking.
  std::shared_ptr<Memory> release(Buffer& buffer) {
    std::shared_ptr<Memory> memory = buffer.take_memory();
    if (!memory) return nullptr;
    DevicePool& device = *buffer.pool_;
    device.statistics.live -= memory->bytes();
    --device.statistics.buffers;
    slots[slot_of(buffer.id_)].buffer = nullptr;
    slots[slot_of(buffer.id_)].handle.reset();
    free_slots.push_back(slot_of(buffer.id_));
    const bool keep = buffer.pooled_ && !buffer.lent_ && !closed && memory.use_count() == 1 &&
                      device.belongs_to(buffer.backend_) &&
                      device.statistics.pooled + memory->bytes() <= options.pool_bytes;
    if (!keep) return memory;
    memory->note_write();
    device.statistics.pooled += memory->bytes();
    device.free[memory->bytes()].push_back(std::move(memory));
    return nullptr;
  }

  Slot* find(BufferId id) {
    if (slot_of(id) >= slots.size()) return nullptr;
    Slot& slot = slots[slot_of(id)];
    return slot.buffer && slot.buffer->id_ == id && slot.generation == generation_of(id) ? &slot : nullptr;
  }

  std::mutex mutex;
  BufferManager::Options options;
  std::map<std::string, DevicePool, std::less<>> pools;
  std::pair<const std::string, DevicePool>* recent = nullptr;  ///< Of `pools`.
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;
  bool closed = false;
};

Buffer::Buffer(Private, std::shared_ptr<Registry> registry, std::shared_ptr<Backend> backend, std::size_t bytes,
               std::string label)
    : registry_(std::move(registry)), backend_(std::move(backend)), bytes_(bytes), label_(std::move(label)) {}

Buffer::~Buffer() {
  std::shared_ptr<Memory> memory;
  const std::lock_guard lock(registry_->mutex);
  memory = registry_->release(*this);
}

namespace {

/// Holds a flag; for sections so short that sleeping would cost more.
class SpinGuard {
 public:
  explicit SpinGuard(std::atomic_flag& flag) : flag_(flag) {
    while (flag_.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~SpinGuard() { flag_.clear(std::memory_order_release); }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  std::atomic_flag& flag_;
};

}  // namespace

std::shared_ptr<Memory> Buffer::take_memory() {
  const SpinGuard guard(memory_busy_);
  return std::exchange(memory_, nullptr);
}

void Buffer::set_memory(std::shared_ptr<Memory> memory) {
  const SpinGuard guard(memory_busy_);
  memory_ = std::move(memory);
}

std::shared_ptr<Memory> Buffer::memory() const {
  {
    const SpinGuard guard(memory_busy_);
    if (memory_) return memory_;
  }
  throw Error(
      ComputeError::kStaleBuffer,
      fmt::format("the buffer \"{}\" on {} was disposed; do not use tensors after dispose()", label_, backend_->id()));
}

void Buffer::note_write(const char* writer) {
  writer_.store(writer, std::memory_order_relaxed);
  version_.fetch_add(1, std::memory_order_acq_rel);
  std::shared_ptr<Memory> written;
  {
    const SpinGuard guard(memory_busy_);
    written = memory_;
  }
  if (written) written->note_write();
}

BufferManager::BufferManager() : BufferManager(Options()) {}
BufferManager::BufferManager(Options options) : registry_(std::make_shared<Buffer::Registry>(std::move(options))) {}

BufferManager::~BufferManager() {
  if (registry_->options.on_leak) {
    for (const Leak& leak : live_buffers()) {
      registry_->options.on_leak(fmt::format("{} bytes on {} still live: {}", leak.bytes, leak.device, leak.label));
    }
  }
  trim();
  const std::lock_guard lock(registry_->mutex);
  registry_->closed = true;
}

std::shared_ptr<Buffer> BufferManager::allocate(const std::shared_ptr<Backend>& backend, std::size_t bytes,
                                                std::string label) {
  constexpr std::size_t kMost = std::size_t{1} << 62;  // classes above overflow; no device has as much
  const std::size_t rounded = bytes < kMost ? size_class(bytes) : bytes;
  auto buffer = std::make_shared<Buffer>(Buffer::Private{}, registry_, backend, bytes, std::move(label));
  buffer->pooled_ = true;
  std::vector<std::shared_ptr<Memory>> foreign;  // goes after the lock
  {
    const std::lock_guard lock(registry_->mutex);
    auto& pool = registry_->pool(*backend);
    if (!pool.belongs_to(backend)) {
      foreign = pool.empty();
      pool.home = backend;
    }
    if (auto memory = pool.take(rounded)) {
      buffer->set_memory(std::move(memory));
      registry_->add(buffer);
      return buffer;
    }
  }
  std::shared_ptr<Memory> memory;
  try {
    memory = backend->allocate(rounded);
  } catch (const Error&) {
    trim();
    memory = backend->allocate(rounded);
  }
  const std::lock_guard lock(registry_->mutex);
  buffer->set_memory(std::move(memory));
  registry_->add(buffer);
  return buffer;
}

void BufferManager::check_room(const std::shared_ptr<Backend>& backend, std::span<const std::size_t> sizes) {
  constexpr std::size_t kSmall = std::size_t{16} << 20;  // what is smaller will be had
  std::vector<std::shared_ptr<Buffer>> taken;
  for (const std::size_t bytes : sizes) {
    if (bytes > kSmall) taken.push_back(allocate(backend, bytes, "room"));
  }
}

std::shared_ptr<Buffer> BufferManager::wrap(const std::shared_ptr<Backend>& backend, SharedBytes bytes,
                                            std::string label) {
  return adopt(backend, backend->wrap(std::move(bytes)), std::move(label));
}

std::shared_ptr<Buffer> BufferManager::adopt(const std::shared_ptr<Backend>& backend, std::shared_ptr<Memory> memory,
                                             std::string label) {
  auto buffer = std::make_shared<Buffer>(Buffer::Private{}, registry_, backend, memory->bytes(), std::move(label));
  const std::lock_guard lock(registry_->mutex);
  buffer->set_memory(std::move(memory));
  registry_->add(buffer);
  return buffer;
}

std::shared_ptr<Buffer> BufferManager::find(BufferId id) const {
  const std::lock_guard lock(registry_->mutex);
  if (auto* slot = registry_->find(id)) {
    if (auto buffer = slot->handle.lock()) return buffer;
  }
  throw Error(ComputeError::kStaleBuffer, fmt::format("no living buffer has the id {:#x}", id.value));
}

void BufferManager::dispose(BufferId id) {
  std::shared_ptr<Memory> memory;
  const auto buffer = find(id);
  const std::lock_guard lock(registry_->mutex);
  memory = registry_->release(*buffer);
}

void BufferManager::trim() {
  std::vector<std::shared_ptr<Memory>> freed;
  const std::lock_guard lock(registry_->mutex);
  for (auto& [device, pool] : registry_->pools) {
    auto some = pool.empty();
    std::move(some.begin(), some.end(), std::back_inserter(freed));
  }
}

BufferStatistics BufferManager::statistics(const Backend& backend) const {
  const std::lock_guard lock(registry_->mutex);
  return registry_->pool(backend).statistics;
}

std::vector<BufferManager::Leak> BufferManager::live_buffers() const {
  const std::lock_guard lock(registry_->mutex);
  std::vector<Leak> leaks;
  for (const auto& slot : registry_->slots) {
    if (!slot.buffer) continue;
    leaks.push_back({slot.buffer->id_, slot.buffer->backend_->id(), slot.buffer->bytes_, slot.buffer->label_});
  }
  return leaks;
}

}  // namespace alknet::compute
