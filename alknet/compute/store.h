#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/compute/tensor.h"
#include "alknet/tensor/file.h"

namespace alknet::compute {

/// A set of named tensors that sessions share: parameters, running statistics, moments, the state of random nodes.
/// Copies are the same store. Thread-safe.
class Store {
 public:
  /// `seed` is what states that begin as random numbers are drawn from.
  explicit Store(Context context, std::uint64_t seed = 0);

  /// Makes every entry of a file available by its name; an entry's bytes reach the device when a session first needs
  /// it: mapped and not copied on the CPU, uploaded elsewhere. Struct tensors in a block format of GGUF are tensors of
  /// that dtype (`q4_0`, ...) in the shape of their values.
  void add_file(tensor::File file);

  /// Adds or replaces a tensor. Sessions that are open keep the one they found.
  void set(std::string name, Tensor tensor);

  /// The tensor of that name, or an empty one. Throws Error `unsupported` for an entry whose dtype graphs do not have.
  Tensor find(std::string_view name) const;

  /// The tensor of that name; where there is none, what `make` returns, which is kept. `make` must not use the store.
  Tensor find_or_make(std::string_view name, FunctionRef<Tensor()> make);

  /// All names, sorted.
  std::vector<std::string> names() const;

  /// A store of copies that runs may assign to, also of what is mapped. Throws Error `out_of_memory`.
  Store writable() const;

  const Context& context() const;
  std::uint64_t seed() const;

  /// Held by a run: shared, or exclusively when it assigns.
  std::shared_mutex& runs() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::compute
