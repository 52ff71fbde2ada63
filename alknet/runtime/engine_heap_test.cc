#include "alknet/runtime/engine_heap.h"

#include <gtest/gtest.h>
#include <quickjs.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "alknet/runtime/isolate.h"
#include "alknet/runtime/native.h"

namespace alknet::runtime {
namespace {

TEST(EngineHeap, GivesGrowsAndFreesBlocks) {
  EngineHeap heap;
  const JSMallocFunctions& functions = EngineHeap::functions();
  auto* const zeros = static_cast<std::uint8_t*>(functions.js_calloc(&heap, 100, 10));
  EXPECT_TRUE(std::all_of(zeros, zeros + 1000, [](std::uint8_t byte) { return byte == 0; }));
  EXPECT_GE(functions.js_malloc_usable_size(zeros), 1000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(zeros) % alignof(std::max_align_t), 0U);
  void* const text = functions.js_malloc(&heap, 6);
  std::memcpy(text, "abcde", 6);
  EXPECT_EQ(heap.blocks(), 2U);
  void* const grown = functions.js_realloc(&heap, text, 1 << 20);
  EXPECT_STREQ(static_cast<const char*>(grown), "abcde");
  EXPECT_EQ(heap.blocks(), 2U);
  functions.js_free(&heap, zeros);
  functions.js_free(&heap, nullptr);
  EXPECT_EQ(heap.blocks(), 1U);
  EXPECT_NE(functions.js_realloc(&heap, nullptr, 1), nullptr);
  heap.free_all();
  EXPECT_EQ(heap.blocks(), 0U);
}

TEST(EngineHeap, SizesThatNobodyHasAreRefused) {
  EngineHeap heap;
  const JSMallocFunctions& functions = EngineHeap::functions();
  EXPECT_EQ(functions.js_malloc(&heap, SIZE_MAX), nullptr);
  EXPECT_EQ(functions.js_calloc(&heap, SIZE_MAX / 2, 4), nullptr);
  void* const block = functions.js_malloc(&heap, 8);
  EXPECT_EQ(functions.js_realloc(&heap, block, SIZE_MAX - 8), nullptr);
  EXPECT_EQ(heap.blocks(), 1U);  // it lives on
  functions.js_free(&heap, block);
  EXPECT_EQ(heap.blocks(), 0U);
}

class Counted final : public NativeObject {
 public:
  explicit Counted(int& count, Value held) : count_(count), held_(std::move(held)) { ++count_; }
  ~Counted() override { --count_; }
  void visit(ValueVisitor& visitor) const override { visitor.visit(held_); }

 private:
  int& count_;
  Value held_;
};

/// Native objects that hold one another, functions with a state and memory that ArrayBuffers show end with their
/// isolate however that ends.
void expect_all_ends(bool value_outside) {
  int natives = 0, buffers = 0;
  Value outside;
  const auto state = std::make_shared<int>(0);
  {
    Isolate isolate;
    const Realm realm = isolate.realm();
    const Value type = define_class(realm, {.name = "Counted"});
    const Value first = make_object(type, std::make_unique<Counted>(natives, realm.object()));
    const Value second = make_object(type, std::make_unique<Counted>(natives, first));
    realm.global().set("first", first);
    realm.global().set("second", second);
    isolate.eval("first.other = second");
    std::array<std::byte, 8> memory{};
    for (const char* name : {"a", "b"}) {
      ++buffers;
      const auto release = [](void* count) { --*static_cast<int*>(count); };
      realm.global().set(name, realm.array_buffer_over(memory, release, &buffers));
    }
    isolate.eval("delete globalThis.b");
    const auto function = [state](Realm, const Value&, Arguments) { return Value(); };
    realm.global().set("f", realm.closure("f", 0, function));
    EXPECT_EQ(buffers, 1);
    EXPECT_EQ(natives, 2);
    if (value_outside) outside = realm.string("kept for longer than its isolate");
  }
  EXPECT_EQ(natives, 0);
  EXPECT_EQ(buffers, 0);
  EXPECT_EQ(state.use_count(), 1);
}

TEST(EngineHeap, WhatCppGaveEndsWithAnIsolateOfWhichNothingIsHeld) { expect_all_ends(false); }
TEST(EngineHeap, WhatCppGaveEndsWithAnIsolateOfWhichAValueIsHeld) { expect_all_ends(true); }

}  // namespace
}  // namespace alknet::runtime
