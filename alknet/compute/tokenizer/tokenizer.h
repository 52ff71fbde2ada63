#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace alknet::compute {

/// Turns text into token ids as the Hugging Face `tokenizers` package does for a `tokenizer.json` of the BERT family:
/// BertNormalizer, BertPreTokenizer, WordPiece, TemplateProcessing or BertProcessing, added tokens.
///
/// Immutable and thread-safe; copies share the vocabulary and are cheap.
class Tokenizer {
 public:
  /// Reads a `tokenizer.json`. Throws `io_error`, or what `parse` throws with the path in the message.
  static Tokenizer load(const std::filesystem::path& path);

  /// Parses the text of a `tokenizer.json`. Throws `json_invalid` and its kin for text that is not JSON,
  /// `invalid_argument` for JSON that is no tokenizer, and `unsupported` for a component that alknet lacks; the message
  /// and details `path` name the place, for example `/normalizer/type`. The truncation and padding settings in the file
  /// do not apply: the caller of `encode` decides.
  static Tokenizer parse(std::string_view json);

  struct Encoding {
    std::vector<std::int32_t> ids;  ///< With the special tokens of the post-processor, without padding.
    std::size_t truncated = 0;      ///< Tokens of the text that were dropped to keep `max_length`.
  };

  /// The ids of one text, at most `max_length` of them, special tokens counted; the end of the text is dropped.
  /// An empty text has the special tokens only. Time is linear in the text. Throws `invalid_argument` when the text is
  /// not UTF-8 (details has `byte`) or `max_length` has no room for the special tokens.
  Encoding encode(std::string_view utf8, std::size_t max_length) const;

  /// The id of a token of the vocabulary or of an added token.
  std::optional<std::int32_t> token_to_id(std::string_view token) const;

  /// The token of an id, empty when there is none. Valid as long as a copy of this tokenizer lives.
  std::string_view id_to_token(std::int32_t id) const;

  /// One more than the largest id.
  std::size_t size() const;

  /// The id to fill a batch with: of the file's padding token, else of the token "[PAD]".
  std::optional<std::int32_t> pad_id() const;

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state);

  std::shared_ptr<const State> state_;
};

}  // namespace alknet::compute
