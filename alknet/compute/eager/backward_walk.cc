#include "alknet/compute/eager/backward_walk.h"

#include <algorithm>
#include <utility>

#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/operations.h"

namespace alknet::compute {

namespace {

/// Records, or does not, while it lives.
class RecordingGuard {
 public:
  RecordingGuard(ContextState& context, bool record)
      : context_(context), before_(std::exchange(context.no_grad, record ? 0 : context.no_grad + 1)) {}
  ~RecordingGuard() { context_.no_grad = before_; }
  RecordingGuard(const RecordingGuard&) = delete;
  RecordingGuard& operator=(const RecordingGuard&) = delete;

 private:
  ContextState& context_;
  int before_;
};

}  // namespace

BackwardWalk::BackwardWalk(std::shared_ptr<ContextState> context, Options options)
    : context_(std::move(context)), options_(options), outer_(std::exchange(context_->walk, this)) {}

BackwardWalk::~BackwardWalk() { context_->walk = outer_; }

void BackwardWalk::seed(const Tensor& output, const Tensor& gradient) {
  seeds_.emplace_back(TensorAccess::state(output)->autograd, gradient);
}

void BackwardWalk::want(const Tensor& input) {
  const auto& autograd = TensorAccess::state(input)->autograd;
  if (autograd->node) {
    work_[autograd->node.get()].wanted.emplace_back(autograd->output, results_.size());
  } else {
    wanted_leaves_[autograd.get()].push_back(results_.size());
  }
  results_.emplace_back();
}

void BackwardWalk::discover() {
  std::vector<GradNode*> waiting, found;
  const auto visit = [&](const std::shared_ptr<Autograd>& target, bool use) {
    if (!target || !target->node) return;
    Work& work = work_[target->node.get()];
    if (use) ++work.uses;
    if (!std::exchange(work.visited, true)) waiting.push_back(target->node.get());
  };
  for (const auto& [target, gradient] : seeds_) visit(target, false);
  while (!waiting.empty()) {
    GradNode* node = waiting.back();
    waiting.pop_back();
    found.push_back(node);
    for (const auto& edge : node->edges()) visit(edge, true);
  }
  if (!options_.accumulate && outer_ == nullptr) prune(std::move(found));
}

void BackwardWalk::prune(std::vector<GradNode*> nodes) {
  std::sort(nodes.begin(), nodes.end(),
            [](const GradNode* a, const GradNode* b) { return a->sequence() < b->sequence(); });
  for (const GradNode* node : nodes) {
    const auto leads = [&](const std::shared_ptr<Autograd>& edge) {
      if (!edge) return false;
      if (!edge->node) return wanted_leaves_.contains(edge.get());
      const Work& behind = work_[edge->node.get()];
      return behind.needed || !behind.wanted.empty();
    };
    work_[node].needed = node->reaches_others() || std::any_of(node->edges().begin(), node->edges().end(), leads);
  }
}

void BackwardWalk::run() {
  const RecordingGuard guard(*context_, options_.create_graph);
  discover();
  std::vector<std::shared_ptr<GradNode>> ready;
  for (auto& [target, gradient] : seeds_) {
    const auto& node = target->node;
    const bool first = node && (work_[node.get()].gained.empty());
    deliver(target, std::move(gradient));
    if (first && work_[node.get()].uses == 0) ready.push_back(node);
  }
  seeds_.clear();
  while (!ready.empty()) {
    const std::shared_ptr<GradNode> node = std::move(ready.back());
    ready.pop_back();
    pass(node);
    for (const auto& edge : node->edges()) {
      if (edge && edge->node && --work_[edge->node.get()].uses == 0) ready.push_back(edge->node);
    }
  }
}

void BackwardWalk::pass(const std::shared_ptr<GradNode>& node) {
  Work& work = work_[node.get()];
  for (const auto& [output, result] : work.wanted) {
    if (!work.gained.empty()) results_[result] = work.gained[output];
  }
  std::vector<Tensor> gained = std::exchange(work.gained, {});
  if (gained.empty() || !work.needed) return;
  auto gradients = node->pass(context_, std::move(gained));
  if (!options_.retain_graph && !options_.create_graph) node->release();
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (gradients[i] && node->edges()[i]) deliver(node->edges()[i], std::move(gradients[i]));
  }
}

void BackwardWalk::deliver(const std::shared_ptr<Autograd>& target, Tensor gradient) {
  if (!target->node) return deliver_to_leaf(target, std::move(gradient));
  auto& gained = work_[target->node.get()].gained;
  if (gained.empty()) gained.resize(target->node->output_count());
  add(gained[target->output], std::move(gradient));
}

void BackwardWalk::deliver_to_leaf(const std::shared_ptr<Autograd>& leaf, Tensor gradient) {
  const auto wanted = wanted_leaves_.find(leaf.get());
  if (wanted != wanted_leaves_.end()) {
    for (const std::size_t result : wanted->second) add(results_[result], gradient);
  } else if (options_.accumulate) {
    add(leaf->gradient, contiguous(gradient));
  } else if (outer_ != nullptr) {
    outer_->deliver_to_leaf(leaf, std::move(gradient));
  }
}

void BackwardWalk::add(Tensor& sum, Tensor gradient) { sum = sum ? compute::add(sum, gradient) : std::move(gradient); }

}  // namespace alknet::compute
