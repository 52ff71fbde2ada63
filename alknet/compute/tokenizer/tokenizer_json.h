#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/compute/tokenizer/added_tokens.h"
#include "alknet/compute/tokenizer/normalise.h"
#include "alknet/compute/tokenizer/wordpiece.h"

namespace alknet::compute {

/// The parts that a `tokenizer.json` describes.
struct TokenizerParts {
  BertNormaliser normaliser = BertNormaliser::none();
  WordPiece model;
  Vocabulary added_vocabulary;           ///< Added tokens that the model does not have.
  std::vector<AddedToken> added_tokens;  ///< All of them: special ones first, each kind in the order of the file.
  std::vector<std::int32_t> before;      ///< Special tokens that the post-processor puts before a text ...
  std::vector<std::int32_t> behind;      ///< ... and behind it.
  std::optional<std::int32_t> pad_id;

  std::optional<std::int32_t> find(std::string_view token) const;
  std::string_view token(std::int32_t id) const;
};

/// Reads a parsed `tokenizer.json`. Throws `invalid_argument` for what is no tokenizer and `unsupported` for components
/// and options that alknet lacks; message and details `path` name the place as a JSON pointer.
TokenizerParts read_tokenizer(const Json& document);

}  // namespace alknet::compute
