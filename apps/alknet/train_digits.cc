#include "apps/alknet/train_digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include "alknet/base/error.h"
#include "alknet/compute/data/data_loader.h"
#include "alknet/compute/data/digits.h"
#include "alknet/compute/error.h"
#include "alknet/compute/models/digits_cnn.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/schedule.h"
#include "alknet/compute/training/train_step.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

using compute::Tensor;

constexpr std::size_t kHeldOut = 360;
constexpr std::uint64_t kSplitSeed = 0;
constexpr std::size_t kClasses = 10;
constexpr double kWeightDecay = 0.01;
constexpr std::string_view kTrainingKey = "alknet.training";  ///< Metadata of checkpoints: options and history.

[[noreturn]] void refuse_checkpoint(std::string_view why) {
  throw Error(compute::ComputeError::kModelInvalid,
              fmt::format("the checkpoint is not one of alknet train digits: {}; train anew without --resume", why));
}

double number_member(const Json& json, std::string_view name) {
  const Json* member = json.is_object() ? json.get_object().if_contains(name) : nullptr;
  if (!member || !member->is_number()) refuse_checkpoint(fmt::format("\"{}\" is missing", name));
  return member->to_number<double>();
}

/// What a checkpoint notes of its training.
Json training_notes(const compute::Checkpoint& checkpoint) {
  for (const auto& [key, value] : checkpoint.metadata) {
    if (key == kTrainingKey) return parse_json(value);
  }
  refuse_checkpoint("it has no notes");
}

struct EpochMember {
  std::string_view name;
  double EpochRecord::*value;
};
constexpr std::array kEpochMembers = {
    EpochMember{"loss", &EpochRecord::loss},         EpochMember{"held_out_loss", &EpochRecord::held_out_loss},
    EpochMember{"accuracy", &EpochRecord::accuracy}, EpochMember{"learning_rate", &EpochRecord::learning_rate},
    EpochMember{"seconds", &EpochRecord::seconds},
};

EpochRecord read_epoch(const Json& json) {
  EpochRecord record;
  record.epoch = static_cast<std::int64_t>(number_member(json, "epoch"));
  record.step = static_cast<std::int64_t>(number_member(json, "step"));
  for (const EpochMember& member : kEpochMembers) record.*member.value = number_member(json, member.name);
  return record;
}

compute::TrainStepOptions step_options() {
  compute::TrainStepOptions options;
  options.optimizer = compute::OptimizerOptions::of(compute::OptimizerOptions::Kind::kAdamW);
  options.optimizer.weight_decay = kWeightDecay;
  return options;
}

std::string describe_digits_state(std::string_view name) {
  constexpr std::array<std::array<std::string_view, 2>, 8> kParameters = {{
      {"conv1.weight", "first convolution: [out channels, in channels, height, width]"},
      {"conv1.bias", "first convolution: added to each of its 32 channels"},
      {"conv2.weight", "second convolution: [out channels, in channels, height, width]"},
      {"conv2.bias", "second convolution: added to each of its 64 channels"},
      {"fc1.weight", "hidden layer: [128 out, 64 channels x 4 x 4 in]"},
      {"fc1.bias", "hidden layer: added to its 128 values"},
      {"fc2.weight", "last layer: [10 digits, 128 in]"},
      {"fc2.bias", "last layer: added to the score of each digit"},
  }};
  for (const auto& [parameter, about] : kParameters) {
    if (parameter == name) return std::string(about);
  }
  return compute::describe_state(name);
}

}  // namespace

Json TrainingOptions::to_json() const {
  return JsonObject{
      {"epochs", epochs}, {"seed", seed}, {"batch", batch}, {"learning_rate", learning_rate}, {"patience", patience}};
}

TrainingOptions TrainingOptions::from_json(const Json& json) {
  TrainingOptions options;
  options.epochs = static_cast<std::int64_t>(number_member(json, "epochs"));
  options.seed = static_cast<std::uint64_t>(number_member(json, "seed"));
  options.batch = static_cast<std::size_t>(number_member(json, "batch"));
  options.learning_rate = number_member(json, "learning_rate");
  options.patience = static_cast<std::int64_t>(number_member(json, "patience"));
  return options;
}

Json EpochRecord::to_json() const {
  JsonObject object{{"step", step}, {"epoch", epoch}};
  for (const EpochMember& member : kEpochMembers) object[member.name] = this->*member.value;
  return object;
}

TrainingOptions options_of(const compute::Checkpoint& checkpoint) {
  const Json notes = training_notes(checkpoint);
  const Json* options = notes.is_object() ? notes.get_object().if_contains("options") : nullptr;
  if (!options) refuse_checkpoint("it has no options");
  return TrainingOptions::from_json(*options);
}

class DigitsTraining::State {
 public:
  State(const std::filesystem::path& dataset, const compute::Context& context, TrainingOptions training_options,
        std::optional<compute::Checkpoint> checkpoint)
      : options(training_options),
        file(tensor::File::open(dataset.string())),
        split(compute::stratified_split(compute::digits_labels(file), kHeldOut, kSplitSeed)),
        store(checkpoint ? checkpoint->store : compute::Store(context, options.seed)),
        train_graph(compute::train_step(compute::digits_cnn(true), "loss", step_options())),
        train(compute::Plan::compile(train_graph, context.backend()), store),
        eval(compute::Plan::compile(compute::digits_cnn(false), context.backend()), store),
        train_data(compute::digits_dataset(file).subset(split.train), context,
                   {.batch_size = options.batch, .shuffle = true, .seed = options.seed}),
        eval_data(compute::digits_dataset(file).subset(split.held_out), context, {.batch_size = kHeldOut}) {
    if (checkpoint) {
      const Json notes = training_notes(*checkpoint);
      for (const Json& epoch : notes.at("history").as_array()) history.push_back(read_epoch(epoch));
    }
    const auto steps = static_cast<std::int64_t>(train_data.batches());
    schedule = compute::warm_up(compute::cosine_schedule(options.learning_rate, options.epochs * steps), steps, 0.1);
  }

  Tensor scalar(double value) const {
    return store.context().from<float>(std::array{static_cast<float>(value)}, {}, "learning rate");
  }

  std::int64_t epochs_since_best() const {
    const auto best = std::min_element(history.begin(), history.end(), [](const EpochRecord& a, const EpochRecord& b) {
      return a.held_out_loss < b.held_out_loss;
    });
    return history.end() - best - 1;
  }

  TrainingOptions options;
  tensor::File file;
  compute::Split split;
  compute::Store store;
  graph::Graph train_graph;
  compute::Session train, eval;
  compute::DataLoader train_data, eval_data;
  compute::Schedule schedule;
  std::vector<EpochRecord> history;
};

DigitsTraining::DigitsTraining(const std::filesystem::path& dataset, const compute::Context& context,
                               TrainingOptions options, std::optional<compute::Checkpoint> checkpoint)
    : state_(std::make_unique<State>(dataset, context, options, std::move(checkpoint))) {}
DigitsTraining::~DigitsTraining() = default;

const TrainingOptions& DigitsTraining::options() const { return state_->options; }
std::size_t DigitsTraining::images() const { return state_->split.train.size(); }
std::size_t DigitsTraining::held_out_images() const { return state_->split.held_out.size(); }

std::size_t DigitsTraining::parameters() const {
  std::int64_t count = 0;
  for (const auto& state : state_->train_graph.states) {
    if (state.trainable) count += graph::element_count(graph::evaluate(state.shape, {}));
  }
  return static_cast<std::size_t>(count);
}

bool DigitsTraining::stopped_early() const {
  return state_->options.patience > 0 && state_->epochs_since_best() >= state_->options.patience;
}

bool DigitsTraining::finished() const {
  return static_cast<std::int64_t>(state_->history.size()) >= state_->options.epochs || stopped_early();
}

const std::vector<EpochRecord>& DigitsTraining::history() const { return state_->history; }

const EpochRecord& DigitsTraining::run_epoch(const std::function<void(std::size_t)>& on_images) {
  State& self = *state_;
  EpochRecord record;
  const auto begin = std::chrono::steady_clock::now();
  record.epoch = static_cast<std::int64_t>(self.history.size()) + 1;
  record.step = self.history.empty() ? 0 : self.history.back().step;
  self.train_data.start(static_cast<std::uint64_t>(record.epoch));
  while (const auto batch = self.train_data.next()) {
    record.learning_rate = self.schedule(record.step);
    const auto outputs = self.train.run(std::array{batch->at(0), batch->at(1), self.scalar(record.learning_rate)});
    const double loss = outputs.at(0).to_vector<float>().at(0);
    ++record.step;
    if (!std::isfinite(loss)) {
      throw Error(compute::ComputeError::kNotFinite,
                  fmt::format("the loss of step {} is {}: try a lower --learning-rate", record.step, loss));
    }
    record.loss += loss / static_cast<double>(self.train_data.batches());
    on_images(static_cast<std::size_t>(batch->at(1).element_count()));
  }
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const Evaluation held_out = evaluate();
  record.held_out_loss = held_out.loss;
  record.accuracy = held_out.accuracy;
  self.history.push_back(record);
  return self.history.back();
}

Evaluation DigitsTraining::evaluate() {
  State& self = *state_;
  Evaluation result;
  result.confusion.assign(kClasses, std::vector<std::size_t>(kClasses));
  self.eval_data.start(0);
  const auto batch = self.eval_data.next();
  const auto outputs = self.eval.run(*batch);
  result.loss = outputs.at(0).to_vector<float>().at(0);
  const auto logits = outputs.at(1).to_vector<float>();
  const auto labels = batch->at(1).to_vector<std::int64_t>();
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * kClasses);
    const auto predicted =
        static_cast<std::size_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(kClasses)) - row);
    const auto label = static_cast<std::size_t>(labels[i]);
    ++result.confusion.at(label)[predicted];
    right += predicted == label ? 1 : 0;
  }
  result.accuracy = static_cast<double>(right) / static_cast<double>(labels.size());
  return result;
}

void DigitsTraining::save(const std::filesystem::path& checkpoint) const {
  JsonArray history;
  for (const EpochRecord& record : state_->history) history.push_back(record.to_json());
  const Json notes = JsonObject{{"options", state_->options.to_json()}, {"history", std::move(history)}};
  compute::save_checkpoint(
      checkpoint.string(), state_->store,
      {.describe = describe_digits_state,
       .metadata = {{"title", "alknet train digits: checkpoint"}, {std::string(kTrainingKey), json_text(notes)}}});
}

void DigitsTraining::save_model(const std::filesystem::path& model) const {
  const auto trained = [&](std::string_view name) {
    return std::any_of(state_->train_graph.states.begin(), state_->train_graph.states.end(),
                       [&](const graph::State& state) { return state.trainable && state.name == name; });
  };
  compute::save_checkpoint(
      model.string(), state_->store,
      {.describe = describe_digits_state,
       .include = trained,
       .metadata = {{"title", "alknet train digits: model"},
                    {"held_out_accuracy",
                     fmt::format("{:.4f}", state_->history.empty() ? 0.0 : state_->history.back().accuracy)}}});
}

}  // namespace alknet::app
