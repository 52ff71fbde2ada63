#include "alknet/compute/models/sentence_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "alknet/base/await.h"
#include "alknet/base/error.h"
#include "alknet/compute/arriving_session.h"
#include "alknet/compute/error.h"
#include "alknet/compute/models/bert.h"
#include "alknet/compute/tokenizer/tokenizer.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::GraphBuilder;
using graph::Ref;

/// What a run costs beside its tokens, in tokens: above all the weights are read.
constexpr std::size_t kRunTokens = 24;

constexpr std::string_view kWeights = "model.safetensors";

[[noreturn]] void invalid(const std::string& place, std::string_view file, const std::string& message,
                          const Json& details = nullptr) {
  throw Error(
      ComputeError::kModelInvalid,
      fmt::format("{}/{}: {}; run `alknet model pull` again or name another folder with --model", place, file, message),
      details);
}

/// Names the model's file in whatever went wrong while reading it.
template <typename Read>
auto reading(const std::string& place, std::string_view file, Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    invalid(place, file, error.message(), error.details());
  }
}

/// What `read` makes of the text of a file that must be there.
template <typename Read>
auto reading(const ModelFiles& files, std::string_view file, Read&& read) {
  const auto found = files.texts.find(file);
  if (found == files.texts.end()) invalid(files.place, file, "the file is missing");
  return reading(files.place, file, [&] { return read(found->second); });
}

Json read_config(const ModelFiles& files, std::string_view file) {
  return reading(files, file, [](const std::string& text) { return parse_json(text); });
}

/// The longest sentence in tokens: what sentence_bert_config.json says, within the position table.
std::size_t read_max_length(const ModelFiles& files, const BertConfig& config) {
  constexpr std::string_view kFile = "sentence_bert_config.json";
  auto length = config.max_position_embeddings;
  if (files.texts.contains(kFile)) {
    const Json json = read_config(files, kFile);
    const Json* member = json.is_object() ? json.get_object().if_contains("max_seq_length") : nullptr;
    if (!member || !member->is_int64() || member->get_int64() < 2) {
      invalid(files.place, kFile, "\"max_seq_length\" must be an integer of at least 2");
    }
    length = std::min(length, member->get_int64());
  }
  return static_cast<std::size_t>(length);
}

void require_mean_pooling(const ModelFiles& files) {
  constexpr std::string_view kFile = "1_Pooling/config.json";
  if (!files.texts.contains(kFile)) return;
  const Json json = read_config(files, kFile);
  if (!json.is_object()) invalid(files.place, kFile, "must be an object");
  for (const auto& [key, value] : json.get_object()) {
    if (!key.starts_with("pooling_mode_")) continue;
    if (value != Json(key == "pooling_mode_mean_tokens")) {
      invalid(files.place, kFile,
              fmt::format("\"{}\" is {}; only mean pooling is supported", std::string_view(key), json_text(value)));
    }
  }
}

Store store_of(const std::string& place, const Context& context, tensor::File file, const graph::Graph& graph) {
  for (const graph::State& state : graph.states) {
    if (file.find(state.name) == nullptr) invalid(place, kWeights, fmt::format("it has no tensor {}", state.name));
  }
  Store store(context);
  store.add_file(std::move(file));
  return store;
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

/// A graph on token ids, with the encoder's last hidden state to add an output of.
class TokenGraph {
 public:
  explicit TokenGraph(const BertConfig& config) {
    graph.dim("batch", 1, std::nullopt);
    graph.dim("seq", 1, config.max_position_embeddings);
    const graph::SymbolicShape shape = {Dim::symbol("batch"), Dim::symbol("seq")};
    const Ref ids = graph.input("input_ids", Dtype::kI32, shape);
    mask = graph.input("attention_mask", Dtype::kF32, shape);
    hidden = add_bert_encoder(graph, config, ids, mask);
  }

  GraphBuilder graph;
  Ref mask, hidden;
};

graph::Graph sentence_graph(const BertConfig& config, bool normalize) {
  TokenGraph tokens(config);
  const Ref pooled = mean_pooling(tokens.graph, tokens.hidden, tokens.mask);
  tokens.graph.output("sentence_embedding", normalize ? l2_normalize(tokens.graph, pooled) : pooled);
  return std::move(tokens.graph).build();
}

graph::Graph hidden_graph(const BertConfig& config) {
  TokenGraph tokens(config);
  tokens.graph.output("last_hidden_state", tokens.hidden);
  return std::move(tokens.graph).build();
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
  /// A null source: `file` is all there.
  Impl(const ModelFiles& files, const Context& model_context, const Options& encoder_options,
       std::shared_ptr<tensor::Source> weights, tensor::File file)
      : context(model_context),
        options(encoder_options),
        config(reading(files, "config.json", [](const auto& text) { return BertConfig::from_json(parse_json(text)); })),
        max_length(read_max_length(files, config)),
        tokenizer(reading(files, "tokenizer.json", Tokenizer::parse)),
        pad(tokenizer.pad_id().value_or(0)),
        source(std::move(weights)),
        embedding_graph(sentence_graph(config, options.normalize)),
        store(store_of(files.place, context, std::move(file), embedding_graph)),
        embedding(on_tensors(embedding_graph)) {
    require_mean_pooling(files);
  }

  ArrivingSession on_tensors(const graph::Graph& graph) const {
    return {Plan::compile(graph, context.backend()), store, source, {.trace = options.trace}};
  }

  std::vector<Tensor> inputs_of(const TokenBatch& tokens) const {
    const Shape shape = {tokens.batch, tokens.seq};
    std::vector<Tensor> inputs;
    inputs.push_back(context.from<std::int32_t>(tokens.ids, shape, "input_ids"));
    inputs.push_back(context.from<float>(tokens.mask, shape, "attention_mask"));
    return inputs;
  }

  void take_vectors(std::span<Sentence* const> sentences, const Tensor& embedded) const {
    const auto vectors = embedded.to_vector<float>();
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
  std::shared_ptr<tensor::Source> source;  // null when all tensors are there
  graph::Graph embedding_graph;
  Store store;
  ArrivingSession embedding;
  std::optional<ArrivingSession> hidden;  // made when it is first asked for
};

SentenceEncoder::SentenceEncoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SentenceEncoder::~SentenceEncoder() = default;
SentenceEncoder::SentenceEncoder(SentenceEncoder&&) noexcept = default;
SentenceEncoder& SentenceEncoder::operator=(SentenceEncoder&&) noexcept = default;

namespace {

void require_batch(const SentenceEncoder::Options& options) {
  if (options.batch == 0) throw Error(BaseError::kInvalidArgument, "the batch size must be at least 1");
}

}  // namespace

SentenceEncoder SentenceEncoder::load(const std::filesystem::path& folder, Context context, const Options& options) {
  require_batch(options);
  const std::string place = folder.string();
  const auto files = reading(place, "", [&] { return ModelFiles::of_folder(folder); });
  if (!files.texts.contains("config.json")) invalid(place, "config.json", "the file is missing");
  auto file = reading(place, kWeights, [&] { return tensor::File::open((folder / kWeights).string()); });
  return SentenceEncoder(std::make_unique<Impl>(files, context, options, nullptr, std::move(file)));
}

SentenceEncoder SentenceEncoder::load(const ModelFiles& files, std::shared_ptr<tensor::Source> source, Context context,
                                      const Options& options) {
  require_batch(options);
  tensor::File file = source->file();
  return SentenceEncoder(std::make_unique<Impl>(files, context, options, std::move(source), std::move(file)));
}

std::vector<SentenceEncoder::Sentence> SentenceEncoder::tokenize(std::span<const std::string> texts) const {
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
  return sentences;
}

SentenceEncoder::TokenBatch SentenceEncoder::padded(std::span<const Sentence* const> sentences) const {
  std::size_t longest = 1;
  for (const Sentence* sentence : sentences) longest = std::max(longest, sentence->tokens.size());
  TokenBatch batch{static_cast<std::int64_t>(sentences.size()), static_cast<std::int64_t>(longest), {}, {}};
  batch.ids.assign(sentences.size() * longest, impl_->pad);
  batch.mask.assign(batch.ids.size(), 0.0f);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const auto& tokens = sentences[i]->tokens;
    std::copy(tokens.begin(), tokens.end(), batch.ids.begin() + static_cast<std::ptrdiff_t>(i * longest));
    std::fill_n(batch.mask.begin() + static_cast<std::ptrdiff_t>(i * longest), tokens.size(), 1.0f);
  }
  return batch;
}

std::vector<SentenceEncoder::Sentence> SentenceEncoder::embed(std::span<const std::string> texts,
                                                              const std::function<void(std::size_t)>& on_progress) {
  ManualExecutor executor;
  return run_until_done(executor, embed_arriving({texts.begin(), texts.end()}, on_progress));
}

Task<std::vector<SentenceEncoder::Sentence>> SentenceEncoder::embed_arriving(
    std::vector<std::string> texts, std::function<void(std::size_t)> on_progress) {
  std::vector<Sentence> sentences = tokenize(texts);
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
    const auto batch = std::span(by_length).subspan(begin, end - begin);
    auto running = impl_->embedding.run(impl_->inputs_of(padded(batch)));
    const std::vector<Tensor> outputs = co_await std::move(running);
    impl_->take_vectors(batch, outputs.front());
    if (on_progress) on_progress(end - begin);
    begin = end;
  }
  co_return sentences;
}

Task<> SentenceEncoder::hidden_states(TokenBatch tokens, Tensor out) {
  if (!impl_->hidden) impl_->hidden.emplace(impl_->on_tensors(hidden_graph(impl_->config)));
  std::vector<Tensor> into;
  into.push_back(std::move(out));
  auto running = impl_->hidden->run(impl_->inputs_of(tokens), std::move(into));
  co_await std::move(running);
}

std::size_t SentenceEncoder::dim() const { return static_cast<std::size_t>(impl_->config.hidden_size); }
std::size_t SentenceEncoder::max_length() const { return impl_->max_length; }
std::int64_t SentenceEncoder::max_positions() const { return impl_->config.max_position_embeddings; }
std::int64_t SentenceEncoder::vocab_size() const { return impl_->config.vocab_size; }
const Plan& SentenceEncoder::plan() const { return impl_->embedding.plan(); }
const Context& SentenceEncoder::context() const { return impl_->context; }

}  // namespace alknet::compute
