#include "alknet/schema/kind.h"

#include <array>
#include <limits>

#include "alknet/schema/name_table.h"

namespace alknet::schema {
namespace {

constexpr double kSafe = 9007199254740991.0;  // 2^53 - 1
constexpr double kFloat16Max = 65504.0;
constexpr double kBFloat16Max = 3.3895313892515355e38;
constexpr double kFloat32Max = 3.4028234663852886e38;
constexpr double kFloat64Max = std::numeric_limits<double>::max();

using enum Kind;
using F = KindForm;

// clang-format off
constexpr std::array<KindInfo, 25> kTable = {{
    {kNone, "None", F::kNone, 0, 0, "", "{}", 0, 0, "anything"},
    {kInt8, "Int8", F::kInteger, 1, 1, "", R"({"type":"integer","minimum":-128,"maximum":127})",
     -128, 127, "an integer from -128 to 127"},
    {kUint8, "Uint8", F::kInteger, 1, 1, "", R"({"type":"integer","minimum":0,"maximum":255})",
     0, 255, "an integer from 0 to 255"},
    {kInt16, "Int16", F::kInteger, 2, 2, "", R"({"type":"integer","minimum":-32768,"maximum":32767})",
     -32768, 32767, "an integer from -32768 to 32767"},
    {kUint16, "Uint16", F::kInteger, 2, 2, "", R"({"type":"integer","minimum":0,"maximum":65535})",
     0, 65535, "an integer from 0 to 65535"},
    {kInt32, "Int32", F::kInteger, 4, 4, "", R"({"type":"integer","minimum":-2147483648,"maximum":2147483647})",
     -2147483648.0, 2147483647.0, "an integer from -2147483648 to 2147483647"},
    {kUint32, "Uint32", F::kInteger, 4, 4, "", R"({"type":"integer","minimum":0,"maximum":4294967295})",
     0, 4294967295.0, "an integer from 0 to 4294967295"},
    {kInt64, "Int64", F::kInteger, 8, 8, "",
     R"({"anyOf":[{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991},)"
     R"({"type":"string","pattern":"^(0|-?[1-9][0-9]{0,18})$"}]})",
     -kSafe, kSafe, "an integer from -(2^53-1) to 2^53-1, or a decimal string beyond"},
    {kUint64, "Uint64", F::kInteger, 8, 8, "",
     R"({"anyOf":[{"type":"integer","minimum":0,"maximum":9007199254740991},)"
     R"({"type":"string","pattern":"^(0|[1-9][0-9]{0,19})$"}]})",
     0, kSafe, "an integer from 0 to 2^53-1, or a decimal string beyond"},
    {kFloat16, "Float16", F::kFloat, 2, 2, "",
     R"({"anyOf":[{"type":"number","minimum":-65504,"maximum":65504},{"enum":["NaN","Infinity","-Infinity"]}]})",
     -kFloat16Max, kFloat16Max, "a number from -65504 to 65504, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {kBFloat16, "BFloat16", F::kFloat, 2, 2, "",
     R"({"anyOf":[{"type":"number","minimum":-3.3895313892515355e38,"maximum":3.3895313892515355e38},)"
     R"({"enum":["NaN","Infinity","-Infinity"]}]})",
     -kBFloat16Max, kBFloat16Max, "a number in bfloat16's range, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {kFloat32, "Float32", F::kFloat, 4, 4, "",
     R"({"anyOf":[{"type":"number","minimum":-3.4028234663852886e38,"maximum":3.4028234663852886e38},)"
     R"({"enum":["NaN","Infinity","-Infinity"]}]})",
     -kFloat32Max, kFloat32Max, "a number in float32's range, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {kFloat64, "Float64", F::kFloat, 8, 8, "",
     R"({"anyOf":[{"type":"number","minimum":-1.7976931348623157e308,"maximum":1.7976931348623157e308},)"
     R"({"enum":["NaN","Infinity","-Infinity"]}]})",
     -kFloat64Max, kFloat64Max, "a number, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {kBoolean, "Boolean", F::kBoolean, 1, 1, "", R"({"type":"boolean"})", 0, 0, "true or false"},
    {kEnum, "Enum", F::kEnum, 4, 4, "", R"({"type":"string"})", 0, 0, "one of the strings of `enum`"},
    {kString, "String", F::kText, 0, 4, "maxBytes encoding", R"({"type":"string"})", 0, 0, "a string"},
    {kBytes, "Bytes", F::kText, 0, 4, "maxBytes encoding",
     R"({"type":"string","pattern":)"
     R"("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"})",
     0, 0, "base64 (RFC 4648 section 4, padded)"},
    {kTimestamp, "Timestamp", F::kText, 0, 4, "maxBytes encoding",
     R"({"type":"string","pattern":"^[0-9]{4}-(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))|)"
     R"(((0[469]|11)-(0[1-9]|[12][0-9]|30))|(02-(0[1-9]|[12][0-9])))[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:)"
     R"(([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"})",
     0, 0, "a date and time as in RFC 3339"},
    {kRecord, "Record", F::kRecord, 0, 4, "values", R"({"type":"object"})", 0, 0, "an object"},
    {kArray, "Array", F::kArray, 0, 0, "encoding", R"({"type":"array"})", 0, 0, "an array"},
    {kStruct, "Struct", F::kStruct, 0, 0, "order", R"({"type":"object"})", 0, 0, "an object"},
    {kUnion, "Union", F::kUnion, 0, 1, "discriminator mapping order", R"({"type":"object"})", 0, 0, "an object"},
    {kTensor, "Tensor", F::kTensor, 0, 0, "dtype shape block",
     R"({"type":"object","properties":{"$tensor":{"type":"string"},"dtype":{"type":"string"},)"
     R"("shape":{"type":"array","items":{"type":"integer","minimum":0}}},"required":["$tensor","dtype","shape"]})",
     0, 0, "a tensor handle {$tensor, dtype, shape}"},
    {kBlob, "Blob", F::kBlob, 16, 8, "item", "{}", 0, 0, "its item"},
    {kJson, "Json", F::kText, 0, 1, "", "{}", 0, 0, "anything"},
}};
// clang-format on

static_assert([] {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].kind) != i) return false;
  }
  return true;
}());

}  // namespace

std::span<const KindInfo> kinds() { return kTable; }

const KindInfo& info(Kind kind) { return kTable[static_cast<std::size_t>(kind)]; }

std::optional<Kind> parse_kind(std::string_view name) {
  static const NameTable kByName = NameTable::of(kTable);
  const auto row = kByName.find(name);
  if (row == NameTable::kNotFound || kTable[row].kind == kNone) return std::nullopt;
  return kTable[row].kind;
}

bool is_scalar(Kind kind) {
  const auto form = info(kind).form;
  return form == F::kInteger || form == F::kFloat || form == F::kBoolean || form == F::kEnum;
}

}  // namespace alknet::schema
