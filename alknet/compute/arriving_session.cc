#include "alknet/compute/arriving_session.h"

#include <utility>

namespace alknet::compute {

ArrivingSession::ArrivingSession(std::shared_ptr<const Plan> plan, Store store, std::shared_ptr<tensor::Source> source,
                                 SessionOptions options)
    : plan_(std::move(plan)), store_(std::move(store)), options_(std::move(options)) {
  if (source) {
    staged_ = std::make_shared<StagedModel>(plan_->graph(), store_, std::move(source));
  } else {
    open();
  }
}

void ArrivingSession::open() {
  session_.emplace(plan_, store_, options_);
  staged_.reset();
}

Task<std::vector<Tensor>> ArrivingSession::run(std::vector<Tensor> inputs, std::vector<Tensor> out) {
  if (!session_ && staged_->complete()) open();
  if (session_) co_return session_->run(inputs, out);
  const std::shared_ptr<StagedModel> staged = staged_;  // another run may open the session meanwhile
  auto running = staged->run(std::move(inputs));
  std::vector<Tensor> outputs = co_await std::move(running);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].assign(outputs[i]);
  co_return out.empty() ? std::move(outputs) : std::move(out);
}

}  // namespace alknet::compute
