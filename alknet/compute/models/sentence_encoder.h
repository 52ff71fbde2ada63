#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/compute/plan.h"
#include "alknet/compute/tensor.h"
#include "alknet/compute/trace.h"

namespace alknet::compute {

/// A sentence-transformers model: a BERT encoder, mean pooling over the tokens, optionally L2 normalisation.
/// Reads a folder as Hugging Face lays it out (config.json, tokenizer.json, model.safetensors, modules.json,
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
  /// `on_progress` is told how many more are done. Throws `invalid_text` naming the sentence that is not UTF-8.
  std::vector<Sentence> embed(std::span<const std::string> texts,
                              const std::function<void(std::size_t)>& on_progress = {});

  /// Length of the vectors.
  std::size_t dim() const;

  /// Tokens at most in a sentence, special ones included.
  std::size_t max_length() const;

  const Plan& plan() const;

 private:
  struct Impl;
  explicit SentenceEncoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace alknet::compute
