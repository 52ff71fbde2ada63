#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/error.h"

namespace alknet::compute {

/// Everything that is wrong with a kernel's specification, told at once.
class KernelProblems {
 public:
  /// `kernel` is its name, for the message; empty when it has none.
  explicit KernelProblems(std::string kernel) : kernel_(std::move(kernel)) {}

  /// `path` is a JSON pointer into the specification.
  void add(std::string path, std::string message) { problems_.emplace_back(std::move(path), std::move(message)); }

  /// Throws Error `kernel_invalid`; details has `kernel` and `problems` [{path, message}].
  void throw_if_any() const;

 private:
  std::string kernel_;
  std::vector<std::pair<std::string, std::string>> problems_;
};

}  // namespace alknet::compute
