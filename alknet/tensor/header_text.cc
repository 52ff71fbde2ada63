#include "alknet/tensor/header_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

std::string json_string(std::string_view text) { return json_text(Json(text)); }

void append_object(std::string& text, const Metadata& members) {
  text += '{';
  for (bool first = true; const auto& [key, value] : members) {
    fmt::format_to(std::back_inserter(text), "{}{}:{}", first ? "" : ",", json_string(key), json_string(value));
    first = false;
  }
  text += '}';
}

}  // namespace

std::string checksum_text(const Metadata& digests) {
  std::string text;
  append_object(text, digests);
  return text;
}

std::string header_text(const Metadata& metadata, std::span<const PlacedEntry* const> entries) {
  std::vector<const PlacedEntry*> sorted(entries.begin(), entries.end());
  std::ranges::sort(sorted, [](const PlacedEntry* a, const PlacedEntry* b) {
    return std::forward_as_tuple(a->begin, a->bytes, a->name) < std::forward_as_tuple(b->begin, b->bytes, b->name);
  });
  std::string text = "{";
  if (!metadata.empty()) {
    fmt::format_to(std::back_inserter(text), "\"{}\":", kMetadataMember);
    append_object(text, metadata);
  }
  for (const PlacedEntry* entry : sorted) {
    fmt::format_to(std::back_inserter(text), R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                   text.size() > 1 ? "," : "", json_string(entry->name), schema::name(entry->dtype),
                   fmt::join(entry->shape, ","), entry->begin, entry->end());
  }
  return text + "}";
}

}  // namespace alknet::tensor
