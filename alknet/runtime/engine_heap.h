#pragma once

#include <cstddef>

struct JSMallocFunctions;

namespace alknet::runtime {

/// The memory of one engine, which can be freed as a whole: each block that the engine asks for (pages of small values,
/// and every large one) is linked with the others. It takes 16 bytes a block. One thread at a time.
class EngineHeap {
 public:
  EngineHeap() = default;
  ~EngineHeap() { free_all(); }
  EngineHeap(const EngineHeap&) = delete;
  EngineHeap& operator=(const EngineHeap&) = delete;

  /// For JS_NewRuntime2, with this heap as its `opaque`.
  static const JSMallocFunctions& functions();

  /// Frees every block.
  void free_all();

  /// The number of blocks.
  std::size_t blocks() const;

 private:
  /// Stands before each block, as aligned as what malloc gives.
  struct alignas(std::max_align_t) Link {
    Link* previous;
    Link* next;
  };

  void* add(void* memory);           // a new block, from where its Link is to be; null stays null
  static Link* unlink(void* block);  // where the memory of a block begins

  Link all_{&all_, &all_};
};

}  // namespace alknet::runtime
