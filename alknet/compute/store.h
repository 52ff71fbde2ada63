#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "alknet/compute/tensor.h"
#include "alknet/tensor/file.h"

namespace alknet::compute {

/// A set of named tensors that sessions share: parameters, running statistics. Reading is thread-safe once it is
/// filled.
class Store {
 public:
  explicit Store(Context context);

  /// Makes every entry of a file available by its name; an entry's bytes reach the device when a session first needs
  /// it: mapped and not copied on the CPU, uploaded elsewhere.
  void add_file(tensor::File file);

  /// Adds or replaces a tensor.
  void set(std::string name, Tensor tensor);

  /// The tensor of that name, or an empty one. Throws Error `unsupported` for an entry whose dtype graphs do not have.
  Tensor find(std::string_view name) const;

  const Context& context() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::compute
