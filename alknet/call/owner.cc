#include "alknet/call/owner.h"

#include <algorithm>

#include "alknet/call/running_call.h"

namespace alknet::call {

Owner::~Owner() = default;

void Owner::remove_layer(const Layer* layer) {
  std::erase_if(layers_, [&](const std::shared_ptr<const Layer>& held) { return held.get() == layer; });
}

void Owner::end() {
  ended_ = true;
  std::vector<std::shared_ptr<RunningCall>> calls;
  calls.reserve(running_.size());
  for (const auto& [key, weak] : running_) {
    if (auto call = weak.lock()) calls.push_back(std::move(call));
  }
  for (const auto& call : calls) call->abort();
  resources_.clear();
}

}  // namespace alknet::call
