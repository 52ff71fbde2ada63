#include "alknet/tensor/import/arrow_types.h"

#include <array>
#include <cstdint>

#include "alknet/tensor/import/flatbuffer_verify.h"

namespace alknet::tensor {
namespace {

/// The tables of format/File.fbs, Message.fbs and Schema.fbs: places in kArrowTables.
enum ArrowTable : std::uint8_t {
  kFooterTable,
  kMessageTable,
  kSchemaTable,  // the messages, in the order of the union
  kDictionaryBatchTable,
  kRecordBatchTable,
  kFieldTable,
  kKeyValueTable,
  kDictionaryEncodingTable,
  kBodyCompressionTable,
  kTypeTables,  // the types of columns, in the order of the union
};

constexpr std::uint8_t kMessages = 3;
constexpr std::uint8_t kColumnTypes = 26;

using Form = FlatField::Form;

constexpr FlatField scalar(std::uint8_t bytes) { return {.form = Form::kScalar, .bytes = bytes, .align = bytes}; }
constexpr FlatField text() { return {.form = Form::kText}; }
constexpr FlatField table(std::uint8_t type) { return {.form = Form::kTable, .type = type}; }
constexpr FlatField tables(std::uint8_t type) { return {.form = Form::kTables, .type = type}; }
constexpr FlatField choice(std::uint8_t first, std::uint8_t count) {
  return {.form = Form::kUnion, .type = first, .count = count};
}
constexpr FlatField structs(std::uint8_t bytes, std::uint8_t align) {
  return {.form = Form::kStructs, .bytes = bytes, .align = align};
}
constexpr FlatField required(FlatField field) {
  field.required = true;
  return field;
}

constexpr FlatField kFooter[] = {scalar(2), table(kSchemaTable), structs(24, 8), structs(24, 8),
                                 tables(kKeyValueTable)};
constexpr FlatField kMessage[] = {scalar(2), scalar(1), choice(kSchemaTable, kMessages), scalar(8),
                                  tables(kKeyValueTable)};
constexpr FlatField kSchema[] = {scalar(2), tables(kFieldTable), tables(kKeyValueTable), structs(8, 8)};
constexpr FlatField kDictionaryBatch[] = {scalar(8), table(kRecordBatchTable), scalar(1)};
constexpr FlatField kRecordBatch[] = {scalar(8), structs(16, 8), structs(16, 8), table(kBodyCompressionTable),
                                      structs(8, 8)};
constexpr FlatField kField[] = {text(),
                                scalar(1),
                                scalar(1),
                                choice(kTypeTables, kColumnTypes),
                                table(kDictionaryEncodingTable),
                                tables(kFieldTable),
                                tables(kKeyValueTable)};
constexpr FlatField kKeyValue[] = {required(text()), required(text())};
constexpr FlatField kDictionaryEncoding[] = {scalar(8), table(kTypeTables + 1), scalar(1), scalar(2)};
constexpr FlatField kBodyCompression[] = {scalar(1), scalar(1)};

constexpr FlatField kInt[] = {scalar(4), scalar(1)};
constexpr FlatField kDecimal[] = {scalar(4), scalar(4), scalar(4)};
constexpr FlatField kTime[] = {scalar(2), scalar(4)};
constexpr FlatField kTimestamp[] = {scalar(2), text()};
constexpr FlatField kUnion[] = {scalar(2), structs(4, 4)};
constexpr FlatField kShort[] = {scalar(2)};  // a precision or a unit
constexpr FlatField kWidth[] = {scalar(4)};
constexpr FlatField kFlag[] = {scalar(1)};

constexpr std::array<FlatType, kTypeTables + kColumnTypes> kArrowTables = {{
    {kFooter},
    {kMessage},
    {kSchema},
    {kDictionaryBatch},
    {kRecordBatch},
    {kField},
    {kKeyValue},
    {kDictionaryEncoding},
    {kBodyCompression},
    {},
    {kInt},
    {kShort},  // null, int, floating point
    {},
    {},
    {},  // binary, utf8, bool
    {kDecimal},
    {kShort},
    {kTime},  // decimal, date, time
    {kTimestamp},
    {kShort},
    {},  // timestamp, interval, list
    {},
    {kUnion},
    {kWidth},  // struct, union, fixed-size binary
    {kWidth},
    {kFlag},
    {kShort},  // fixed-size list, map, duration
    {},
    {},
    {},  // large binary, large utf8, large list
    {},
    {},
    {},  // run-end encoded, binary view, utf8 view
    {},
    {},  // list view, large list view
}};

}  // namespace

void verify_arrow_footer(std::span<const std::byte> buffer) { verify_flatbuffer(buffer, kArrowTables, kFooterTable); }

void verify_arrow_message(std::span<const std::byte> buffer) { verify_flatbuffer(buffer, kArrowTables, kMessageTable); }

}  // namespace alknet::tensor
