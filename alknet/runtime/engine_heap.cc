#include "alknet/runtime/engine_heap.h"

#include <malloc.h>
#include <quickjs.h>

#include <cstdint>
#include <cstdlib>

namespace alknet::runtime {
namespace {

constexpr std::size_t kMost = PTRDIFF_MAX / 2;  // what nobody has: sums with it do not overflow

EngineHeap& heap_of(void* opaque) { return *static_cast<EngineHeap*>(opaque); }

}  // namespace

void* EngineHeap::add(void* memory) {
  if (memory == nullptr) return nullptr;
  auto* const link = static_cast<Link*>(memory);
  link->previous = &all_;
  link->next = all_.next;
  all_.next->previous = link;
  all_.next = link;
  return link + 1;
}

EngineHeap::Link* EngineHeap::unlink(void* block) {
  Link* const link = static_cast<Link*>(block) - 1;
  link->previous->next = link->next;
  link->next->previous = link->previous;
  return link;
}

const JSMallocFunctions& EngineHeap::functions() {
  static const JSMallocFunctions functions = {
      [](void* opaque, std::size_t count, std::size_t size) -> void* {
        if (size != 0 && count > kMost / size) return nullptr;
        return heap_of(opaque).add(std::calloc(1, sizeof(Link) + count * size));
      },
      [](void* opaque, std::size_t size) -> void* {
        if (size > kMost) return nullptr;
        return heap_of(opaque).add(std::malloc(sizeof(Link) + size));
      },
      [](void*, void* block) {
        if (block != nullptr) std::free(unlink(block));
      },
      [](void* opaque, void* block, std::size_t size) -> void* {
        if (size > kMost) return nullptr;
        if (block == nullptr) return heap_of(opaque).add(std::malloc(sizeof(Link) + size));
        Link* const link = unlink(block);
        void* const moved = std::realloc(link, sizeof(Link) + size);
        void* const kept = heap_of(opaque).add(moved == nullptr ? link : moved);
        return moved == nullptr ? nullptr : kept;
      },
      [](const void* block) -> std::size_t {
        if (block == nullptr) return 0;
        return ::malloc_usable_size(const_cast<Link*>(static_cast<const Link*>(block) - 1)) - sizeof(Link);
      },
  };
  return functions;
}

void EngineHeap::free_all() {
  while (all_.next != &all_) std::free(unlink(all_.next + 1));
}

std::size_t EngineHeap::blocks() const {
  std::size_t count = 0;
  for (const Link* link = all_.next; link != &all_; link = link->next) ++count;
  return count;
}

}  // namespace alknet::runtime
