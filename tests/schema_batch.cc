// The schema engine for tests in other languages: a JSON object a line on standard input, its answer a line on standard
// output. A process a case would take most of the time.
//
//   {"schema", "mode": "packed" | "aligned", "op", "value"?, "hex"?, "store"?} -> {"value" | "hex" ...} | {"error"}
//
// ops: validate -> {"value": true | false}; lower -> {"value"}; layout -> {"value"}, as `alknet schema layout --json`;
// encode (value) -> {"hex", "store"}; decode (hex, store) -> {"value"}; check (hex) -> {"value": true}; diff (after, a
// schema) -> {"value"}, as `alknet schema diff --json`.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/diff.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/schema.h"

namespace {

using namespace alknet;
using schema::BlobRange;
using Bytes = std::vector<std::byte>;

std::string to_hex(const Bytes& bytes) {
  std::string out;
  for (const auto byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return out;
}

Bytes from_hex(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

Bytes bytes_member(const JsonObject& request, std::string_view name) {
  const auto* value = request.if_contains(name);
  return value == nullptr ? Bytes() : from_hex(value->as_string());
}

Json number_or_null(std::optional<std::uint64_t> value) { return value ? Json(*value) : Json(nullptr); }

Json rows(const schema::Layout& layout, std::string_view mode) {
  JsonArray fields;
  for (const auto& field : layout.fields()) {
    fields.push_back(JsonObject{{"path", field.path},
                                {"kind", schema::name(field.kind)},
                                {"offset", number_or_null(field.offset)},
                                {"bytes", number_or_null(field.bytes)},
                                {"align", field.align},
                                {"nullable", field.nullable}});
  }
  return JsonObject{{"mode", mode},
                    {"size", number_or_null(layout.size())},
                    {"align", layout.align()},
                    {"fields", std::move(fields)}};
}

JsonObject encode(const schema::Layout& layout, const JsonObject& request) {
  Bytes store;
  schema::EncodeOptions options;
  options.blobs = [&store](std::span<const std::byte> bytes, std::uint64_t alignment) {
    const std::uint64_t offset = align_up<std::uint64_t>(store.size(), alignment).value();
    store.resize(offset);
    store.insert(store.end(), bytes.begin(), bytes.end());
    return BlobRange{offset, bytes.size()};
  };
  const auto bytes = schema::encode(layout, request.at("value"), options);
  return {{"hex", to_hex(bytes)}, {"store", to_hex(store)}};
}

JsonObject decode(const schema::Layout& layout, const JsonObject& request) {
  const auto store = bytes_member(request, "store");
  const auto read = [&store](BlobRange range) {
    if (range.offset > store.size() || range.bytes > store.size() - range.offset) {
      throw Error(BaseError::kInvalidArgument, "the blob is outside the store");
    }
    return std::span<const std::byte>(store).subspan(range.offset, range.bytes);
  };
  return {{"value", schema::decode(layout, bytes_member(request, "hex"), read)}};
}

JsonObject answer(const JsonObject& request) {
  const auto schema = schema::Schema::from_json(request.at("schema"));
  const std::string_view op = request.at("op").as_string();
  if (op == "validate") return {{"value", schema.is_valid(request.at("value"))}};
  if (op == "lower") return {{"value", schema.lowered()}};
  if (op == "diff") return {{"value", schema::diff(schema, schema::Schema::from_json(request.at("after"))).json()}};
  const std::string_view mode = request.at("mode").as_string();
  const auto layout =
      schema::layout(schema, mode == "packed" ? schema::LayoutMode::kPacked : schema::LayoutMode::kAligned);
  if (op == "layout") return {{"value", rows(layout, mode)}};
  if (op == "encode") return encode(layout, request);
  if (op == "decode") return decode(layout, request);
  if (op != "check") throw Error(BaseError::kInvalidArgument, fmt::format("no such op: {}", op));
  schema::check_value(layout, bytes_member(request, "hex"));
  return {{"value", true}};
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    Json out;
    try {
      out = answer(parse_json(line, {.max_depth = 256, .refuse_duplicate_keys = true}).as_object());
    } catch (const Error& error) {
      out = JsonObject{{"error", error.code_name()}, {"message", error.message()}, {"details", error.details()}};
    }
    std::cout << json_text(out) << '\n';
  }
  return 0;
}
