#include "alknet/compute/tokenizer/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

Error refusal(BaseError code, const std::string& path, std::string_view what) {
  return {code, fmt::format("tokenizer.json: {}: {}", path.empty() ? "the document" : path, what),
          JsonObject{{"path", path}}};
}

/// A value of the document together with its JSON pointer; every access checks the type.
class Node {
 public:
  Node(const Json& value, std::string path) : value_(value), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool is_null() const { return value_.is_null(); }
  Error invalid(std::string_view what) const { return refusal(BaseError::kInvalidArgument, path_, what); }
  Error unsupported(std::string_view what) const { return refusal(BaseError::kUnsupported, path_, what); }

  const JsonObject& object() const {
    if (const auto* object = value_.if_object()) return *object;
    throw invalid("must be an object");
  }
  const JsonArray& array() const {
    if (const auto* array = value_.if_array()) return *array;
    throw invalid("must be an array");
  }
  std::string_view text() const {
    if (const auto* text = value_.if_string()) return *text;
    throw invalid("must be a string");
  }
  bool flag() const {
    if (const auto* flag = value_.if_bool()) return *flag;
    throw invalid("must be true or false");
  }
  std::int64_t integer(std::int64_t least, std::int64_t most) const {
    if (const auto* number = value_.if_int64(); number && *number >= least && *number <= most) return *number;
    throw invalid(fmt::format("must be a whole number from {} to {}", least, most));
  }
  std::int32_t token_id() const { return static_cast<std::int32_t>(integer(0, Vocabulary::kMaxId)); }

  Node operator[](std::string_view key) const {
    if (const auto* member = object().if_contains(key)) return {*member, child_path(key)};
    throw invalid(fmt::format("lacks \"{}\"", key));
  }
  std::optional<Node> find(std::string_view key) const {
    const auto* member = object().if_contains(key);
    return member ? std::optional(Node(*member, child_path(key))) : std::nullopt;
  }
  Node at(std::size_t index) const {
    if (index >= array().size()) throw invalid(fmt::format("must have at least {} items", index + 1));
    return {array()[index], fmt::format("{}/{}", path_, index)};
  }

  /// Refuses members that could ask for something else than what is done.
  void allow(std::initializer_list<std::string_view> keys) const {
    for (const auto& member : object()) {
      if (std::find(keys.begin(), keys.end(), std::string_view(member.key())) == keys.end()) {
        throw Node(member.value(), child_path(member.key())).unsupported("alknet does not know this member");
      }
    }
  }

  /// Refuses a component of another type.
  void require_type(std::string_view type) const {
    const Node member = (*this)["type"];
    if (member.text() != type) {
      throw member.unsupported(
          fmt::format("\"{}\" is not supported, only \"{}\" (the BERT family)", member.text(), type));
    }
  }

 private:
  std::string child_path(std::string_view key) const {
    std::string path = path_ + "/";
    for (const char c : key) {
      if (c == '~') {
        path += "~0";
      } else if (c == '/') {
        path += "~1";
      } else {
        path += c;
      }
    }
    return path;
  }

  const Json& value_;
  std::string path_;
};

BertNormaliser read_normaliser(const Node& node) {
  if (node.is_null()) return BertNormaliser::none();
  node.require_type("BertNormalizer");
  node.allow({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  BertNormaliser normaliser;
  normaliser.clean_text = node["clean_text"].flag();
  normaliser.handle_chinese_chars = node["handle_chinese_chars"].flag();
  normaliser.lowercase = node["lowercase"].flag();
  // null, and absence, mean: as lowercase says.
  const auto accents = node.find("strip_accents");
  normaliser.strip_accents = accents && !accents->is_null() ? accents->flag() : normaliser.lowercase;
  return normaliser;
}

void check_pre_tokeniser(const Node& node) {
  if (node.is_null()) throw node.unsupported("null is not supported, only \"BertPreTokenizer\"");
  node.require_type("BertPreTokenizer");
  node.allow({"type"});
}

WordPiece read_model(const Node& node) {
  if (node.find("type")) node.require_type("WordPiece");
  node.allow({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPiece model;
  model.continuing_subword_prefix = node["continuing_subword_prefix"].text();
  model.max_input_chars_per_word =
      static_cast<std::size_t>(node["max_input_chars_per_word"].integer(0, std::numeric_limits<std::int32_t>::max()));
  const Node vocabulary = node["vocab"];
  const JsonObject& tokens = vocabulary.object();
  model.vocabulary.reserve(tokens.size());
  for (const auto& member : tokens) {
    const auto* id = member.value().if_int64();
    if (!id || *id < 0 || *id > Vocabulary::kMaxId) {
      throw vocabulary[member.key()].invalid(fmt::format("must be an id from 0 to {}", Vocabulary::kMaxId));
    }
    model.vocabulary.add(member.key(), static_cast<std::int32_t>(*id));
  }
  const Node unknown = node["unk_token"];
  const auto unknown_id = model.vocabulary.find(unknown.text());
  if (!unknown_id) throw unknown.invalid(fmt::format("\"{}\" is not in the vocabulary", unknown.text()));
  model.unknown_id = *unknown_id;
  return model;
}

/// Reads the added tokens. The package ignores their ids in the file: tokens of the model keep their ids there, others
/// are numbered behind the vocabulary in the order of the file. Where that gives other ids, nobody knows which are
/// right.
void read_added_tokens(const Node& node, TokenizerParts& parts) {
  std::vector<AddedToken> others;
  auto next_id = static_cast<std::int64_t>(parts.model.vocabulary.size());
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < node.array().size(); ++i) {
    const Node entry = node.at(i);
    entry.allow({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token;
    token.content = entry["content"].text();
    token.id = entry["id"].token_id();
    token.single_word = entry["single_word"].flag();
    token.lstrip = entry["lstrip"].flag();
    token.rstrip = entry["rstrip"].flag();
    token.normalized = entry["normalized"].flag();
    const bool is_special = entry["special"].flag();
    if (token.content.empty()) continue;
    seen.push_back(token.content);
    const auto known = parts.model.vocabulary.find(token.content);
    const std::int64_t expected = known ? *known : next_id;
    if (token.id != expected) {
      throw entry["id"].invalid(fmt::format("is {}, but \"{}\" {} {}", token.id, token.content,
                                            known ? "has in the vocabulary the id" : "comes next behind it with the id",
                                            expected));
    }
    if (!known) parts.added_vocabulary.add(token.content, token.id);
    next_id = std::max<std::int64_t>(next_id, token.id + 1);
    (is_special ? parts.added_tokens : others).push_back(std::move(token));
  }
  std::sort(seen.begin(), seen.end());
  if (const auto twice = std::adjacent_find(seen.begin(), seen.end()); twice != seen.end()) {
    throw node.invalid(fmt::format("lists \"{}\" twice", *twice));
  }
  std::move(others.begin(), others.end(), std::back_inserter(parts.added_tokens));
}

void read_template(const Node& node, TokenizerParts& parts) {
  node.allow({"type", "single", "pair", "special_tokens"});
  const Node single = node["single"];
  const Node tokens = node["special_tokens"];
  bool text_seen = false;
  for (std::size_t i = 0; i < single.array().size(); ++i) {
    const Node piece = single.at(i);
    piece.allow({"SpecialToken", "Sequence"});
    if (const auto sequence = piece.find("Sequence")) {
      if ((*sequence)["id"].text() != "A") throw(*sequence)["id"].invalid("must be \"A\" in the template for one text");
      if (std::exchange(text_seen, true)) throw piece.unsupported("the text appears a second time");
    } else {
      const Node ids = tokens[piece["SpecialToken"]["id"].text()]["ids"];
      auto& side = text_seen ? parts.behind : parts.before;
      for (std::size_t j = 0; j < ids.array().size(); ++j) side.push_back(ids.at(j).token_id());
    }
  }
  if (!text_seen) throw single.unsupported("the template has no place for the text");
}

void read_bert_processing(const Node& node, TokenizerParts& parts) {
  node.allow({"type", "sep", "cls"});
  parts.before = {node["cls"].at(1).token_id()};
  parts.behind = {node["sep"].at(1).token_id()};
}

void read_post_processor(const Node& node, TokenizerParts& parts) {
  if (node.is_null()) return;
  const Node type = node["type"];
  if (type.text() == "TemplateProcessing") {
    read_template(node, parts);
  } else if (type.text() == "BertProcessing") {
    read_bert_processing(node, parts);
  } else {
    throw type.unsupported(
        fmt::format("\"{}\" is not supported, only \"TemplateProcessing\" and \"BertProcessing\"", type.text()));
  }
}

void check_truncation(const Node& root) {
  const auto truncation = root.find("truncation");
  if (!truncation || truncation->is_null()) return;
  const auto direction = truncation->find("direction");
  if (direction && direction->text() != "Right") {
    throw direction->unsupported(fmt::format("\"{}\" is not supported, only \"Right\"", direction->text()));
  }
}

std::optional<std::int32_t> read_pad_id(const Node& root, const TokenizerParts& parts) {
  const auto padding = root.find("padding");
  if (!padding || padding->is_null()) return parts.find("[PAD]");
  return (*padding)["pad_id"].token_id();
}

/// Every id of the post-processor must be one that the model has an embedding for.
void check_special_ids(const Node& node, const TokenizerParts& parts) {
  for (const auto* side : {&parts.before, &parts.behind}) {
    for (const std::int32_t id : *side) {
      if (parts.token(id).empty()) throw node.invalid(fmt::format("uses the id {}, which no token has", id));
    }
  }
}

}  // namespace

std::optional<std::int32_t> TokenizerParts::find(std::string_view token) const {
  const auto id = model.vocabulary.find(token);
  return id ? id : added_vocabulary.find(token);
}

std::string_view TokenizerParts::token(std::int32_t id) const {
  const auto token = model.vocabulary.token(id);
  return token.empty() ? added_vocabulary.token(id) : token;
}

TokenizerParts read_tokenizer(const Json& document) {
  const Node root(document, "");
  root.allow({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
              "decoder", "model"});
  const Json null;
  const auto part = [&](std::string_view key) {
    const auto node = root.find(key);
    return node ? *node : Node(null, "/" + std::string(key));
  };
  if (const auto version = root.find("version"); version && version->text() != "1.0") {
    throw version->unsupported(fmt::format("\"{}\" is not supported, only \"1.0\"", version->text()));
  }
  TokenizerParts parts;
  parts.model = read_model(root["model"]);
  parts.normaliser = read_normaliser(part("normalizer"));
  check_pre_tokeniser(part("pre_tokenizer"));
  if (const auto added = root.find("added_tokens"); added && !added->is_null()) {
    read_added_tokens(*added, parts);
  }
  read_post_processor(part("post_processor"), parts);
  check_special_ids(part("post_processor"), parts);
  check_truncation(root);
  parts.pad_id = read_pad_id(root, parts);
  return parts;
}

}  // namespace alknet::compute
