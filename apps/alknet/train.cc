#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "alknet/base/files.h"
#include "alknet/base/progress.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/training/recovery.h"
#include "alknet/gpu/error.h"
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

/// The checkpoint that a training begins with; empty: none.
fs::path first_checkpoint(const TrainCommand& command) {
  if (command.resume.empty()) return {};
  for (const CLI::Option* option : command.fixed) {
    if (option->count() > 0) {
      throw UsageError(
          fmt::format("{} is what the checkpoint in {} says: leave it out", option->get_name(), command.resume));
    }
  }
  fs::path path = fs::path(command.resume) / "checkpoint.mt";
  if (!fs::exists(path)) {
    throw UsageError(fmt::format("there is no {}: give the folder that --out named", path.string()));
  }
  return path;
}

/// `alknet train digits`: makes the training, runs it and leaves its files. When the device is lost, the next attempt
/// goes on from the last checkpoint.
class TrainRun {
 public:
  TrainRun(const TrainCommand& command, const Globals& globals)
      : command_(command),
        globals_(globals),
        report_(!globals.json && !globals.quiet),
        devices_({.threads = command.threads, .robust = false}),  // only generated kernels run here
        checkpoint_(first_checkpoint(command)) {}

  void run() {
    const bool keeps = !command_.out.empty() || !command_.resume.empty();
    const auto finish = [&] { attempt(); };
    if (keeps) {
      compute::run_with_recovery(
          finish, {.progress = [&] { return saved_; }, .on_loss = [&](const Error& error) { tell(error); }});
    } else {
      try {
        attempt();
      } catch (const Error& error) {
        if (error.code() != make_error_code(gpu::GpuError::kDeviceLost)) throw;
        throw Error(error.code(), error.message() + ". With --out FOLDER a training goes on from its last epoch",
                    error.details());
      }
    }
  }

 private:
  void attempt() {
    const auto backend = devices_.open(command_.device);
    const compute::Context context(std::make_shared<compute::BufferManager>(), backend);
    const auto training = make_training(context);
    files_ = train_files(command_);
    if (report_ && !begun_) {
      print(fmt::format("{} parameters, {} images an epoch, {} held out, on {}\n\n{}", training->parameters(),
                        training->images(), training->held_out_images(), backend->id(), kEpochHeader));
    }
    begun_ = true;
    while (!training->finished()) epoch(*training);
    finish(*training);
  }

  std::unique_ptr<DigitsTraining> make_training(const compute::Context& context) const {
    const fs::path dataset = resolve_dataset("digits", globals_);
    if (checkpoint_.empty()) return std::make_unique<DigitsTraining>(dataset, context, command_.training);
    compute::Checkpoint checkpoint = compute::load_checkpoint(checkpoint_.string(), context);
    const TrainingOptions options = options_of(checkpoint);
    return std::make_unique<DigitsTraining>(dataset, context, options, std::move(checkpoint));
  }

  void epoch(DigitsTraining& training) {
    Progress progress(fmt::format("Epoch {} of {}", training.history().size() + 1, training.options().epochs),
                      training.images(), Unit::kItems, !globals_.quiet);
    const EpochRecord& record = training.run_epoch([&](std::size_t count) { progress.advance(count); });
    progress.finish();
    if (!files_.checkpoint.empty()) {
      training.save(files_.checkpoint);
      checkpoint_ = files_.checkpoint;
      saved_ = record.epoch;
    }
    seconds_ += record.seconds;
    images_ += training.images();
    if (globals_.json) print(json_text(record.to_json()) + "\n");
    if (report_) print(epoch_line(record));
    if (!files_.metrics.empty()) alknet::write_file(files_.metrics, history_lines(training));
  }

  void finish(DigitsTraining& training) const {
    const Evaluation evaluation = training.evaluate();
    const double rate = seconds_ > 0 ? static_cast<double>(images_) / seconds_ : 0;
    const Json result = summary(training, evaluation, seconds_, rate);
    if (!files_.model.empty()) training.save_model(files_.model);
    if (!files_.metrics.empty()) alknet::write_file(files_.metrics, history_lines(training) + json_text(result) + "\n");
    if (!files_.plots.empty()) write_plots(training, evaluation, files_.plots);
    if (globals_.json) return print(json_text(result) + "\n");
    print(fmt::format("{}{:.2f} % of the held-out digits are right after epoch {}{}{}\n", report_ ? "\n" : "",
                      evaluation.accuracy * 100, training.history().size(),
                      training.stopped_early() ? " (stopped early)" : "",
                      images_ > 0 ? fmt::format("; {:.1f} s, {:.0f} images/s", seconds_, rate) : ""));
    if (report_) print(kept_text(files_));
  }

  void tell(const Error& error) const {
    print_note(fmt::format("{}; going on {}", error.message(),
                           checkpoint_.empty() ? "from the beginning" : "from " + checkpoint_.string()));
  }

  const TrainCommand& command_;
  const Globals& globals_;
  bool report_;
  compute::Devices devices_;
  fs::path checkpoint_;  ///< To begin with, or to go on from.
  TrainFiles files_;
  std::int64_t saved_ = 0;  ///< Epochs that the checkpoint of this run has.
  double seconds_ = 0;
  std::size_t images_ = 0;
  bool begun_ = false;
};

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
  command->callback([options, &globals] { TrainRun(*options, globals).run(); });
}

}  // namespace alknet::app
