// Input: the text of a tokenizer.json, a zero byte, a text to encode. Whatever is in there, parsing and encoding end
// with a result that keeps the contract or with an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/base/utf8.h"
#include "alknet/compute/tokenizer/tokenizer.h"
#include "fuzz/outcome.h"

namespace {

using alknet::Error;
using alknet::compute::Tokenizer;
using alknet::fuzz::require;

constexpr std::size_t kNoLimit = 1 << 30;

// With accents, ideographs, white space and added tokens to find, so that random texts meet every path.
constexpr std::string_view kTokenizer = R"({
  "added_tokens": [
    {"id": 2, "content": "[S]", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, "special": true},
    {"id": 3, "content": "E!", "single_word": true, "lstrip": false, "rstrip": true, "normalized": true, "special": false},
    {"id": 9, "content": " ", "single_word": false, "lstrip": true, "rstrip": true, "normalized": true, "special": false}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                 "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "BertProcessing", "cls": ["[C]", 1], "sep": ["[S]", 2]},
  "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
            "vocab": {"?": 0, "[C]": 1, "[S]": 2, "E!": 3, "a": 4, "##a": 5, "##aa": 6, "e": 7, "中": 8}}})";

void encode(const Tokenizer& tokenizer, std::string_view text) {
  try {
    const auto whole = tokenizer.encode(text, kNoLimit);
    require(!alknet::find_invalid_utf8(text));
    require(whole.truncated == 0);
    for (const auto id : whole.ids) require(id >= 0 && static_cast<std::size_t>(id) < tokenizer.size());
    const auto cut = tokenizer.encode(text, whole.ids.size() / 2 + 1);
    require(cut.ids.size() + cut.truncated == whole.ids.size());
  } catch (const Error&) {
    // Not UTF-8, or no room for the special tokens.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokenizer fixed = Tokenizer::parse(kTokenizer);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  const auto text = zero == std::string_view::npos ? input : input.substr(zero + 1);
  encode(fixed, text);
  try {
    encode(Tokenizer::parse(input.substr(0, zero)), text);
  } catch (const Error&) {
    // No tokenizer that alknet knows.
  }
  return 0;
}
