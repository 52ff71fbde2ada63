#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

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

  /// Whether `destroy` frees the memory: not when somebody else owns it, whom `owner` keeps.
  std::shared_ptr<const void> owner;

  /// Whether script has an ArrayBuffer of a part of these bytes.
  bool overlaps(std::uint64_t begin, std::uint64_t end) const;

  /// Script sees mapped memory as an ArrayBuffer until `unmap`.
  runtime::Value show(runtime::Realm realm, std::uint64_t begin, std::span<std::byte> memory);

  /// Takes the memory from script, rejects a pending mapAsync and unmaps.
  void unmap(runtime::Realm realm);
  void destroy(runtime::Realm realm);
  void end(runtime::Realm realm) override { destroy(realm); }

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
};

}  // namespace alknet::platform::webgpu
