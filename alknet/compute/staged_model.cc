#include "alknet/compute/staged_model.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/graph/cut.h"

namespace alknet::compute {

namespace {

Store store_of(Context context, const tensor::Source& source) {
  Store store(std::move(context));
  store.add_file(source.file());
  return store;
}

}  // namespace

StagedModel::StagedModel(const graph::Graph& graph, Context context, std::shared_ptr<tensor::Source> source)
    : StagedModel(graph, store_of(std::move(context), *source), source) {}

StagedModel::StagedModel(const graph::Graph& graph, Store store, std::shared_ptr<tensor::Source> source)
    : store_(std::move(store)), source_(std::move(source)) {
  for (const graph::GraphOutput& output : graph.outputs) outputs_.push_back(output.name);
  const auto layer = [](const graph::State& state) { return graph::layer_of(state.name); };
  std::set<std::string> known;
  std::vector<std::string> order;
  for (graph::Graph& part : graph::cut_by_states(graph, layer, store_.context().operations())) {
    Stage stage{std::move(part), {}};
    for (const graph::State& state : stage.graph.states) {
      // What the file lacks is found missing when the stage opens, or made as its `init` says.
      if (source_->file().find(state.name) == nullptr || !known.insert(state.name).second) continue;
      stage.entries.push_back(state.name);
      order.push_back(state.name);
    }
    stages_.push_back(std::move(stage));
  }
  source_->prioritize(order);
}

bool StagedModel::complete() const {
  return std::ranges::all_of(stages_, [](const Stage& stage) { return stage.session != nullptr; });
}

Task<> StagedModel::open(Stage& stage) {
  if (stage.session) co_return;
  for (const std::string& name : stage.entries) {
    const tensor::Entry& entry = source_->file().entry(name);
    auto arrival = source_->arrived(entry);
    co_await std::move(arrival);
  }
  if (stage.session) co_return;  // another run, which waited too, was first
  const Context& context = store_.context();
  auto plan = Plan::compile(stage.graph, context.backend(), {}, context.operations());
  stage.session = std::make_unique<Session>(std::move(plan), store_);
}

Task<std::vector<Tensor>> StagedModel::run(std::vector<Tensor> inputs, OnStage on_stage) {
  std::map<std::string, Tensor, std::less<>> values;
  const auto& declared = stages_.front().graph.inputs;
  for (std::size_t i = 0; i < inputs.size() && i < declared.size(); ++i) values[declared[i].name] = inputs[i];
  for (std::size_t number = 0; number < stages_.size(); ++number) {
    Stage& stage = stages_[number];
    auto opening = open(stage);
    co_await std::move(opening);
    std::vector<Tensor> given;
    for (const graph::GraphInput& input : stage.graph.inputs) given.push_back(values[input.name]);
    const std::vector<Tensor> results = stage.session->run(given);
    for (std::size_t i = 0; i < results.size(); ++i) values[stage.graph.outputs[i].name] = results[i];
    if (on_stage) on_stage(number, results);
  }
  std::vector<Tensor> outputs;
  for (const std::string& name : outputs_) outputs.push_back(values[name]);
  co_return outputs;
}

}  // namespace alknet::compute
