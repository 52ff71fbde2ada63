#include "alknet/tensor/import/gguf_value.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/fault.h"

namespace alknet::tensor {
namespace {

// 1 becomes 1.0: the value was a float and stays one.
template <typename Float>
std::string float_json(Float value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <typename Number>
std::string read_number(ForeignReader& reader) {
  const auto value = reader.number<Number>();
  if constexpr (std::is_floating_point_v<Number>) {
    return float_json(value);
  } else {
    return std::to_string(value);
  }
}

std::string read_boolean(ForeignReader& reader) {
  const auto value = reader.number<std::uint8_t>();
  if (value > 1) reader.fail(fmt::format("a boolean of value {}", value));
  return value == 1 ? "true" : "false";
}

std::string read_text(ForeignReader& reader) {
  const std::string text = read_gguf_string(reader);
  if (find_invalid_utf8(text)) reader.fail("a string that is not UTF-8");
  return json_text(Json(text));
}

/// One row of the table of value types.
struct GgufType {
  std::string_view name;
  std::uint32_t bytes;  // of one value; 0 when it varies
  std::string (*read)(ForeignReader& reader);
};

constexpr std::uint32_t kUint32Type = 4;
constexpr std::uint32_t kStringType = 8;
constexpr std::uint32_t kArrayType = 9;

constexpr std::array kGgufTypes = {
    GgufType{"uint8", 1, read_number<std::uint8_t>},
    GgufType{"int8", 1, read_number<std::int8_t>},
    GgufType{"uint16", 2, read_number<std::uint16_t>},
    GgufType{"int16", 2, read_number<std::int16_t>},
    GgufType{"uint32", 4, read_number<std::uint32_t>},
    GgufType{"int32", 4, read_number<std::int32_t>},
    GgufType{"float32", 4, read_number<float>},
    GgufType{"bool", 1, read_boolean},
    GgufType{"string", 0, read_text},
    GgufType{"array", 0, nullptr},
    GgufType{"uint64", 8, read_number<std::uint64_t>},
    GgufType{"int64", 8, read_number<std::int64_t>},
    GgufType{"float64", 8, read_number<double>},
};

const GgufType& type_of(ForeignReader& reader, std::uint32_t id) {
  if (id >= kGgufTypes.size()) reader.fail(fmt::format("metadata of unknown type {}", id));
  return kGgufTypes[id];
}

GgufStrings skim_strings(ForeignReader& reader, std::uint64_t count) {
  constexpr std::uint64_t kSmallestString = 8;
  if (count > reader.remaining() / kSmallestString) {
    reader.fail(TensorError::kImportTruncated, fmt::format("{} strings do not fit in the file", count), kDamagedRemedy);
  }
  GgufStrings strings{reader.position(), count};
  for (std::uint64_t i = 0; i < count; ++i) {
    if (find_invalid_utf8(read_gguf_string(reader))) strings.is_utf8 = false;
  }
  return strings;
}

GgufValue read_array(ForeignReader& reader) {
  const auto id = reader.number<std::uint32_t>();
  const GgufType& type = type_of(reader, id);
  const auto count = reader.number<std::uint64_t>();
  if (id == kArrayType) {
    reader.fail(TensorError::kImportUnsupported, "an array of arrays in the metadata", "flatten it");
  }
  if (id == kStringType) return {.strings = skim_strings(reader, count)};
  if (count > reader.remaining() / type.bytes) {
    reader.fail(TensorError::kImportTruncated, fmt::format("{} numbers do not fit in the file", count), kDamagedRemedy);
  }
  std::string json = "[";
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) json += ',';
    json += type.read(reader);
    if (json.size() > kMaxGgufText) {
      reader.fail(TensorError::kHeaderTooLarge, "a metadata array that is too long as JSON text",
                  "store it as a tensor");
    }
  }
  return {.json = json + "]"};
}

}  // namespace

std::string read_gguf_string(ForeignReader& reader, std::uint64_t limit) {
  return reader.text(reader.number<std::uint64_t>(), limit);
}

GgufValue read_gguf_value(ForeignReader& reader) {
  const auto id = reader.number<std::uint32_t>();
  const GgufType& type = type_of(reader, id);
  if (id == kArrayType) return read_array(reader);
  if (id != kUint32Type) return {.json = type.read(reader)};
  const auto value = reader.number<std::uint32_t>();
  return {.json = std::to_string(value), .uint32 = value};
}

}  // namespace alknet::tensor
