#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/platform/webgpu/navigator_gpu.h"
#include "alknet/platform/webgpu/object.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform::webgpu {

/// A GPUBuffer: what of it is mapped, and the ArrayBuffers that script has of that.
class BufferObject final : public GpuObject {
 public:
  /// How far a mapAsync is; shared with the wait for it, which may outlive the buffer. Only for the isolate's thread.
  struct Mapping {
    enum class State { kUnmapped, kPending, kMapped };
    State state = State::kUnmapped;
    std::uint64_t turn = 0;  ///< Rises with each mapAsync and unmap: a wait for an earlier one means nothing any more.
    bool write = false;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  using GpuObject::GpuObject;
  ~BufferObject() override;

  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }
  std::optional<runtime::Deferred>& pending() { return pending_; }

  std::uint64_t size = 0;
  std::uint64_t usage = 0;

  /// The program's memory that this is a view of; `memory` is null for script's own.
  std::shared_ptr<const gpu::Buffer> memory;
  std::shared_ptr<const BufferOwner> owner;

  /// Somebody else uses script's own memory: `destroy` does not free it.
  bool lent = false;

  /// Whether script has an ArrayBuffer of a part of these bytes.
  bool overlaps(std::uint64_t begin, std::uint64_t end) const;

  /// Script gets a copy of mapped memory as an ArrayBuffer; what it writes there goes back with `unmap`. The memory
  /// itself could not be taken away: script may move it to other ArrayBuffers.
  runtime::Value show(runtime::Realm realm, std::uint64_t begin, std::span<const std::byte> memory);

  /// Takes the memory from script, with what it wrote, rejects a pending mapAsync and unmaps.
  void unmap(runtime::Realm realm);
  void destroy(runtime::Realm realm);
  void end(runtime::Realm realm, Leftovers& left) override;

  /// Ends a view of others' memory.
  void revoke(std::string why);
  std::string_view unusable() const override { return revoked_; }

  void visit(runtime::ValueVisitor& visitor) const override;

 private:
  struct Shown {
    std::uint64_t begin;
    std::uint64_t end;
    runtime::Value array_buffer;
  };

  std::shared_ptr<Mapping> mapping_ = std::make_shared<Mapping>();
  std::optional<runtime::Deferred> pending_;
  std::vector<Shown> shown_;
  std::string revoked_;

  void write_back(const Shown& one);
  void end_mapping(runtime::Realm realm, Leftovers& left);
  void unmap_native();
};

}  // namespace alknet::platform::webgpu
