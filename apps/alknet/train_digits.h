#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/compute/data/dataset.h"
#include "alknet/compute/tensor.h"
#include "alknet/compute/training/checkpoint.h"

namespace alknet::app {

/// What decides the outcome of a training; kept in its checkpoints.
struct TrainingOptions {
  std::int64_t epochs = 20;
  std::uint64_t seed = 0;  ///< Of initial values and order. The split is always that of seed 0.
  std::size_t batch = 64;
  double learning_rate = 2e-3;  ///< The highest: it warms up over an epoch and falls along a cosine.
  std::int64_t patience = 0;    ///< Stop after so many epochs without a lower held-out loss; 0: never.

  Json to_json() const;
  /// Throws Error `model_invalid`.
  static TrainingOptions from_json(const Json& json);
};

/// How well a model does on the held-out digits.
struct Evaluation {
  double loss = 0;
  double accuracy = 0;
  std::vector<std::vector<std::size_t>> confusion;  ///< [true][predicted]
};

/// One epoch; held-out figures are those after it.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< Counted from 1.
  std::int64_t step = 0;   ///< Steps taken since the beginning.
  double loss = 0;         ///< Mean over the epoch's batches.
  double held_out_loss = 0;
  double accuracy = 0;       ///< Held out.
  double learning_rate = 0;  ///< Of the last step.
  double seconds = 0;        ///< Of the epoch's steps, without the evaluation.

  Json to_json() const;
};

/// Trains the network of compute::digits_cnn on the handwritten digits. One thread at a time.
class DigitsTraining {
 public:
  /// `dataset` is the metatensor that `alknet data pull digits` makes. With a checkpoint, goes on where it was written.
  DigitsTraining(const std::filesystem::path& dataset, const compute::Context& context, TrainingOptions options,
                 std::optional<compute::Checkpoint> checkpoint = {});
  ~DigitsTraining();

  const TrainingOptions& options() const;
  std::size_t images() const;  ///< In an epoch.
  std::size_t held_out_images() const;
  std::size_t parameters() const;  ///< Trainable numbers.

  /// True when all epochs are done or patience is at its end.
  bool finished() const;
  /// Whether patience ended it.
  bool stopped_early() const;

  /// One epoch over the training images, then the evaluation. `on_images` is told of images done.
  const EpochRecord& run_epoch(const std::function<void(std::size_t)>& on_images);

  const std::vector<EpochRecord>& history() const;
  Evaluation evaluate();

  /// Everything that `resume` needs, and the model alone.
  void save(const std::filesystem::path& checkpoint) const;
  void save_model(const std::filesystem::path& model) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The options in a checkpoint of such a training. Throws Error `model_invalid`.
TrainingOptions options_of(const compute::Checkpoint& checkpoint);

}  // namespace alknet::app
