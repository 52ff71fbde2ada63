#include "alknet/schema/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <set>
#include <unordered_map>

#include "alknet/schema/compare.h"
#include "alknet/schema/error.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

constexpr std::uint64_t kMaxAlign = 4096;
constexpr std::size_t kMaxVariants = 256;
constexpr std::size_t kMaxRank = 32;
constexpr std::int64_t kMaxDimension = std::int64_t{1} << 62;

bool lists(std::string_view options, std::string_view word) {
  while (!options.empty()) {
    const auto end = std::min(options.find(' '), options.size());
    if (options.substr(0, end) == word) return true;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return false;
}

class Builder {
 public:
  explicit Builder(Places& places) : places_(places) {}

  Structure run() {
    structure_.root = node_for(places_.root());
    for (std::size_t i = 0; i < places_.schemas().size(); ++i) {
      const PlaceId place = places_.schemas()[i];
      const auto* object = places_.at(place).json->if_object();
      if (object != nullptr && !find_typedef(*object).keyword.empty()) node_for(place);
      fill_pending();
    }
    for (auto& node : structure_.nodes) node.endian = endian_;
    check_nodes(places_, structure_.nodes);
    return std::move(structure_);
  }

 private:
  /// The node of a schema; its parts are filled in later, so recursion of schemas is none here.
  Node* node_for(PlaceId at) {
    const PlaceId place = follow_references(places_, at);
    if (place >= by_place_.size())
      by_place_.resize(std::max<std::size_t>(place + std::size_t{1}, 2 * by_place_.size()));
    auto& node = by_place_[place];
    if (node == nullptr) {
      node = &structure_.nodes.emplace_back();
      node->place = place;
      node->places = &places_;
      node->schema = places_.at(place).json;
      pending_.push_back(node);
    }
    return node;
  }

  void fill_pending() {
    while (!pending_.empty()) {
      Node* node = pending_.back();
      pending_.pop_back();
      node_ = node;
      object_ = node->schema->if_object();
      if (object_ == nullptr) continue;
      type_ = find_typedef(*object_);
      node->kind = type_.kind;
      if (type_.kind != Kind::kNone) fill();
    }
  }

  void fill() {
    if (type_.kind == Kind::kJson && places_.at(node_->place).name != "item") {
      throw invalid(type_.keyword, "Json is for the `item` of a Blob; elsewhere leave the kind out");
    }
    common();
    switch (info(type_.kind).form) {
      case KindForm::kEnum: return enumeration();
      case KindForm::kRecord: node_->items = node_for(member("values")); return;
      case KindForm::kArray: return array();
      case KindForm::kStruct: return structure();
      case KindForm::kUnion: return union_of();
      case KindForm::kTensor: return tensor();
      case KindForm::kBlob: return blob();
      default: return;
    }
  }

  const Json* option(std::string_view name) const {
    return type_.object == nullptr ? nullptr : type_.object->if_contains(name);
  }
  PlaceId member(std::string_view name) { return held_schema(places_, node_->place, type_, name); }
  PlaceId sibling(std::string_view keyword) { return places_.child(node_->place, keyword); }
  Error invalid(std::string_view keyword, std::string_view message) const {
    return places_.invalid(node_->place, keyword, message);
  }

  void common() {
    if (type_.object != nullptr) {
      for (const auto& [key, value] : *type_.object) {
        if (key == "align" || key == "endian" || lists(info(type_.kind).options, key)) continue;
        throw invalid(type_.keyword, fmt::format("a {} has no option \"{}\"", name(type_.kind), std::string_view(key)));
      }
    }
    if (const auto* value = option("align")) {
      const auto align = as_count(*value);
      if (!align || *align == 0 || *align > kMaxAlign || !std::has_single_bit(*align)) {
        throw invalid(type_.keyword, "`align` is a power of two from 1 to 4096");
      }
      node_->align = static_cast<std::uint32_t>(*align);
    }
    if (const auto* value = option("encoding")) {
      if (*value != "length-prefixed" && *value != "offset-indirect") {
        throw invalid(type_.keyword, "`encoding` is \"length-prefixed\" or \"offset-indirect\"");
      }
      node_->encoding = *value == "offset-indirect" ? Encoding::kOffsetIndirect : Encoding::kLengthPrefixed;
    }
    if (const auto* value = option("maxBytes")) {
      const auto bytes = as_count(*value);
      if (!bytes || *bytes == 0 || *bytes > UINT32_MAX) {
        throw invalid(type_.keyword, "`maxBytes` is an integer from 1 to 4294967295");
      }
      node_->max_bytes = static_cast<std::uint32_t>(*bytes);
    }
    if (const auto* value = option("endian")) {
      if (node_ != structure_.root) throw invalid(type_.keyword, "`endian` belongs at the root");
      if (*value != "little" && *value != "big") throw invalid(type_.keyword, "`endian` is \"little\" or \"big\"");
      endian_ = *value == "big" ? Endian::kBig : Endian::kLittle;
    }
  }

  void enumeration() {
    const auto* values = object_->if_contains("enum");
    if (values == nullptr || !values->is_array() || values->get_array().empty()) {
      throw invalid(type_.keyword, "needs `enum`, an array of strings");
    }
    std::set<std::string_view> seen;
    for (const auto& value : values->get_array()) {
      if (!value.is_string()) throw invalid("enum", "an Enum's values are strings");
      if (!seen.insert(value.get_string()).second) throw invalid("enum", "names a value twice");
      node_->names.emplace_back(std::string_view(value.get_string()));
    }
    if (node_->names.size() > UINT32_MAX) throw invalid("enum", "has too many values");
  }

  void array() {
    if (!object_->contains("items")) throw invalid(type_.keyword, "needs `items`, the schema of its items");
    if (object_->contains("prefixItems")) throw invalid("prefixItems", "all items of an Array have the schema `items`");
    node_->items = node_for(sibling("items"));
    const auto* least = object_->if_contains("minItems");
    const auto* most = object_->if_contains("maxItems");
    if (least != nullptr && most != nullptr && equal_json(*least, *most)) node_->count = as_count(*least);
    if (node_->count && node_->encoding == Encoding::kOffsetIndirect) {
      throw invalid(type_.keyword, "a counted Array is in place; `encoding` is for Arrays without a count");
    }
  }

  /// Whether `given` lists `names`, in their order.
  static bool is_order_of(const Json& given, const std::vector<std::string_view>& names) {
    const auto* list = given.if_array();
    return list != nullptr && std::equal(list->begin(), list->end(), names.begin(), names.end(),
                                         [](const Json& item, std::string_view name) {
                                           return item.is_string() && item.get_string() == name;
                                         });
  }

  /// Indices of `names` in layout order.
  std::vector<std::size_t> layout_order(const std::vector<std::string_view>& names) {
    std::vector<std::size_t> order;
    const auto* given = option("order");
    if (given == nullptr) {
      order.resize(names.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      return order;
    }
    node_->has_order = true;
    if (is_order_of(*given, names)) {
      order.resize(names.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      return order;
    }
    std::unordered_map<std::string_view, std::size_t> index;
    for (std::size_t i = 0; i < names.size(); ++i) index.emplace(names[i], i);
    const auto* list = given->if_array();
    const auto bad = [&](std::string_view what) {
      return places_.error(SchemaError::kBadOrder, node_->place, type_.keyword, what);
    };
    if (list == nullptr) throw bad("`order` is an array of all names");
    for (const auto& item : *list) {
      const auto known = item.is_string() ? index.find(std::string_view(item.get_string())) : index.end();
      if (known == index.end())
        throw bad(fmt::format("`order` has {}, which is no name or there twice", json_text(item)));
      order.push_back(known->second);
      index.erase(known);
    }
    if (!index.empty()) throw bad(fmt::format("`order` lacks \"{}\"", index.begin()->first));
    return order;
  }

  void structure() {
    const auto& properties = object_->at("properties").as_object();
    const PlaceId holder = sibling("properties");
    std::vector<std::string_view> names;
    names.reserve(properties.size());
    for (const auto& entry : properties) names.emplace_back(entry.key());
    const auto required = required_among(properties);
    Node* node = node_;
    node->properties.reserve(names.size());
    for (const auto index : layout_order(names)) {
      const PlaceId place = places_.child(holder, properties.begin()[index]);
      Property property;
      property.name = names[index];
      property.node = node_for(place);
      property.required = required[index];
      property.default_value = find_default(place);
      node->properties.push_back(std::move(property));
    }
    node->index_properties();
  }

  /// Which of the properties are required, in document order.
  std::vector<bool> required_among(const JsonObject& properties) const {
    std::vector<bool> required(properties.size(), false);
    const auto* list = object_->if_contains("required");
    if (list == nullptr || !list->is_array()) return required;
    const auto* next = properties.begin();  // mostly they are named in the order of the document
    for (const auto& name : list->get_array()) {
      if (!name.is_string()) continue;
      const std::string_view text = name.get_string();
      const auto* found =
          next != properties.end() && std::string_view(next->key()) == text ? next : properties.find(text);
      if (found == properties.end()) throw invalid("required", fmt::format("\"{}\" is not among the properties", text));
      required[static_cast<std::size_t>(found - properties.begin())] = true;
      next = found + 1;
    }
    return required;
  }

  /// The `default` nearest to the property: its own, else that of what it refers to.
  const Json* find_default(PlaceId place) {
    for (std::size_t hops = 0; hops <= kMaxSchemaDepth; ++hops) {
      const auto* object = places_.at(place).json->if_object();
      if (object == nullptr) return nullptr;
      if (const auto* value = object->if_contains("default")) return value;
      const auto* reference = object->if_contains("$ref");
      if (reference == nullptr) return nullptr;
      place = places_.resolve(place, reference->as_string());
    }
    return nullptr;
  }

  void union_of() {
    const auto& mapping = option("mapping")->as_object();
    node_->discriminator = std::string_view(option("discriminator")->as_string());
    std::vector<std::string_view> tags;
    for (const auto& entry : mapping) tags.emplace_back(entry.key());
    if (tags.size() > kMaxVariants) throw invalid(type_.keyword, "a Union has at most 256 variants");
    const PlaceId holder = places_.child(places_.child(node_->place, type_.keyword), std::string_view("mapping"));
    for (const auto index : layout_order(tags)) {
      const PlaceId place = places_.child(holder, tags[index]);
      if (kind_at(places_, place) != Kind::kStruct) {
        throw places_.invalid(place, {}, "a variant of a Union is a Struct or a $ref to one");
      }
      node_->variants.push_back({std::string(tags[index]), node_for(place)});
    }
  }

  void tensor() {
    const auto* dtype = option("dtype");
    const auto* shape = option("shape");
    if (object_->contains("default")) throw invalid("default", "a Tensor takes no default");
    if (type_.object == nullptr) return;
    if (dtype == nullptr || shape == nullptr) throw invalid(type_.keyword, "needs `dtype` and `shape`");
    auto& spec = node_->tensor;
    if (dtype->is_string()) {
      spec.dtype = parse_file_dtype(std::string_view(dtype->get_string()));
      if (!spec.dtype) {
        throw invalid(type_.keyword,
                      fmt::format("the dtype {} is no safetensors name (F32, BF16, I64, ...), Struct or Blob",
                                  json_text(*dtype)));
      }
    } else {
      const PlaceId place = member("dtype");
      const Kind kind = kind_at(places_, place);
      if (kind != Kind::kStruct && kind != Kind::kBlob) {
        throw invalid(type_.keyword, "the dtype is a safetensors name, a Struct or a Blob");
      }
      spec.element = node_for(place);
    }
    tensor_shape(*shape);
    if (const auto* block = option("block")) tensor_block(*block);
  }

  void tensor_shape(const Json& shape) {
    const auto* dims = shape.if_array();
    if (dims == nullptr || dims->size() > kMaxRank)
      throw invalid(type_.keyword, "`shape` is an array of at most 32 integers");
    for (const auto& dim : *dims) {
      const bool any = dim.is_int64() && dim.get_int64() == -1;
      const auto count = as_count(dim);
      if (any && node_->tensor.shape.empty()) {
        node_->tensor.shape.push_back(-1);
      } else if (count && *count <= static_cast<std::uint64_t>(kMaxDimension)) {
        node_->tensor.shape.push_back(static_cast<std::int64_t>(*count));
      } else {
        throw invalid(type_.keyword, "`shape` has integers of at least 0; the first may be -1 for any count");
      }
    }
  }

  void tensor_block(const Json& given) {
    auto& spec = node_->tensor;
    const auto* block = given.if_object();
    const auto* values = block == nullptr ? nullptr : block->if_contains("values");
    const auto count = values == nullptr ? std::nullopt : as_count(*values);
    const auto* axis = block == nullptr ? nullptr : block->if_contains("axis");
    const auto rank = static_cast<std::int64_t>(spec.shape.size());
    const bool axis_ok =
        axis == nullptr || (axis->is_int64() && axis->get_int64() >= -rank && axis->get_int64() < rank);
    if (!count || *count == 0 || *count > UINT32_MAX || !axis_ok || rank == 0 ||
        block->size() > (axis == nullptr ? 1 : 2)) {
      throw invalid(type_.keyword, "`block` is {values: at least 1, axis: an axis of `shape`, -1 by default}");
    }
    if (spec.element == nullptr || spec.element->schema->as_object().if_contains("TypeDef:Struct") == nullptr) {
      throw invalid(type_.keyword, "`block` is for tensors of Structs");
    }
    const std::int64_t given_axis = axis == nullptr ? -1 : axis->get_int64();
    spec.block = {static_cast<std::int64_t>(*count),
                  static_cast<std::size_t>(given_axis < 0 ? given_axis + rank : given_axis)};
    std::int64_t logical = 0;
    if (__builtin_mul_overflow(spec.shape[spec.block->axis], spec.block->values, &logical)) {
      throw invalid(type_.keyword, "the blocked dimension is too large");
    }
  }

  void blob() {
    const PlaceId place = member("item");
    const Kind kind = kind_at(places_, place);
    const auto form = info(kind).form;
    const bool fixed = is_scalar(kind) || form == KindForm::kStruct || form == KindForm::kArray;
    if (kind == Kind::kTimestamp || (!fixed && form != KindForm::kText && form != KindForm::kNone)) {
      throw invalid(type_.keyword,
                    fmt::format("a Blob's item is String, Bytes, Json or of fixed size, not {}", name(kind)));
    }
    node_->items = kind == Kind::kNone || kind == Kind::kJson ? nullptr : node_for(place);
  }

  Places& places_;
  Structure structure_;
  std::vector<Node*> by_place_;  // null: no node yet
  std::vector<Node*> pending_;
  Endian endian_ = Endian::kLittle;

  // The node being filled.
  Node* node_ = nullptr;
  const JsonObject* object_ = nullptr;
  TypeDef type_;
};

}  // namespace

PlaceId follow_references(Places& places, PlaceId place) {
  for (std::size_t hops = 0; hops <= kMaxSchemaDepth; ++hops) {
    const auto* object = places.at(place).json->if_object();
    if (object == nullptr || !find_typedef(*object).keyword.empty()) return place;
    const auto* reference = object->if_contains("$ref");
    if (reference == nullptr || !reference->is_string()) return place;
    place = places.resolve(place, std::string_view(reference->get_string()));
  }
  throw places.error(SchemaError::kSchemaTooDeep, place, "$ref",
                     fmt::format("more than {} references in a row", kMaxSchemaDepth));
}

Kind kind_at(Places& places, PlaceId place) {
  const auto* object = places.at(follow_references(places, place)).json->if_object();
  return object == nullptr ? Kind::kNone : find_typedef(*object).kind;
}

PlaceId held_schema(Places& places, PlaceId place, const TypeDef& type, std::string_view member) {
  const PlaceId held = places.child(places.child(place, type.keyword), member);
  const auto* text = places.at(held).json->if_string();
  if (text == nullptr) return held;
  const std::string_view kind = *text;
  if (!parse_kind(kind)) throw places.invalid(held, {}, fmt::format("\"{}\" is no kind", kind));
  return places.expand(held, JsonObject{{std::string(kTypeDefPrefix) + std::string(kind), true}});
}

bool is_ragged_item(Kind kind) {
  const auto form = info(kind).form;
  return form != KindForm::kNone && form != KindForm::kText;
}

std::uint64_t max_text_length(Kind kind, std::uint64_t max_bytes) {
  if (kind != Kind::kBytes) return max_bytes;
  const auto groups = max_bytes / 3 + (max_bytes % 3 == 0 ? 0 : 1);
  return groups > UINT64_MAX / 4 ? UINT64_MAX : 4 * groups;
}

Structure build_structure(Places& places) { return Builder(places).run(); }

}  // namespace alknet::schema
