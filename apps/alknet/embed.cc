#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>

#include "alknet/base/files.h"
#include "alknet/base/progress.h"
#include "alknet/base/shortest_double.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/models/sentence_encoder.h"
#include "apps/alknet/models.h"
#include "apps/alknet/output.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

using compute::SentenceEncoder;

/// A matrix of more sentences than this is for programs, not for a terminal.
constexpr std::size_t kMaxTableSentences = 24;

struct EmbedOptions {
  std::vector<std::string> texts;
  std::string file;
  std::string device;
  std::string model;
  std::string trace;
  std::size_t batch = 32;
  bool normalize = true;
  bool similarity = true;
};

std::vector<std::string> read_lines(std::istream& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> gather_texts(const EmbedOptions& options) {
  std::vector<std::string> texts = options.texts;
  if (!options.file.empty()) {
    std::vector<std::string> lines;
    if (options.file == "-") {
      lines = read_lines(std::cin);
    } else {
      std::ifstream in(options.file);
      if (!in) throw io_error("cannot read", options.file, errno);
      lines = read_lines(in);
      if (in.bad()) throw io_error("cannot read", options.file, errno);
    }
    std::move(lines.begin(), lines.end(), std::back_inserter(texts));
  }
  if (texts.empty()) {
    throw UsageError("no sentences: give them as arguments, or one a line with --file FILE (- is standard input)");
  }
  return texts;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0.0;
}

Json similarity_matrix(const std::vector<SentenceEncoder::Sentence>& sentences) {
  JsonArray rows;
  for (const auto& a : sentences) {
    JsonArray row;
    for (const auto& b : sentences) row.push_back(shortest_double(static_cast<float>(cosine(a.vector, b.vector))));
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_document(const EmbedOptions& options, const std::string& device, std::size_t dim,
                    const std::vector<std::string>& texts, const std::vector<SentenceEncoder::Sentence>& sentences) {
  JsonArray list;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    JsonArray vector;
    for (const float x : sentences[i].vector) vector.push_back(shortest_double(x));
    JsonObject sentence{{"text", texts[i]},
                        {"tokens", JsonArray(sentences[i].tokens.begin(), sentences[i].tokens.end())},
                        {"vector", std::move(vector)}};
    if (sentences[i].truncated > 0) sentence["truncated"] = sentences[i].truncated;
    list.push_back(std::move(sentence));
  }
  JsonObject document{{"model", options.model}, {"dim", dim}, {"device", device}, {"sentences", std::move(list)}};
  if (options.similarity) document["similarity"] = similarity_matrix(sentences);
  print_json(document);
}

/// A number from 0 to 1 on a background from dark to bright green.
std::string shaded(double similarity, bool color) {
  const std::string text = fmt::format("{:5.2f}", similarity);
  if (!color) return text;
  constexpr int kShades[] = {236, 22, 28, 34, 40, 46};
  const int shade = kShades[std::clamp(static_cast<int>(similarity * 6), 0, 5)];
  return fmt::format("\x1b[48;5;{};38;5;{}m {} \x1b[0m", shade, shade >= 34 ? 16 : 255, text);
}

void print_matrix(const std::vector<std::string>& texts, const std::vector<SentenceEncoder::Sentence>& sentences,
                  bool color) {
  const std::size_t number_width = std::to_string(texts.size()).size();
  const std::size_t numbers = sentences.size() * 7;
  const std::size_t width = terminal_width();
  std::size_t text_width = 12;
  for (const std::string& text : texts) text_width = std::max(text_width, display_width(shorten(text, 1000)));
  text_width = std::min(text_width, std::max<std::size_t>(20, width > numbers + 8 ? width - numbers - 8 : 0));
  std::string out(number_width + 2 + text_width, ' ');
  for (std::size_t i = 0; i < texts.size(); ++i) out += fmt::format("  {:>5}", i + 1);
  out += '\n';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = shorten(texts[i], text_width);
    out += fmt::format("{:>{}}  {}{}", i + 1, number_width, text, std::string(text_width - display_width(text), ' '));
    for (const auto& other : sentences) {
      const double similarity = cosine(sentences[i].vector, other.vector);
      out += (color ? "" : "  ") + shaded(similarity, color);
    }
    out += '\n';
  }
  print(out);
}

/// For many sentences: each with the one most like it.
void print_nearest(const std::vector<std::string>& texts, const std::vector<SentenceEncoder::Sentence>& sentences,
                   bool color) {
  const std::size_t width = std::max<std::size_t>(20, (terminal_width() - 20) / 2);
  Table table({{"#", Table::Align::kRight}, {"SENTENCE"}, {"LIKE", Table::Align::kRight}, {"MOST SIMILAR"}});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::size_t best = i;
    double highest = -2;
    for (std::size_t j = 0; j < texts.size(); ++j) {
      const double similarity = j == i ? -2 : cosine(sentences[i].vector, sentences[j].vector);
      if (similarity > highest) {
        highest = similarity;
        best = j;
      }
    }
    table.add({std::to_string(i + 1), shorten(texts[i], width), fmt::format("{:.2f}", highest),
               fmt::format("{}: {}", best + 1, shorten(texts[best], width))});
  }
  print(table.text(color));
}

void embed(const EmbedOptions& options, const Globals& globals) {
  const std::vector<std::string> texts = gather_texts(options);
  const auto folder = resolve_model(options.model, globals);
  compute::Devices::Options device_options;
  device_options.robust = false;  // only generated kernels run here
  compute::Devices devices(device_options);
  const auto backend = devices.open(options.device);
  const compute::Context context(std::make_shared<compute::BufferManager>(), backend);
  const auto trace = options.trace.empty() ? nullptr : std::make_shared<compute::Trace>();
  SentenceEncoder encoder = SentenceEncoder::load(folder, context, {options.batch, options.normalize, trace});
  if (globals.verbose) print_note(fmt::format("plan for {}\n{}", backend->id(), encoder.plan().dump()));

  Progress progress("Embedding", texts.size(), Unit::kItems, !globals.quiet && texts.size() > options.batch);
  const auto sentences = encoder.embed(texts, [&](std::size_t count) { progress.advance(count); });
  progress.finish();
  if (trace) write_file(options.trace, json_text(trace->to_json()));
  for (std::size_t i = 0; i < sentences.size() && !globals.quiet; ++i) {
    if (sentences[i].truncated == 0) continue;
    print_note(fmt::format("sentence {} was cut to the model's {} tokens; {} were dropped", i + 1, encoder.max_length(),
                           sentences[i].truncated));
  }
  if (globals.json) return print_document(options, backend->id(), encoder.dim(), texts, sentences);
  const bool color = use_color(globals);
  if (!globals.quiet) {
    print(fmt::format("{}, {} dimensions, on {}\n\n", options.model, encoder.dim(), backend->id()));
  }
  texts.size() <= kMaxTableSentences ? print_matrix(texts, sentences, color) : print_nearest(texts, sentences, color);
}

}  // namespace

void add_embed(CLI::App& program, Globals& globals) {
  const auto options = std::make_shared<EmbedOptions>();
  CLI::App* command = program.add_subcommand("embed", "Turn sentences into vectors and show how alike they are");
  command->add_option("TEXT", options->texts, "Sentences");
  command->add_option("--file", options->file, "Sentences from a file, one a line; - is standard input");
  add_setting(*command, globals, "device", options->device);
  add_setting(*command, globals, "model", options->model);
  command->add_option("--batch", options->batch, "Sentences computed together")
      ->check(CLI::Range(1, 4096))
      ->default_str("32");
  command->add_option("--trace", options->trace,
                      "Write when each kernel ran to a file, for chrome://tracing or Perfetto");
  command->add_flag("--normalize,!--no-normalize", options->normalize, "Scale vectors to length 1 (default)");
  command->add_flag("--similarity,!--no-similarity", options->similarity,
                    "With --json: the similarity of every pair (default)");
  add_json_flag(*command, globals);
  set_examples(*command,
               "  alknet embed \"A dog runs in the park.\" \"A puppy is playing outside.\"\n"
               "  alknet embed --json --no-similarity --file sentences.txt > vectors.json\n");
  command->callback([options, &globals] { embed(*options, globals); });
}

}  // namespace alknet::app
