#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/compute/eager/layout.h"

namespace alknet::compute {

class BackwardProgram;
class StepProgram;

/// All that one call of an operation needs beside its tensors, found out once for a set of dtypes, layouts and
/// attributes.
struct Call {
  enum class Kind : std::uint8_t {
    kKernel,  ///< One launch.
    kView,    ///< Another layout of the same buffer.
    kCopy,    ///< A view that cannot be without a copy of its operand first.
    kCasts,   ///< Operands are cast to `read` first; the call is then another one.
    kSteps,   ///< Other operations.
  };
  struct Output {
    Dtype dtype = Dtype::kF32;
    std::shared_ptr<const Layout> layout;
    std::size_t bytes = 0;
  };

  std::vector<std::uint64_t> key;
  std::vector<std::shared_ptr<const Layout>> held;  ///< What addresses in the key stand for.
  Kind kind = Kind::kKernel;
  const OpSpec* op = nullptr;
  JsonObject attrs;                      ///< Complete.
  std::vector<std::uint64_t> attrs_key;  ///< kCopy, kCasts: of `attrs`.
  std::vector<Dtype> read;               ///< By operand: what the operation reads; unused where absent.
  std::vector<std::uint32_t> input_of;   ///< By operand: which of the operation's inputs it belongs to.
  std::vector<Output> outputs;
  bool empty = false;  ///< No output has elements: nothing runs.
  bool passes_gradients = false;
  std::vector<std::unique_ptr<Launch>> launch;  ///< kKernel: one.
  std::shared_ptr<const StepProgram> steps;
  /// By which operands need a gradient (a bit each).
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const BackwardProgram>>> backward;
};

/// Calls by key: open addressing. Used by one thread at a time.
class CallCache {
 public:
  CallCache();
  ~CallCache();
  CallCache(const CallCache&) = delete;
  CallCache& operator=(const CallCache&) = delete;

  /// The call with that key, or null. Valid until `clear`.
  Call* find(std::span<const std::uint64_t> key, std::uint64_t hash) const;
  Call& add(std::unique_ptr<Call> call, std::uint64_t hash);
  void clear();
  std::size_t size() const { return size_; }

 private:
  struct Place {
    std::uint64_t hash = 0;
    std::unique_ptr<Call> call;
  };
  void insert(Place place);

  std::vector<Place> places_;  // a power of two, at most half full
  std::size_t size_ = 0;
};

}  // namespace alknet::compute
