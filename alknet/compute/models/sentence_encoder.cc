#include "alknet/compute/models/sentence_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/compute/error.h"
#include "alknet/compute/models/bert.h"
#include "alknet/compute/session.h"
#include "alknet/compute/tokenizer/tokenizer.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

constexpr std::uint64_t kMaxConfigBytes = 1 << 20;

/// What a run costs beside its tokens, in tokens: above all the weights are read.
constexpr std::size_t kRunTokens = 24;

/// Names the model's file in whatever went wrong while reading it.
template <typename Read>
auto reading(const std::filesystem::path& file, Read&& read) {
  try {
    return read(file);
  } catch (const Error& error) {
    throw Error(ComputeError::kModelInvalid,
                fmt::format("{}: {}; run `alknet model pull` again or name another folder with --model", file.string(),
                            error.message()),
                error.details());
  }
}

Json read_config(const std::filesystem::path& file) {
  return reading(file, [](const auto& path) { return parse_json(read_file(path, kMaxConfigBytes)); });
}

/// The longest sentence in tokens: what sentence_bert_config.json says, within the position table.
std::size_t read_max_length(const std::filesystem::path& folder, const BertConfig& config) {
  const auto file = folder / "sentence_bert_config.json";
  auto length = config.max_position_embeddings;
  if (std::filesystem::exists(file)) {
    const Json json = read_config(file);
    const Json* member = json.is_object() ? json.get_object().if_contains("max_seq_length") : nullptr;
    if (!member || !member->is_int64() || member->get_int64() < 2) {
      throw Error(ComputeError::kModelInvalid,
                  fmt::format("{}: \"max_seq_length\" must be an integer of at least 2", file.string()));
    }
    length = std::min(length, member->get_int64());
  }
  return static_cast<std::size_t>(length);
}

void require_mean_pooling(const std::filesystem::path& folder) {
  const auto file = folder / "1_Pooling" / "config.json";
  if (!std::filesystem::exists(file)) return;
  const Json json = read_config(file);
  for (const auto& [key, value] : json.as_object()) {
    if (!key.starts_with("pooling_mode_")) continue;
    if (value != Json(key == "pooling_mode_mean_tokens")) {
      throw Error(ComputeError::kModelInvalid, fmt::format("{}: \"{}\" is {}; only mean pooling is supported",
                                                           file.string(), std::string_view(key), json_text(value)));
    }
  }
}

/// Mean over the tokens that the mask keeps: f32 [batch, hidden].
Ref mean_pooling(GraphBuilder& graph, const Ref& hidden, const Ref& mask) {
  const auto scope = graph.scope("pooling");
  const Ref weights = graph.node("unsqueeze", {mask}, {{"dim", 2}});
  const Ref total = graph.node("sum", {graph.node("mul", {hidden, weights})}, {{"dim", JsonArray{1}}});
  const Ref count = graph.node("sum", {weights}, {{"dim", JsonArray{1}}});
  return graph.node("div", {total, graph.node("maximum", {count, Scalar::of(1e-9)})});
}

Ref l2_normalize(GraphBuilder& graph, const Ref& vectors) {
  const auto scope = graph.scope("normalize");
  const Ref squares = graph.node("mul", {vectors, vectors});
  const Ref sum = graph.node("sum", {squares}, {{"dim", JsonArray{1}}, {"keepdim", true}});
  const Ref norm = graph.node("maximum", {graph.node("sqrt", {sum}), Scalar::of(1e-12)});
  return graph.node("div", {vectors, norm});
}

graph::Graph sentence_graph(const BertConfig& config, bool normalize) {
  GraphBuilder graph;
  graph.dim("batch", 1, std::nullopt);
  graph.dim("seq", 1, config.max_position_embeddings);
  const graph::SymbolicShape shape = {Dim::symbol("batch"), Dim::symbol("seq")};
  const Ref ids = graph.input("input_ids", Dtype::kI32, shape);
  const Ref mask = graph.input("attention_mask", Dtype::kF32, shape);
  const Ref pooled = mean_pooling(graph, add_bert_encoder(graph, config, ids, mask), mask);
  graph.output("sentence_embedding", normalize ? l2_normalize(graph, pooled) : pooled);
  return std::move(graph).build();
}

/// Cuts lengths that never grow into batches of at most `most`: returns the places where they begin, last first, such
/// that what is computed, padding and the cost of runs included, is least.
std::vector<std::size_t> divide_by_length(std::span<const std::size_t> lengths, std::size_t most) {
  std::vector<std::size_t> least(lengths.size() + 1, 0), begin(lengths.size() + 1, 0);
  for (std::size_t end = 1; end <= lengths.size(); ++end) {
    least[end] = std::numeric_limits<std::size_t>::max();
    for (std::size_t count = 1; count <= std::min(most, end); ++count) {
      const std::size_t cost = least[end - count] + count * lengths[end - count] + kRunTokens;
      if (cost > least[end]) continue;
      least[end] = cost;
      begin[end] = end - count;
    }
  }
  std::vector<std::size_t> places;
  for (std::size_t end = lengths.size(); end > 0; end = begin[end]) places.push_back(begin[end]);
  return places;
}

}  // namespace

struct SentenceEncoder::Impl {
  Impl(const std::filesystem::path& folder, Context model_context, const Options& encoder_options)
      : context(std::move(model_context)),
        options(encoder_options),
        config(reading(
            folder / "config.json",
            [](const auto& path) { return BertConfig::from_json(parse_json(read_file(path, kMaxConfigBytes))); })),
        max_length(read_max_length(folder, config)),
        tokenizer(reading(folder / "tokenizer.json", [](const auto& path) { return Tokenizer::load(path); })),
        pad(tokenizer.pad_id().value_or(0)),
        plan(Plan::compile(sentence_graph(config, options.normalize), context.backend())),
        session(plan,
                reading(folder / "model.safetensors",
                        [&](const auto& path) {
                          Store store(context);
                          store.add_file(tensor::File::open(path.string()));
                          return store;
                        }),
                {.trace = options.trace}) {
    require_mean_pooling(folder);
  }

  void embed_batch(std::span<Sentence* const> sentences) {
    std::size_t longest = 1;
    for (const Sentence* sentence : sentences) longest = std::max(longest, sentence->tokens.size());
    std::vector<std::int32_t> ids(sentences.size() * longest, pad);
    std::vector<float> mask(ids.size(), 0.0f);
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      const auto& tokens = sentences[i]->tokens;
      std::copy(tokens.begin(), tokens.end(), ids.begin() + static_cast<std::ptrdiff_t>(i * longest));
      std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(i * longest), tokens.size(), 1.0f);
    }
    const Shape shape = {static_cast<std::int64_t>(sentences.size()), static_cast<std::int64_t>(longest)};
    const std::array inputs = {context.from<std::int32_t>(ids, shape, "input_ids"),
                               context.from<float>(mask, shape, "attention_mask")};
    const auto vectors = session.run(inputs).front().to_vector<float>();
    const auto dim = static_cast<std::ptrdiff_t>(config.hidden_size);
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(i) * dim;
      sentences[i]->vector.assign(begin, begin + dim);
    }
  }

  Context context;
  Options options;
  BertConfig config;
  std::size_t max_length;
  Tokenizer tokenizer;
  std::int32_t pad;
  std::shared_ptr<const Plan> plan;
  Session session;
};

SentenceEncoder::SentenceEncoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SentenceEncoder::~SentenceEncoder() = default;
SentenceEncoder::SentenceEncoder(SentenceEncoder&&) noexcept = default;
SentenceEncoder& SentenceEncoder::operator=(SentenceEncoder&&) noexcept = default;

SentenceEncoder SentenceEncoder::load(const std::filesystem::path& folder, Context context, const Options& options) {
  if (options.batch == 0) throw Error(BaseError::kInvalidArgument, "the batch size must be at least 1");
  return SentenceEncoder(std::make_unique<Impl>(folder, std::move(context), options));
}

std::vector<SentenceEncoder::Sentence> SentenceEncoder::embed(std::span<const std::string> texts,
                                                              const std::function<void(std::size_t)>& on_progress) {
  std::vector<Sentence> sentences(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    try {
      auto encoding = impl_->tokenizer.encode(texts[i], impl_->max_length);
      sentences[i].tokens = std::move(encoding.ids);
      sentences[i].truncated = encoding.truncated;
    } catch (const Error& error) {
      throw Error(ComputeError::kInvalidText, fmt::format("sentence {}: {}", i + 1, error.message()), error.details());
    }
  }
  std::vector<Sentence*> by_length;
  for (Sentence& sentence : sentences) by_length.push_back(&sentence);
  std::stable_sort(by_length.begin(), by_length.end(),
                   [](const Sentence* a, const Sentence* b) { return a->tokens.size() > b->tokens.size(); });
  std::vector<std::size_t> lengths;
  for (const Sentence* sentence : by_length) lengths.push_back(sentence->tokens.size());
  auto places = divide_by_length(lengths, impl_->options.batch);
  for (std::size_t begin = 0; begin < by_length.size();) {
    places.pop_back();
    const std::size_t end = places.empty() ? by_length.size() : places.back();
    impl_->embed_batch(std::span(by_length).subspan(begin, end - begin));
    if (on_progress) on_progress(end - begin);
    begin = end;
  }
  return sentences;
}

std::size_t SentenceEncoder::dim() const { return static_cast<std::size_t>(impl_->config.hidden_size); }
std::size_t SentenceEncoder::max_length() const { return impl_->max_length; }
const Plan& SentenceEncoder::plan() const { return *impl_->plan; }

}  // namespace alknet::compute
