#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "alknet/base/task.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/compute/staged_model.h"
#include "alknet/compute/store.h"
#include "alknet/tensor/source.h"

namespace alknet::compute {

/// Runs of a graph on a model whose tensors may still come: layer by layer while they do (StagedModel), and, once all
/// have been there, as one session over the whole graph, which is faster. Used on one thread, which is also that of the
/// executor of the tasks that await it; several runs may wait at once.
class ArrivingSession {
 public:
  /// `store` has the tensors, those that come as the file of `source`. A null source says that all are there: the
  /// session opens at once. Throws what Session and StagedModel throw.
  ArrivingSession(std::shared_ptr<const Plan> plan, Store store, std::shared_ptr<tensor::Source> source,
                  SessionOptions options = {});

  /// The outputs of the graph, of inputs in its order, in `out` where that is not empty. Waits for what has to come;
  /// throws as StagedModel::run and Session::run.
  Task<std::vector<Tensor>> run(std::vector<Tensor> inputs, std::vector<Tensor> out = {});

  const Plan& plan() const { return *plan_; }

 private:
  void open();

  std::shared_ptr<const Plan> plan_;
  Store store_;
  SessionOptions options_;
  std::shared_ptr<StagedModel> staged_;  // null once the session is open
  std::optional<Session> session_;
};

}  // namespace alknet::compute
