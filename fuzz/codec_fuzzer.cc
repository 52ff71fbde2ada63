// Encodes and decodes by a schema, which is made from the first bytes of the input, or is the text before a line "---"
// when the input starts with "{". The rest is decoded as it is, read as JSON and encoded, and made into an instance.
#include <cstdint>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/schema/access.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/compare.h"
#include "alknet/schema/error.h"
#include "alknet/schema/path.h"
#include "fuzz/schema_maker.h"

namespace {

using namespace alknet;          // NOLINT(google-build-using-namespace)
using namespace alknet::schema;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::attempt;
using alknet::fuzz::require;

constexpr std::uint64_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxFields = 64;

/// The part of a decoded value that a path of the layout names, or null.
const Json* part_of(const Json& value, std::string_view path) {
  const Json* at = &value;
  for (const auto& step : parse_path(path)) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      at = at->as_object().if_contains(*name);
    } else {
      at = &at->as_array().at(std::get<std::uint64_t>(step));
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

void check_fields(const Layout& layout, std::span<const std::byte> bytes, const Json& value) {
  std::size_t tried = 0;
  for (const auto& field : layout.fields()) {
    if (++tried > kMaxFields) break;
    const FieldAccess access(layout, field.path);
    const auto found = access.get_json(bytes);
    const Json* expected = part_of(value, field.path);
    require(found.has_value() == (expected != nullptr));
    if (expected == nullptr) continue;
    require(equal_json(*found, *expected));
    if (field.kind == Kind::kInt32) require(access.get<std::int32_t>(bytes) == expected->as_int64());
    if (field.kind == Kind::kBoolean) require(access.get<bool>(bytes) == expected->as_bool());
    if (field.kind == Kind::kString) require(access.get<std::string>(bytes) == std::string_view(expected->as_string()));
  }
}

/// Bytes that decode: the value encodes to the same bytes, up to padding, the sign of NaN and gaps in the heap.
void check_bytes(const Layout& layout, std::span<const std::byte> bytes) {
  const bool canonical = attempt([&] { check_value(layout, bytes); });
  Json value;
  if (!attempt([&] { value = decode(layout, bytes); })) {
    require(!canonical);
    return;
  }
  const auto again = encode(layout, value);
  require(equal_json(decode(layout, again), value));
  check_value(layout, again);
  require(again == encode(layout, parse_json(json_text(value), {.max_depth = 128})));
  check_fields(layout, bytes, value);
  if (!canonical || json_text(value).find("NaN") != std::string::npos) return;
  require(again.size() <= bytes.size());
  if (again.size() == bytes.size()) require(std::equal(again.begin(), again.end(), bytes.begin()));
  if (!layout.of(layout.node()).indirect) require(again.size() == bytes.size());
}

/// Whether all that `part` has is in `whole`, which may have defaults beside it.
bool covers(const Json& whole, const Json& part) {
  if (const auto* object = part.if_object()) {
    for (const auto& [name, member] : *object) {
      const auto* other = whole.as_object().if_contains(name);
      if (other == nullptr || !covers(*other, member)) return false;
    }
    return true;
  }
  if (const auto* array = part.if_array()) {
    if (whole.as_array().size() != array->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!covers(whole.as_array()[i], (*array)[i])) return false;
    }
    return true;
  }
  if (equal_json(whole, part)) return true;
  return part.is_string() && whole.is_number() && json_text(whole) == std::string_view(part.get_string());
}

/// A value that the schema takes encodes, unless that needs what only encode knows.
void check_value_of(const Schema& schema, const Layout& layout, const Json& value, bool made) {
  std::vector<std::byte> bytes;
  try {
    bytes = encode(layout, value, {.max_bytes = kMaxBytes});
  } catch (const Error& error) {
    const auto& code = error.code();
    const bool beyond = code == SchemaError::kReservationOverflow || code == SchemaError::kSchemaTooDeep ||
                        code == SchemaError::kBadLength || code == SchemaError::kSchemaInvalid ||
                        code == BaseError::kInvalidArgument;
    require(!made || beyond);
    require(error.details().is_object());
    return;
  }
  if (made) require(schema.is_valid(value));
  const auto decoded = decode(layout, bytes);
  if (made) require(covers(decoded, value));
  require(encode(layout, decoded) == bytes);
  check_value(layout, bytes);
  check_fields(layout, bytes, decoded);
  if (!layout.size() || layout.mode() != LayoutMode::kAligned || layout.of(layout.node()).indirect) return;
  std::vector<std::byte> record(bytes.size(), std::byte{0xFF});
  encode_into(layout, value, record);
  require(record == bytes);
}

void run(const Json& document, std::span<const std::uint8_t> rest, bool made) {
  const auto schema = Schema::from_json(document);
  const auto bytes = std::as_bytes(rest);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  for (const auto mode : {LayoutMode::kPacked, LayoutMode::kAligned}) {
    attempt([&] {
      const auto measured = layout(schema, mode);
      if (mode == LayoutMode::kAligned && (!measured.size() || *measured.size() > kMaxBytes)) return;
      const bool blobs = measured.of(measured.node()).blobs || measured.node().holds_tensor;
      if (!blobs) check_bytes(measured, bytes);
      Json value;
      if (attempt([&] { value = parse_json(text); })) check_value_of(schema, measured, value, false);
      if (!made) return;
      fuzz::Choices choices(rest);
      if (const auto instance = fuzz::make_instance(choices, schema.root())) {
        check_value_of(schema, measured, *instance, true);
      }
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kSeparator = "\n---\n";
  const std::span input(data, size);
  if (size > 0 && data[0] == '{') {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto cut = std::min(text.find(kSeparator), size);
    const auto rest = input.subspan(std::min(size, cut + kSeparator.size()));
    attempt([&] { run(parse_json(text.substr(0, cut)), rest, false); });
    return 0;
  }
  fuzz::Choices choices(input);
  const Json document = fuzz::make_schema(choices);
  attempt([&] { run(document, choices.rest(), true); });
  return 0;
}
