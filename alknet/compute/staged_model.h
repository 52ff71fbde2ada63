#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/task.h"
#include "alknet/compute/context.h"
#include "alknet/compute/session.h"
#include "alknet/compute/store.h"
#include "alknet/graph/graph.h"
#include "alknet/tensor/source.h"

namespace alknet::compute {

/// A model whose layers start when their tensors are there: its graph is cut where parameters of the next layer are
/// needed first (graph::cut_by_states, by graph::layer_of), and each stage is opened and run once all of its entries
/// have arrived. The source is asked for the entries in the order of the stages.
///
/// Results are those of one session over the whole graph, but for fusion across the cuts. Used on one thread, which is
/// also that of the executor of the tasks that await it.
class StagedModel {
 public:
  /// Cuts and types the graph; no entry is waited for. Throws as cut_by_states.
  StagedModel(const graph::Graph& graph, Context context, std::shared_ptr<tensor::Source> source);

  /// The same on a store that has the file of the source, so that others share its tensors.
  StagedModel(const graph::Graph& graph, Store store, std::shared_ptr<tensor::Source> source);

  std::size_t stages() const { return stages_.size(); }

  /// Whether all stages are open: every entry that the graph needs has been there.
  bool complete() const;

  /// The entries that a stage waits for beyond those of the stages before it.
  const std::vector<std::string>& entries(std::size_t stage) const { return stages_[stage].entries; }

  /// The outputs of the whole graph, of inputs in its order. `on_stage` is told each stage that has been computed and
  /// the outputs of its own, for those who watch. Throws what Source::arrived, Plan::compile and Session throw; a later
  /// run goes on with the stages that are open.
  using OnStage = std::function<void(std::size_t stage, const std::vector<Tensor>& outputs)>;
  Task<std::vector<Tensor>> run(std::vector<Tensor> inputs, OnStage on_stage = {});

 private:
  struct Stage {
    graph::Graph graph;
    std::vector<std::string> entries;
    std::unique_ptr<Session> session = {};
  };

  Task<> open(Stage& stage);

  Store store_;
  std::shared_ptr<tensor::Source> source_;
  std::vector<std::string> outputs_;
  std::vector<Stage> stages_;
};

}  // namespace alknet::compute
