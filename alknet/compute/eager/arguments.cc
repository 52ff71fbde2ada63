#include "alknet/compute/eager/arguments.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "alknet/compute/tensor.h"

namespace alknet::compute {
namespace {

/// Whether a parameter's schema lists a type.
bool takes(const graph::OpParameter& parameter, std::string_view type) {
  const Json* types = parameter.schema.get_object().if_contains("type");
  if (types == nullptr) return true;
  if (types->is_string()) return types->get_string() == type;
  const auto& list = types->get_array();
  return std::any_of(list.begin(), list.end(), [&](const Json& one) { return one.get_string() == type; });
}

void append_text(std::string_view text, InlineVector<std::uint64_t, 32>& key) {
  key.push_back(text.size());
  for (std::size_t i = 0; i < text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, std::min(sizeof word, text.size() - i));
    key.push_back(word);
  }
}

}  // namespace

Argument::Argument(const Tensor& tensor) : kind_(tensor ? Kind::kTensor : Kind::kAbsent), list_(&tensor, 1) {}
Argument::Argument(const std::vector<Tensor>& list) : kind_(Kind::kList), list_(list) {}

std::optional<Json> Attribute::json(const graph::OpParameter& parameter) const {
  switch (kind_) {
    case Kind::kDefault:
      if (parameter.default_value) return std::nullopt;
      return takes(parameter, "array") ? Json(JsonArray{}) : Json(nullptr);
    case Kind::kNull: return Json(nullptr);
    case Kind::kBool: return Json(integer_ != 0);
    case Kind::kInteger: return Json(integer_);
    case Kind::kNumber: return Json(number_);
    case Kind::kText: return Json(text_);
    case Kind::kJson: return *json_;
    case Kind::kIntegers: break;
  }
  if (integers_->single() && takes(parameter, "integer")) return Json(integers_->values().front());
  JsonArray list;
  for (const std::int64_t value : integers_->values()) list.emplace_back(value);
  return Json(std::move(list));
}

void Attribute::append_key(InlineVector<std::uint64_t, 32>& key) const {
  const auto kind = static_cast<std::uint64_t>(kind_);
  switch (kind_) {
    case Kind::kDefault:
    case Kind::kNull: key.push_back(kind); return;
    case Kind::kBool:
    case Kind::kInteger:
      key.push_back(kind);
      key.push_back(static_cast<std::uint64_t>(integer_));
      return;
    case Kind::kNumber:
      key.push_back(kind);
      key.push_back(std::bit_cast<std::uint64_t>(number_));
      return;
    case Kind::kIntegers:
      key.push_back(kind | std::uint64_t{integers_->single()} << 8 | integers_->values().size() << 16);
      for (const std::int64_t value : integers_->values()) key.push_back(static_cast<std::uint64_t>(value));
      return;
    case Kind::kText:
      key.push_back(kind);
      append_text(text_, key);
      return;
    case Kind::kJson:
      key.push_back(kind);
      append_text(json_text(*json_), key);
      return;
  }
}

std::vector<std::uint64_t> attributes_key(const JsonObject& attributes) {
  InlineVector<std::uint64_t, 32> key;
  key.push_back(~std::uint64_t{0});
  append_text(json_text(attributes), key);
  return {key.begin(), key.end()};
}

}  // namespace alknet::compute
