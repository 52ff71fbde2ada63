// Lays out a schema, which is made from the input, or is the input when that starts with "{". Offsets are inside,
// aligned and apart; what is made of kinds alone is compared with a second computation, straight from the JSON.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/layout.h"
#include "fuzz/schema_maker.h"

namespace {

using namespace alknet;          // NOLINT(google-build-using-namespace)
using namespace alknet::schema;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::require;

struct Extent {
  std::uint64_t size = 0;
  std::uint64_t align = 1;
};

std::uint64_t up(std::uint64_t value, std::uint64_t align) { return (value + align - 1) / align * align; }

/// The aligned layout as the specification words it, by plain recursion. Nothing when there is none.
class Naive {
 public:
  explicit Naive(const Json& document) : document_(document) {}

  std::optional<Extent> measure(const Json& schema, std::size_t depth = 0) {
    if (depth > 40) return std::nullopt;  // recursion
    const auto& object = schema.as_object();
    if (const auto* reference = object.if_contains("$ref")) return measure(target(reference->as_string()), depth + 1);
    const std::string_view keyword = object.begin()->key();
    const auto kind = *parse_kind(keyword.substr(std::string_view("TypeDef:").size()));
    const auto* options = object.begin()->value().if_object();
    const auto option = [&](std::string_view name) {
      return options == nullptr ? nullptr : options->if_contains(name);
    };
    std::optional<Extent> extent;
    const bool indirect = option("encoding") != nullptr;
    if (is_scalar(kind)) {
      const std::uint64_t size = info(kind).size;
      extent = Extent{size, size};
    } else if (info(kind).form == KindForm::kText) {
      if (indirect)
        extent = Extent{8, 4};
      else if (const auto* most = option("maxBytes"))
        extent = Extent{4 + most->to_number<std::uint64_t>(), 4};
    } else if (kind == Kind::kArray) {
      extent = array(object, indirect, depth);
    } else if (kind == Kind::kStruct) {
      extent = structure(object, option("order"), depth);
    }
    if (!extent) return std::nullopt;
    if (const auto* align = option("align")) extent->align = std::max(extent->align, align->to_number<std::uint64_t>());
    extent->size = up(extent->size, extent->align);
    return extent;
  }

  /// Where the fields of the Struct start, in the order of `fields`.
  std::vector<std::uint64_t> offsets;

 private:
  const Json& target(std::string_view reference) const {
    return reference == "#" ? document_
                            : document_.at("$defs").at(reference.substr(std::string_view("#/$defs/").size()));
  }

  std::optional<Extent> array(const JsonObject& object, bool indirect, std::size_t depth) {
    const auto* least = object.if_contains("minItems");
    const auto items = measure(object.at("items"), depth + 1);
    if (!items) return std::nullopt;
    if (least == nullptr)
      return indirect && !has_indirect(object.at("items"), depth) ? std::optional(Extent{8, 4}) : std::nullopt;
    const auto count = least->to_number<std::uint64_t>();
    if (count == 0) return std::nullopt;
    return Extent{items->size * count, items->align};
  }

  bool has_indirect(const Json& schema, std::size_t depth) const {
    if (depth > 40) return false;
    const auto& object = schema.as_object();
    if (const auto* reference = object.if_contains("$ref"))
      return has_indirect(target(reference->as_string()), depth + 1);
    const auto* options = object.begin()->value().if_object();
    if (options != nullptr && options->contains("encoding")) return true;
    if (const auto* items = object.if_contains("items")) return has_indirect(*items, depth + 1);
    const auto* properties = object.if_contains("properties");
    if (properties == nullptr) return false;
    return std::any_of(properties->as_object().begin(), properties->as_object().end(),
                       [&](const auto& member) { return has_indirect(member.value(), depth + 1); });
  }

  bool is_nullable(const JsonObject& object, std::string_view name) const {
    const auto& required = object.at("required").as_array();
    if (std::find(required.begin(), required.end(), Json(name)) != required.end()) return false;
    const Json* schema = &object.at("properties").at(name);
    while (!schema->as_object().contains("default")) {
      const auto* reference = schema->as_object().if_contains("$ref");
      if (reference == nullptr) return true;
      schema = &target(reference->as_string());
    }
    return false;
  }

  std::optional<Extent> structure(const JsonObject& object, const Json* order, std::size_t depth) {
    const auto& properties = object.at("properties").as_object();
    std::vector<std::string_view> names;
    if (order != nullptr) {
      for (const auto& name : order->as_array()) names.emplace_back(name.as_string());
    } else {
      for (const auto& member : properties) names.emplace_back(member.key());
    }
    std::uint64_t nullable = 0;
    for (const auto name : names) nullable += is_nullable(object, name) ? 1 : 0;
    Extent extent{up(nullable, 8) / 8, 1};
    std::vector<std::uint64_t> places;
    for (const auto name : names) {
      const auto field = measure(properties.at(name), depth + 1);
      if (!field) return std::nullopt;
      places.push_back(up(extent.size, field->align));
      extent = {places.back() + field->size, std::max(extent.align, field->align)};
    }
    offsets = places;
    return extent;
  }

  const Json& document_;
};

std::optional<Layout> try_layout(const Schema& schema, LayoutMode mode) {
  try {
    return layout(schema, mode);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_rows(const Layout& measured) {
  const bool aligned = measured.mode() == LayoutMode::kAligned;
  for (const auto& field : measured.fields()) {
    if (!aligned) require(field.kind == Kind::kTensor || field.align == 1);
    require(measured.field(field.path) != nullptr);
    if (!field.offset) continue;
    if (aligned) require(*field.offset % field.align == 0);
    if (field.bytes && measured.size())
      require(*field.bytes <= *measured.size() && *field.offset <= *measured.size() - *field.bytes);
  }
}

/// The members of a Struct follow each other without overlap.
void check_members(const Layout& measured) {
  const auto& node = measured.node();
  if (node.kind != Kind::kStruct || node.holds_tensor) return;
  const auto& measures = measured.of(node);
  std::uint64_t end = measures.bitmap_bytes;
  for (std::size_t i = 0; i < node.properties.size(); ++i) {
    if (!measures.offsets[i]) return;
    require(*measures.offsets[i] >= end);
    const auto size = measured.of(*node.properties[i].node).size;
    if (!size) return;
    end = *measures.offsets[i] + *size;
  }
  if (measures.size) require(end <= *measures.size);
}

void check_naive(const Json& document, const std::optional<Layout>& measured) {
  const auto* options = document.as_object().begin()->value().if_object();
  if (options != nullptr && options->contains("endian")) return;
  Naive naive(document);
  const auto extent = naive.measure(document);
  require(extent.has_value() == measured.has_value());
  if (!extent) return;
  require(measured->size() == extent->size && measured->align() == extent->align);
  if (measured->node().kind != Kind::kStruct) return;
  const auto& offsets = measured->of(measured->node()).offsets;
  require(std::equal(offsets.begin(), offsets.end(), naive.offsets.begin(), naive.offsets.end()));
}

void run(const Json& document, bool made) {
  const auto schema = [&]() -> std::optional<Schema> {
    try {
      return Schema::from_json(document);
    } catch (const Error&) {
      return std::nullopt;
    }
  }();
  require(!made || schema);
  if (!schema) return;
  for (const auto mode : {LayoutMode::kPacked, LayoutMode::kAligned}) {
    const auto measured = try_layout(*schema, mode);
    if (measured) {
      check_rows(*measured);
      check_members(*measured);
    }
    if (made && mode == LayoutMode::kAligned) check_naive(document, measured);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] == '{') {
    Json document;
    try {
      document = parse_json({reinterpret_cast<const char*>(data), size});
    } catch (const Error&) {
      return 0;
    }
    run(document, false);
    return 0;
  }
  fuzz::Choices choices(std::span(data, size));
  run(fuzz::make_schema(choices), true);
  return 0;
}
