#include "alknet/compute/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/compute/tokenizer/character.h"
#include "alknet/compute/tokenizer/tokenizer_json.h"

namespace alknet::compute {
namespace {

/// The largest known file of this kind has some 20 MB.
constexpr std::uint64_t kMaxFileBytes = 256ULL << 20;

/// Calls `word` for each word of normalised text: what white space parts, and every punctuation character alone.
template <typename OnWord>
void for_each_word(std::string_view text, OnWord word) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t at = i;
    const char32_t c = next_code_point(text, i);
    const bool space = is_whitespace(c);
    if (!space && !is_punctuation(c)) continue;
    if (start < at) word(text.substr(start, at - start));
    if (!space) word(text.substr(at, i - at));
    start = i;
  }
  if (start < text.size()) word(text.substr(start));
}

std::vector<AddedToken> select(const std::vector<AddedToken>& tokens, bool normalized) {
  std::vector<AddedToken> selected;
  for (const auto& token : tokens) {
    if (token.normalized == normalized) selected.push_back(token);
  }
  return selected;
}

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerParts from) : parts(std::move(from)) {
    const auto raw = select(parts.added_tokens, false);
    std::vector<std::string> patterns;
    std::transform(raw.begin(), raw.end(), std::back_inserter(patterns), [](const auto& t) { return t.content; });
    raw_matcher = AddedTokenMatcher(raw, std::move(patterns));

    const auto normalized = select(parts.added_tokens, true);
    patterns.clear();
    for (const auto& token : normalized) parts.normaliser.append(patterns.emplace_back(), token.content);
    normalized_matcher = AddedTokenMatcher(normalized, std::move(patterns));
  }

  /// Appends the ids of the words and added tokens in `text`.
  void append_text(std::vector<std::int32_t>& ids, std::string_view text) const {
    std::string normalized;
    WordPiece::Scratch scratch;
    for (const auto& piece : raw_matcher.split(text)) {
      if (piece.id) {
        ids.push_back(*piece.id);
        continue;
      }
      normalized.clear();
      parts.normaliser.append(normalized, piece.text);
      for (const auto& part : normalized_matcher.split(normalized)) {
        if (part.id) {
          ids.push_back(*part.id);
        } else {
          for_each_word(part.text, [&](std::string_view word) { parts.model.append(ids, word, scratch); });
        }
      }
    }
  }

  TokenizerParts parts;
  AddedTokenMatcher raw_matcher;         // finds tokens in the text as it is
  AddedTokenMatcher normalized_matcher;  // finds tokens in normalised text
};

Tokenizer::Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Tokenizer Tokenizer::parse(std::string_view json) {
  return Tokenizer(std::make_shared<const State>(read_tokenizer(parse_json(json))));
}

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  const std::string text = read_file(path, kMaxFileBytes);
  try {
    return parse(text);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.native(), error.message()), error.details());
  }
}

Tokenizer::Encoding Tokenizer::encode(std::string_view utf8, std::size_t max_length) const {
  require_utf8(utf8, "the text");
  const auto& parts = state_->parts;
  const std::size_t special = parts.before.size() + parts.behind.size();
  if (max_length < special) {
    throw Error(
        BaseError::kInvalidArgument,
        fmt::format("[Tokenizer::encode] max_length {} has no room for the {} special tokens", max_length, special));
  }
  Encoding encoding;
  auto& ids = encoding.ids;
  ids = parts.before;
  state_->append_text(ids, utf8);
  const std::size_t room = max_length - parts.behind.size();
  if (ids.size() > room) {
    encoding.truncated = ids.size() - room;
    ids.resize(room);
  }
  ids.insert(ids.end(), parts.behind.begin(), parts.behind.end());
  return encoding;
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const { return state_->parts.find(token); }
std::string_view Tokenizer::id_to_token(std::int32_t id) const { return state_->parts.token(id); }
std::size_t Tokenizer::size() const {
  return std::max(state_->parts.model.vocabulary.id_limit(), state_->parts.added_vocabulary.id_limit());
}
std::optional<std::int32_t> Tokenizer::pad_id() const { return state_->parts.pad_id; }

}  // namespace alknet::compute
