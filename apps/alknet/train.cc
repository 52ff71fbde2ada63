#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "alknet/base/files.h"
#include "alknet/base/progress.h"
#include "alknet/compute/devices.h"
#include "apps/alknet/charts.h"
#include "apps/alknet/datasets.h"
#include "apps/alknet/output.h"
#include "apps/alknet/settings.h"
#include "apps/alknet/train_digits.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

struct TrainCommand {
  TrainingOptions training;
  std::string device;
  std::string out, resume, metrics, plots;
  std::size_t threads = 0;
  std::vector<CLI::Option*> fixed;  ///< Options that a checkpoint decides.
};

/// Where a training leaves its files; empty paths: nowhere.
struct TrainFiles {
  fs::path checkpoint, model, metrics, plots;
};

TrainFiles train_files(const TrainCommand& command) {
  TrainFiles files;
  const fs::path out = command.out.empty() ? command.resume : command.out;
  if (!out.empty()) {
    make_folders(out);
    files = {out / "checkpoint.mt", out / "model.mt", out / "metrics.jsonl", out};
  }
  if (!command.metrics.empty()) files.metrics = command.metrics;
  if (!command.plots.empty()) {
    make_folders(command.plots);
    files.plots = command.plots;
  }
  return files;
}

std::string history_lines(const DigitsTraining& training) {
  std::string lines;
  for (const EpochRecord& record : training.history()) lines += json_text(record.to_json()) + "\n";
  return lines;
}

void write_drawing(const Drawing& drawing, const fs::path& folder, const std::string& name) {
  alknet::write_file(folder / (name + ".svg"), drawing.svg());
  alknet::write_file(folder / (name + ".png"), drawing.png());
}

void write_plots(const DigitsTraining& training, const Evaluation& evaluation, const fs::path& folder) {
  Series loss{"training", {}}, held_out_loss{"held out", {}}, accuracy{"held out", {}};
  for (const EpochRecord& record : training.history()) {
    loss.values.push_back(record.loss);
    held_out_loss.values.push_back(record.held_out_loss);
    accuracy.values.push_back(record.accuracy * 100);
  }
  const std::string seed = fmt::format("seed {}", training.options().seed);
  write_drawing(line_chart("Loss, " + seed, "epoch", "cross entropy", {loss, held_out_loss}), folder, "loss");
  write_drawing(line_chart("Accuracy, " + seed, "epoch", "% of held-out digits", {accuracy}), folder, "accuracy");
  write_drawing(confusion_matrix(fmt::format("Held-out digits, {}: {:.2f} % right", seed, evaluation.accuracy * 100),
                                 evaluation.confusion),
                folder, "confusion");
}

Json summary(const DigitsTraining& training, const Evaluation& evaluation, double seconds, double images_per_second) {
  JsonArray confusion;
  for (const auto& row : evaluation.confusion) confusion.emplace_back(JsonArray(row.begin(), row.end()));
  return JsonObject{{"accuracy", evaluation.accuracy},        {"loss", evaluation.loss},
                    {"epochs", training.history().size()},    {"stopped_early", training.stopped_early()},
                    {"parameters", training.parameters()},    {"seconds", seconds},
                    {"images_per_second", images_per_second}, {"confusion", std::move(confusion)}};
}

constexpr std::string_view kEpochHeader = "EPOCH    LOSS  HELD-OUT LOSS    RIGHT\n";

std::string epoch_line(const EpochRecord& record) {
  return fmt::format("{:5}  {:6.4f}  {:13.4f}  {:5.2f} %\n", record.epoch, record.loss, record.held_out_loss,
                     record.accuracy * 100);
}

/// Where to look for what a training made.
std::string kept_text(const TrainFiles& files) {
  std::string text;
  if (!files.model.empty()) text += fmt::format("model     {}\n", files.model.string());
  if (!files.metrics.empty()) text += fmt::format("figures   {}\n", files.metrics.string());
  if (!files.plots.empty()) {
    text += fmt::format("pictures  {}, accuracy.png, confusion.png; the same as .svg\n",
                        (files.plots / "loss.png").string());
  }
  return text.empty() ? "nothing was kept: --out FOLDER keeps the model, the figures and pictures\n" : text;
}

/// Why a learning rate is none; empty for good ones. CLI::Range would let NaN through.
std::string refuse_learning_rate(const std::string& text) {
  double rate = 0;
  const bool is_rate = CLI::detail::lexical_cast(text, rate) && rate > 0 && rate <= 1000;
  return is_rate ? "" : fmt::format("{} is no number above 0 and at most 1000", text);
}

/// The training that the options or the checkpoint say.
DigitsTraining make_training(TrainCommand& command, const compute::Context& context, const Globals& globals) {
  const fs::path dataset = resolve_dataset("digits", globals);
  if (command.resume.empty()) return {dataset, context, command.training};
  for (const CLI::Option* option : command.fixed) {
    if (option->count() > 0) {
      throw UsageError(
          fmt::format("{} is what the checkpoint in {} says: leave it out", option->get_name(), command.resume));
    }
  }
  const fs::path path = fs::path(command.resume) / "checkpoint.mt";
  if (!fs::exists(path)) {
    throw UsageError(fmt::format("there is no {}: give the folder that --out named", path.string()));
  }
  compute::Checkpoint checkpoint = compute::load_checkpoint(path.string(), context);
  TrainingOptions options = options_of(checkpoint);
  return {dataset, context, options, std::move(checkpoint)};
}

void train_digits(TrainCommand& command, const Globals& globals) {
  compute::Devices::Options device_options;
  device_options.robust = false;  // only generated kernels run here
  device_options.threads = command.threads;
  compute::Devices devices(device_options);
  const auto backend = devices.open(command.device);
  const compute::Context context(std::make_shared<compute::BufferManager>(), backend);
  DigitsTraining training = make_training(command, context, globals);
  const TrainFiles files = train_files(command);
  const bool report = !globals.json && !globals.quiet;
  if (report) {
    print(fmt::format("{} parameters, {} images an epoch, {} held out, on {}\n\n{}", training.parameters(),
                      training.images(), training.held_out_images(), backend->id(), kEpochHeader));
  }

  double seconds = 0;
  std::size_t images = 0;
  while (!training.finished()) {
    Progress progress(fmt::format("Epoch {} of {}", training.history().size() + 1, training.options().epochs),
                      training.images(), Unit::kItems, !globals.quiet);
    const EpochRecord& record = training.run_epoch([&](std::size_t count) { progress.advance(count); });
    progress.finish();
    seconds += record.seconds;
    images += training.images();
    if (globals.json) print(json_text(record.to_json()) + "\n");
    if (report) print(epoch_line(record));
    if (!files.checkpoint.empty()) training.save(files.checkpoint);
    if (!files.metrics.empty()) alknet::write_file(files.metrics, history_lines(training));
  }

  const Evaluation evaluation = training.evaluate();
  const double rate = seconds > 0 ? static_cast<double>(images) / seconds : 0;
  const Json result = summary(training, evaluation, seconds, rate);
  if (!files.model.empty()) training.save_model(files.model);
  if (!files.metrics.empty()) alknet::write_file(files.metrics, history_lines(training) + json_text(result) + "\n");
  if (!files.plots.empty()) write_plots(training, evaluation, files.plots);
  if (globals.json) return print(json_text(result) + "\n");
  print(fmt::format("{}{:.2f} % of the held-out digits are right after epoch {}{}{}\n", report ? "\n" : "",
                    evaluation.accuracy * 100, training.history().size(),
                    training.stopped_early() ? " (stopped early)" : "",
                    images > 0 ? fmt::format("; {:.1f} s, {:.0f} images/s", seconds, rate) : ""));
  if (report) print(kept_text(files));
}

}  // namespace

void add_train(CLI::App& program, Globals& globals) {
  CLI::App* group = program.add_subcommand("train", "Train models");
  group->require_subcommand(1);
  set_examples(*group,
               "  alknet train digits\n"
               "  alknet train digits --epochs 5 --out run && alknet tensor info run/model.mt\n");

  const auto options = std::make_shared<TrainCommand>();
  CLI::App* command = group->add_subcommand("digits", "Train a convolutional network on handwritten digits");
  TrainingOptions& training = options->training;
  add_setting(*command, globals, "device", options->device);
  options->fixed = {
      command->add_option("--epochs", training.epochs, "Times to go over the training images")
          ->check(CLI::Range(1, 100000))
          ->default_str("20"),
      command->add_option("--seed", training.seed, "Of the initial values and the order of images")
          ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 53))
          ->default_str("0"),
      command->add_option("--batch", training.batch, "Images in a step")->check(CLI::Range(1, 1437))->default_str("64"),
      command->add_option("--learning-rate", training.learning_rate, "The highest; it warms up and falls as a cosine")
          ->check(CLI::Validator(refuse_learning_rate, "FLOAT above 0, at most 1000"))
          ->default_str("0.002"),
      command
          ->add_option("--patience", training.patience,
                       "Stop after so many epochs without a lower held-out loss; 0: never")
          ->check(CLI::Range(0, 100000))
          ->default_str("0"),
  };
  command->add_option("--threads", options->threads, "Of the CPU; 0: all")
      ->check(CLI::Range(0, 1024))
      ->default_str("0");
  command->add_option("--out", options->out,
                      "Folder for checkpoint.mt (each epoch), model.mt, metrics.jsonl and plots");
  command->add_option("--resume", options->resume, "Go on with the checkpoint in this folder");
  command->add_option("--metrics", options->metrics, "File for the figures of each epoch, as JSON Lines");
  command->add_option("--plots", options->plots, "Folder for loss, accuracy and confusion as PNG and SVG");
  command->add_flag("--json", globals.json, "Print JSON Lines: one an epoch, and the result");
  set_examples(*command,
               "  alknet train digits --seed 1 --out run\n"
               "  alknet train digits --resume run\n"
               "  alknet train digits --json --epochs 3 | tail -1\n");
  command->callback([options, &globals] { train_digits(*options, globals); });
}

}  // namespace alknet::app
