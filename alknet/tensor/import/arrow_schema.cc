#include "alknet/tensor/import/arrow_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>

#include "alknet/base/utf8.h"
#include "alknet/tensor/fault.h"

namespace alknet::tensor {
namespace {

using schema::Kind;

constexpr std::uint32_t kMaxFixedBinary = 1u << 20;
constexpr std::size_t kMaxDescription = 200;
constexpr std::string_view kExtensionKey = "ARROW:extension:name";

// Numbers of fields in Schema.fbs.
enum SchemaField : unsigned { kEndianness = 0, kFields = 1, kSchemaMetadata = 2 };
enum FieldField : unsigned {
  kName = 0,
  kNullable = 1,
  kTypeType = 2,
  kType = 3,
  kDictionary = 4,
  kChildren = 5,
  kFieldMetadata = 6
};

[[noreturn]] void refuse_column(std::string_view name, std::string_view what, std::string_view remedy) {
  throw ArrowFault{true, fmt::format("column {} {}", quoted(name), what), std::string(remedy)};
}

constexpr std::string_view kCastRemedy = "cast it to numbers or text before writing the file";

std::string_view unit_name(std::string_view column, std::int16_t unit) {
  static constexpr std::array<std::string_view, 4> kUnits = {"s", "ms", "us", "ns"};
  if (unit < 0 || unit >= 4) refuse_column(column, "has an unknown unit of time", kDamagedRemedy);
  return kUnits[static_cast<std::size_t>(unit)];
}

void set_fixed(ArrowColumn& column, Kind kind) {
  column.kind = kind;
  column.width = schema::info(kind).size;
}

void set_integer(ArrowColumn& column, const FlatTable& type) {
  const auto bits = type.number<std::int32_t>(0);
  const bool is_signed = type.number<std::uint8_t>(1) != 0;
  const auto kind = schema::parse_kind(fmt::format("{}{}", is_signed ? "Int" : "Uint", bits));
  if (!kind) refuse_column(column.name, fmt::format("has integers of {} bits", bits), kDamagedRemedy);
  set_fixed(column, *kind);
}

void set_float(ArrowColumn& column, const FlatTable& type) {
  static constexpr std::array kKinds = {Kind::kFloat16, Kind::kFloat32, Kind::kFloat64};
  const auto precision = type.number<std::int16_t>(0);
  if (precision < 0 || precision > 2) refuse_column(column.name, "has an unknown float type", kDamagedRemedy);
  set_fixed(column, kKinds[static_cast<std::size_t>(precision)]);
}

void set_date(ArrowColumn& column, const FlatTable& type) {
  const auto unit = type.number<std::int16_t>(0, 1);
  if (unit != 0 && unit != 1) refuse_column(column.name, "has an unknown unit of dates", kDamagedRemedy);
  set_fixed(column, unit == 0 ? Kind::kInt32 : Kind::kInt64);
  column.description = unit == 0 ? "Arrow date32: days since 1970-01-01" : "Arrow date64: ms since 1970-01-01";
}

void set_time(ArrowColumn& column, const FlatTable& type) {
  const auto unit = type.number<std::int16_t>(0, 1);
  const auto bits = type.number<std::int32_t>(1, 32);
  column.description = fmt::format("Arrow time{}[{}] since midnight", bits, unit_name(column.name, unit));
  if (bits != (unit < 2 ? 32 : 64)) refuse_column(column.name, "has a time of an impossible width", kDamagedRemedy);
  set_fixed(column, bits == 32 ? Kind::kInt32 : Kind::kInt64);
}

void set_timestamp(ArrowColumn& column, const FlatTable& type) {
  const std::string_view unit = unit_name(column.name, type.number<std::int16_t>(0));
  const std::string_view zone = type.text(1).substr(0, 64);
  if (find_invalid_utf8(zone)) refuse_column(column.name, "has a time zone that is not UTF-8", kDamagedRemedy);
  column.description =
      zone.empty() ? fmt::format("Arrow timestamp[{}]", unit) : fmt::format("Arrow timestamp[{}, tz={}]", unit, zone);
  set_fixed(column, Kind::kInt64);
}

void set_duration(ArrowColumn& column, const FlatTable& type) {
  column.description = fmt::format("Arrow duration[{}]", unit_name(column.name, type.number<std::int16_t>(0, 1)));
  set_fixed(column, Kind::kInt64);
}

void set_fixed_binary(ArrowColumn& column, const FlatTable& type) {
  const auto width = type.number<std::int32_t>(0);
  if (width < 1 || width > static_cast<std::int32_t>(kMaxFixedBinary)) {
    refuse_column(column.name,
                  fmt::format("has binary values of {} bytes, the limits are 1 and {}", width, kMaxFixedBinary),
                  "cast it to binary");
  }
  column.kind = Kind::kUint8;
  column.width = static_cast<std::uint32_t>(width);
  column.is_array = true;
}

template <ArrowForm form, Kind kind>
void set_form(ArrowColumn& column, const FlatTable&) {
  column.form = form;
  column.kind = kind;
}

/// One row of the table of Arrow types (`union Type` in Schema.fbs, in its order from 1). Those without `set` have no
/// counterpart in a record of ours.
struct ArrowType {
  std::string_view name;
  void (*set)(ArrowColumn& column, const FlatTable& type) = nullptr;
};

constexpr std::array kArrowTypes = {
    ArrowType{"null"},
    ArrowType{"int", set_integer},
    ArrowType{"floating point", set_float},
    ArrowType{"binary", set_form<ArrowForm::kOffsets, Kind::kBytes>},
    ArrowType{"utf8", set_form<ArrowForm::kOffsets, Kind::kString>},
    ArrowType{"bool", set_form<ArrowForm::kBit, Kind::kBoolean>},
    ArrowType{"decimal"},
    ArrowType{"date", set_date},
    ArrowType{"time", set_time},
    ArrowType{"timestamp", set_timestamp},
    ArrowType{"interval"},
    ArrowType{"list"},
    ArrowType{"struct"},
    ArrowType{"union"},
    ArrowType{"fixed-size binary", set_fixed_binary},
    ArrowType{"fixed-size list"},
    ArrowType{"map"},
    ArrowType{"duration", set_duration},
    ArrowType{"large binary", set_form<ArrowForm::kLargeOffsets, Kind::kBytes>},
    ArrowType{"large utf8", set_form<ArrowForm::kLargeOffsets, Kind::kString>},
    ArrowType{"large list"},
    ArrowType{"run-end encoded"},
    ArrowType{"binary view"},
    ArrowType{"utf8 view"},
    ArrowType{"list view"},
    ArrowType{"large list view"},
};

/// Copies metadata out, while they are not too many: several of them may share the bytes of one text.
class MetadataReader {
 public:
  explicit MetadataReader(Metadata& metadata) : metadata_(metadata) {}

  void add(const FlatTable& table, unsigned field, std::string_view prefix, std::string* extension = nullptr) {
    const FlatVector pairs = table.vector(field, 4, 4);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const FlatTable pair = pairs.table(i);
      const std::string_view key = pair.text(0);
      const std::string_view value = pair.text(1);
      bytes_ += prefix.size() + key.size() + value.size();
      if (bytes_ > kMaxArrowMetadata) {
        throw ArrowFault{false, fmt::format("metadata of more than {} bytes", kMaxArrowMetadata), "leave some out"};
      }
      if (find_invalid_utf8(key) || find_invalid_utf8(value)) {
        throw ArrowFault{true, "metadata that are not UTF-8", "store them as text, or leave them out"};
      }
      std::string name = fmt::format("{}{}", prefix, key);
      if (!names_.insert(name).second) {
        throw ArrowFault{true, fmt::format("two metadata named {}", quoted(key)), "keep one of them"};
      }
      if (extension != nullptr && key == kExtensionKey) *extension = value.substr(0, kMaxDescription);
      metadata_.emplace_back(std::move(name), value);
    }
  }

 private:
  Metadata& metadata_;
  std::unordered_set<std::string> names_;
  std::size_t bytes_ = 0;
};

ArrowColumn read_column(const FlatTable& field, MetadataReader& metadata) {
  ArrowColumn column{.name = std::string(field.text(kName))};
  column.nullable = field.number<std::uint8_t>(kNullable) != 0;
  if (field.has(kDictionary)) {
    refuse_column(column.name, "is dictionary-encoded", "cast it to its value type before writing the file");
  }
  const auto id = field.number<std::uint8_t>(kTypeType);
  const auto type = field.table(kType);
  if (id == 0 || id > kArrowTypes.size() || !type) {
    refuse_column(column.name, fmt::format("has the unknown type {}", id), kCastRemedy);
  }
  const ArrowType& row = kArrowTypes[id - 1u];
  if (row.set == nullptr) refuse_column(column.name, fmt::format("has type {}", row.name), kCastRemedy);
  row.set(column, *type);
  if (field.vector(kChildren, 4, 4).size() > 0) refuse_column(column.name, "has children", kDamagedRemedy);
  std::string extension;
  metadata.add(field, kFieldMetadata, fmt::format("arrow.field.{}.", column.name), &extension);
  if (!extension.empty() && !find_invalid_utf8(extension)) {
    column.description = fmt::format("Arrow extension {}", extension);
  }
  return column;
}

}  // namespace

JsonObject ArrowColumn::node() const {
  JsonObject node{{fmt::format("TypeDef:{}", schema::name(kind)), true}};
  if (is_array) node = {{"TypeDef:Array", true}, {"items", node}, {"minItems", width}, {"maxItems", width}};
  if (is_blob()) node = {{"TypeDef:Blob", JsonObject{{"item", node}}}};
  if (!description.empty()) node["description"] = description;
  return node;
}

std::vector<ArrowColumn> read_arrow_schema(const FlatTable& schema, Metadata& metadata) {
  if (schema.number<std::int16_t>(kEndianness) != 0) {
    throw ArrowFault{true, "a big-endian file", "write it again on a little-endian machine"};
  }
  MetadataReader reader(metadata);
  const FlatVector fields = schema.vector(kFields, 4, 4);
  std::vector<ArrowColumn> columns;
  std::unordered_set<std::string_view> names;  // of the buffer: many columns may share the bytes of one name
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FlatTable field = fields.table(i);
    const std::string_view name = field.text(kName);
    if (name.empty() || find_invalid_utf8(name)) {
      throw ArrowFault{true, fmt::format("column {} has no name in UTF-8", i), "name it"};
    }
    if (!names.insert(name).second) refuse_column(name, "occurs twice", "rename one of them");
    columns.push_back(read_column(field, reader));
  }
  if (columns.empty()) throw ArrowFault{true, "a table without columns", "add one"};
  reader.add(schema, kSchemaMetadata, "arrow.");
  return columns;
}

Json arrow_record_schema(const std::vector<ArrowColumn>& columns) {
  JsonArray order;
  JsonArray required;
  JsonObject properties;
  for (const ArrowColumn& column : columns) {
    order.emplace_back(column.name);
    if (!column.nullable) required.emplace_back(column.name);
    properties.emplace(column.name, column.node());
  }
  JsonObject node{{"TypeDef:Struct", JsonObject{{"order", std::move(order)}}}, {"properties", std::move(properties)}};
  if (!required.empty()) node["required"] = std::move(required);
  return node;
}

}  // namespace alknet::tensor
