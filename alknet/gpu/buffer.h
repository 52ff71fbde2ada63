#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace alknet::gpu {

struct DeviceState;

/// What a buffer may be bound as. Every buffer may also be copied from and to. Combine with `|`.
enum class BufferUsage : std::uint32_t {
  kStorage = 1,      ///< Read and written by kernels.
  kUniform = 2,      ///< Small parameters, read-only in kernels.
  kIndirect = 4,     ///< Workgroup counts for Encoder::dispatch_indirect.
  kHostVisible = 8,  ///< In memory that the CPU maps directly (Device::has_mappable_buffers): write and readback do
                     ///< not stage. Pays off on integrated and software adapters only.
};
constexpr BufferUsage operator|(BufferUsage a, BufferUsage b) {
  return static_cast<BufferUsage>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has_usage(BufferUsage set, BufferUsage usage) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(usage)) != 0;
}

/// Memory on a device: made by Device::create_buffer, filled with zeros until written.
///
/// Owns the memory: the destructor gives it back once work already submitted has finished. Move-only. A Buffer does
/// not keep unsubmitted work valid: using a bind group of a destroyed buffer throws `destroyed`. Const members may be
/// called from any thread; destroying while another thread records with it gives that thread `destroyed`.
class Buffer {
 public:
  Buffer();
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;

  /// Bytes asked for; may be 0.
  std::uint64_t size() const;

  /// Bytes there are: `size` rounded up to a multiple of 16, at least 16, so an empty buffer can be bound and a kernel
  /// may read whole vec4s.
  std::uint64_t allocated_size() const;

  BufferUsage usage() const;
  const std::string& label() const;

  /// Whether this owns memory: false when default-made, moved from, destroyed, or its device is lost or destroyed.
  bool valid() const;

  /// Gives the memory back now. Work already submitted finishes. Calling it twice is harmless.
  void destroy();

  /// While it is lent to anyone, letting it go releases the provider's buffer without destroying it: what others made
  /// of that, such as bind groups, goes on working. `end_loan` takes one `lend` back. Not for a Buffer that owns no
  /// memory. Thread-safe.
  void lend() const;
  void end_loan() const;

  struct State;
  const std::shared_ptr<State>& state() const { return state_; }
  explicit Buffer(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};

/// The device that a Buffer with memory is of; see Device::state.
std::shared_ptr<DeviceState> device_of(const Buffer& buffer);

/// A part of a buffer bound to a kernel.
struct Binding {
  const Buffer* buffer = nullptr;
  std::uint64_t offset = 0;  ///< Bytes; a multiple of Limits::min_storage_offset_alignment (uniform: min_uniform_...).
  std::uint64_t size = 0;  ///< Bytes, a multiple of 4; 0: up to the buffer's `size` rounded up to 4 (empty: 16 bytes).
                           ///< May reach up to `allocated_size`.
};

}  // namespace alknet::gpu
