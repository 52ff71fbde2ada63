#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "alknet/compute/eager/tape.h"

namespace alknet::compute {

/// One walk over recorded operations from outputs to leaves, each after all that use its results.
class BackwardWalk {
 public:
  struct Options {
    bool create_graph = false;
    bool retain_graph = false;
    bool accumulate = false;  ///< Into the gradients of leaves, unless they are wanted.
  };

  BackwardWalk(std::shared_ptr<ContextState> context, Options options);
  ~BackwardWalk();
  BackwardWalk(const BackwardWalk&) = delete;
  BackwardWalk& operator=(const BackwardWalk&) = delete;

  /// Where the walk starts, with the gradient of that tensor.
  void seed(const Tensor& output, const Tensor& gradient);
  /// Asks for the gradient of a tensor: `result` with the number of the call.
  void want(const Tensor& input);
  void run();
  /// Empty when nothing reached it.
  const Tensor& result(std::size_t index) const { return results_[index]; }

 private:
  struct Work {
    std::size_t uses = 0;  ///< By nodes that the walk has not passed.
    std::vector<Tensor> gained;
    std::vector<std::pair<std::uint32_t, std::size_t>> wanted;  ///< Output, and which result it is.
    bool visited = false;
    bool needed = true;  ///< On a way to what is wanted.
  };

  void discover();
  /// Of a walk that only wants some gradients: marks the nodes that lead nowhere else.
  void prune(std::vector<GradNode*> nodes);
  void pass(const std::shared_ptr<GradNode>& node);
  void deliver(const std::shared_ptr<Autograd>& target, Tensor gradient);
  void deliver_to_leaf(const std::shared_ptr<Autograd>& leaf, Tensor gradient);
  static void add(Tensor& sum, Tensor gradient);

  std::shared_ptr<ContextState> context_;
  Options options_;
  BackwardWalk* outer_;  ///< The walk that runs a checkpoint again, which leaves of this one belong to.
  std::vector<std::pair<std::shared_ptr<Autograd>, Tensor>> seeds_;
  std::unordered_map<const GradNode*, Work> work_;
  std::unordered_map<const Autograd*, std::vector<std::size_t>> wanted_leaves_;
  std::vector<Tensor> results_;
};

}  // namespace alknet::compute
