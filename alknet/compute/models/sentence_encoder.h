#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/task.h"
#include "alknet/compute/models/model_files.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/tensor.h"
#include "alknet/compute/trace.h"
#include "alknet/tensor/source.h"

namespace alknet::compute {

/// A sentence-transformers model: a BERT encoder, mean pooling over the tokens, optionally L2 normalisation.
/// Made of the files that Hugging Face lays out (config.json, tokenizer.json, model.safetensors,
/// sentence_bert_config.json, 1_Pooling/config.json). Used by one thread at a time.
class SentenceEncoder {
 public:
  struct Options {
    std::size_t batch = 32;             ///< Sentences computed together at most.
    bool normalize = true;              ///< Scale vectors to length 1.
    std::shared_ptr<Trace> trace = {};  ///< Records every kernel; see SessionOptions.
  };

  /// Maps the weights and compiles the graph for the context's device. Throws Error `model_invalid` naming the file at
  /// fault and the remedy.
  static SentenceEncoder load(const std::filesystem::path& folder, Context context, const Options& options);

  /// A model whose tensors may still come: each layer is computed when its tensors are there, and the source is asked
  /// for them in that order. No tensor is waited for here. `source` is then used on the thread of the encoder. Throws
  /// Error `model_invalid`, also when the source has no tensor of a name that the model needs.
  static SentenceEncoder load(const ModelFiles& files, std::shared_ptr<tensor::Source> source, Context context,
                              const Options& options);
  ~SentenceEncoder();
  SentenceEncoder(SentenceEncoder&&) noexcept;
  SentenceEncoder& operator=(SentenceEncoder&&) noexcept;

  struct Sentence {
    std::vector<std::int32_t> tokens;  ///< With the special tokens.
    std::size_t truncated = 0;         ///< Tokens dropped beyond `max_length`.
    std::vector<float> vector;         ///< `dim` elements.
  };

  /// Embeds each text, in order. Texts of like length are batched together, padded to the longest of their batch; a
  /// batch is divided where that saves more padding than another run costs.
  /// `on_progress` is told how many more are done. Throws `invalid_text` naming the sentence that is not UTF-8. For a
  /// model whose tensors are there.
  std::vector<Sentence> embed(std::span<const std::string> texts,
                              const std::function<void(std::size_t)>& on_progress = {});

  /// The same, waiting for tensors that have to come, on the executor of the encoder's thread. The encoder must live
  /// until it ends; several may wait at once. Also throws what Source::arrived throws.
  Task<std::vector<Sentence>> embed_arriving(std::vector<std::string> texts,
                                             std::function<void(std::size_t)> on_progress = {});

  /// Token ids of several texts as a rectangle.
  struct TokenBatch {
    std::int64_t batch = 0, seq = 0;
    std::vector<std::int32_t> ids;  ///< [batch, seq], from 0 to below vocab_size().
    std::vector<float> mask;        ///< [batch, seq]: 1 for a token, 0 for padding.
  };

  /// The tokens of each text, without vectors. Throws as `embed`.
  std::vector<Sentence> tokenize(std::span<const std::string> texts) const;

  /// Padded to the longest.
  TokenBatch padded(std::span<const Sentence* const> sentences) const;

  /// Writes the last hidden state of the encoder, before pooling, into `out`: contiguous f32 [batch, seq, dim]
  /// on the device of the encoder's context. Waits and throws as `embed_arriving`.
  Task<> hidden_states(TokenBatch tokens, Tensor out);

  /// Length of the vectors, and of a token's hidden state.
  std::size_t dim() const;

  /// Tokens at most in a sentence, special ones included.
  std::size_t max_length() const;

  /// Tokens at most in a row of `hidden_states`.
  std::int64_t max_positions() const;

  std::int64_t vocab_size() const;

  const Plan& plan() const;
  const Context& context() const;

 private:
  struct Impl;
  explicit SentenceEncoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alknet::compute
