#include "alknet/tensor/migrate.h"

#include <cmath>
#include <limits>

#include "alknet/base/bytes.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/record_writer.h"
#include "alknet/tensor/records.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

std::string kind(const std::string& name) { return "{\"TypeDef:" + name + "\":true}"; }
std::string text_of(int max_bytes) { return R"({"TypeDef:String":{"maxBytes":)" + std::to_string(max_bytes) + "}}"; }
std::string blob_of(const std::string& item) { return R"({"TypeDef:Blob":{"item":")" + item + "\"}}"; }
std::string names_of(const std::string& list) { return R"({"TypeDef:Enum":true,"enum":)" + list + "}"; }
std::string array_of(int count, const std::string& items) {
  const auto n = std::to_string(count);
  return R"({"TypeDef:Array":true,"minItems":)" + n + R"(,"maxItems":)" + n + R"(,"items":)" + items + "}";
}
std::string struct_of(const std::string& properties, const std::string& required = "") {
  return R"({"TypeDef:Struct":true,"properties":{)" + properties + R"(},"required":[)" + required + "]}";
}

/// A file schema of one entry, `t`.
std::string file_of(const std::string& dtype, const std::string& shape = "[-1]") {
  return R"({"TypeDef:Struct":true,"required":["t"],"properties":{"t":{"TypeDef:Tensor":{"dtype":)" + dtype +
         ",\"shape\":" + shape + "}}}}";
}

MigrateOptions with(std::initializer_list<std::pair<const char*, const char*>> converters, bool saturate = false) {
  MigrateOptions options;
  options.conversion.saturate = saturate;
  for (const auto& [path, name] : converters) {
    if (std::string_view(name) == "drop") {
      options.conversion.drops.insert(path);
    } else {
      options.conversion.converters.emplace(path, schema::make_converter(name));
    }
  }
  return options;
}

/// One change of a record's schema, what is in the old file, and what must be in the new one.
struct Case {
  const char* what;
  std::string before;    // a Struct
  std::string after;     // a Struct
  std::string old_json;  // an array of records
  std::string new_json;  // an array of records, or the code name of the error
  MigrateOptions options = {};
};

/// Records {"a": ...} whose field is required.
Case field(const char* what, const std::string& before, const std::string& after, const std::string& old_value,
           const std::string& new_value, MigrateOptions options = {}) {
  const auto json = [](const std::string& value) { return "[{\"a\":" + value + "}]"; };
  const bool is_error =
      !new_value.empty() && std::isalpha(new_value[0]) != 0 && new_value.find('_') != std::string::npos;
  return {what,
          struct_of("\"a\":" + before, "\"a\""),
          struct_of("\"a\":" + after, "\"a\""),
          json(old_value),
          is_error ? new_value : json(new_value),
          std::move(options)};
}

std::vector<Case> record_cases() {
  const std::string a = R"("a":{"TypeDef:Int16":true})";
  const std::string b = R"("b":{"TypeDef:Float64":true})";
  const std::string defaulted = R"("a":{"TypeDef:Int16":true,"default":7})";
  const std::string inner = struct_of(a + "," + b, R"("a")");
  const std::string inner_turned = struct_of(b + R"(,"a":{"TypeDef:Int32":true})", R"("a")");
  return {
      {"unchanged", struct_of(a), struct_of(a), R"([{"a":1},{},{"a":-3}])", R"([{"a":1},{},{"a":-3}])"},
      {"no records", struct_of(a), struct_of(b), "[]", "[]", with({{"t.a", "drop"}})},
      // Fields come and go.
      {"added nullable", struct_of(a), struct_of(a + "," + b), R"([{"a":1},{}])", R"([{"a":1},{}])"},
      {"added with default", struct_of(b), struct_of(b + "," + defaulted), R"([{"b":1.5},{}])",
       R"([{"b":1.5,"a":7},{"a":7}])"},
      {"added with a text default", struct_of(a),
       struct_of(a + R"(,"n":{"TypeDef:Blob":{"item":"String"},"default":"none"})"), R"([{"a":1},{"a":2}])",
       R"([{"a":1,"n":"none"},{"a":2,"n":"none"}])"},
      {"added required", struct_of(a), struct_of(a + "," + b, R"("b")"), R"([{"a":1}])", "migration_refused"},
      {"added required by constant", struct_of(a), struct_of(a + "," + b, R"("b")"), R"([{"a":1}])",
       R"([{"a":1,"b":2.5}])", with({{"t.b", "constant:2.5"}})},
      {"removed", struct_of(a + "," + b), struct_of(a), R"([{"a":1,"b":2}])", "migration_refused"},
      {"removed by drop", struct_of(a + "," + b), struct_of(a), R"([{"a":1,"b":2},{"b":3}])", R"([{"a":1},{}])",
       with({{"t.b", "drop"}})},
      {"reordered", struct_of(a + "," + b), struct_of(b + "," + a), R"([{"a":1,"b":2.5},{"b":3.5},{"a":4}])",
       R"([{"b":2.5,"a":1},{"b":3.5},{"a":4}])"},
      {"inside a struct", struct_of("\"s\":" + inner), struct_of("\"s\":" + inner_turned),
       R"([{"s":{"a":1,"b":2.5}},{},{"s":{"a":-5}}])", R"([{"s":{"b":2.5,"a":1}},{},{"s":{"a":-5}}])"},
      {"inside an array of structs", struct_of("\"s\":" + array_of(2, inner)),
       struct_of("\"s\":" + array_of(2, inner_turned)), R"([{"s":[{"a":1,"b":2.5},{"a":2}]}])",
       R"([{"s":[{"b":2.5,"a":1},{"a":2}]}])"},
      // Presence.
      {"required to nullable", struct_of(a, R"("a")"), struct_of(a), R"([{"a":1}])", R"([{"a":1}])"},
      {"nullable to required", struct_of(a), struct_of(a, R"("a")"), R"([{"a":1}])", R"([{"a":1}])"},
      {"absent to required", struct_of(a), struct_of(a, R"("a")"), R"([{"a":1},{}])", "instance_invalid"},
      {"absent to required by fill", struct_of(a), struct_of(a, R"("a")"), R"([{"a":1},{}])", R"([{"a":1},{"a":9}])",
       with({{"t.a", "fill:9"}})},
      {"absent to default", struct_of(a), struct_of(defaulted), R"([{"a":1},{}])", R"([{"a":1},{"a":7}])"},
      {"default to nullable", struct_of(defaulted), struct_of(a), R"([{"a":1},{}])", R"([{"a":1},{"a":7}])"},
      // Numbers.
      field("wider", kind("Int8"), kind("Int64"), "-128", "-128"),
      field("narrower that fits", kind("Int32"), kind("Uint8"), "255", "255"),
      field("narrower that does not", kind("Int32"), kind("Uint8"), "256", "instance_invalid"),
      field("narrower, saturated", kind("Int32"), kind("Uint8"), "256", "255", with({}, true)),
      field("negative, saturated", kind("Int32"), kind("Uint8"), "-1", "0", with({}, true)),
      field("largest unsigned", kind("Uint64"), kind("Int64"), R"("18446744073709551615")", "instance_invalid"),
      field("largest unsigned, saturated", kind("Uint64"), kind("Int64"), R"("18446744073709551615")",
            R"("9223372036854775807")", with({}, true)),
      field("long integer", kind("Int64"), kind("Uint64"), R"("9007199254740993")", R"("9007199254740993")"),
      field("integer to float", kind("Int32"), kind("Float32"), "16777216", "1.6777216E7"),
      field("integer that a float rounds", kind("Int32"), kind("Float32"), "16777217", "instance_invalid"),
      field("integer rounded to a float", kind("Int32"), kind("Float32"), "16777217", "1.6777216E7",
            with({{"t.a", "round"}})),
      field("whole float to integer", kind("Float64"), kind("Int8"), "-3.0", "-3"),
      field("fraction to integer", kind("Float64"), kind("Int8"), "2.5", "instance_invalid"),
      field("fraction, saturated", kind("Float64"), kind("Int8"), "2.5", "instance_invalid", with({}, true)),
      field("fraction, rounded", kind("Float64"), kind("Int8"), "2.5", "2", with({{"t.a", "round"}})),
      field("large fraction, rounded and saturated", kind("Float64"), kind("Int8"), "1e30", "127",
            with({{"t.a", "round"}}, true)),
      field("NaN to integer", kind("Float64"), kind("Int8"), R"("NaN")", "instance_invalid", with({}, true)),
      field("infinity to integer", kind("Float64"), kind("Int8"), R"("-Infinity")", "-128", with({}, true)),
      field("float to shorter", kind("Float64"), kind("Float16"), "1.0001", "1.0E0"),
      field("float beyond shorter", kind("Float64"), kind("Float16"), "65520", "instance_invalid"),
      field("float beyond shorter, saturated", kind("Float64"), kind("Float16"), "-1e10", "-6.5504E4", with({}, true)),
      field("NaN to shorter", kind("Float64"), kind("BFloat16"), R"("NaN")", R"("NaN")"),
      field("scaled", kind("Int32"), kind("Float32"), "500", "5.0E-1", with({{"t.a", "scale:0.001"}})),
      field("boolean to number", kind("Boolean"), kind("Int8"), "true", "migration_refused"),
      field("boolean to number by name", kind("Boolean"), kind("Int8"), "true", "1", with({{"t.a", "number"}})),
      // Texts.
      field("longer reservation", text_of(3), text_of(9), R"("äb")", R"("äb")"),
      field("shorter that fits", text_of(9), text_of(3), R"("äb")", R"("äb")"),
      field("shorter that does not", text_of(9), text_of(3), R"("abcd")", "reservation_overflow"),
      field("text to blob", text_of(9), blob_of("String"), R"("abc")", R"("abc")"),
      field("blob to text", blob_of("String"), text_of(9), R"("abc")", R"("abc")"),
      field("blob to text that is too short", blob_of("String"), text_of(2), R"("abc")", "reservation_overflow"),
      field("text to number", text_of(9), kind("Int32"), R"("12")", "migration_refused"),
      field("text to number by name", text_of(9), kind("Int32"), R"("12")", "12", with({{"t.a", "number"}})),
      field("text that is no number", text_of(9), kind("Int32"), R"("x12")", "instance_invalid",
            with({{"t.a", "number"}})),
      field("number to text", kind("Int32"), text_of(9), "-12", R"("-12")", with({{"t.a", "text"}})),
      field("text to bytes", text_of(9), R"({"TypeDef:Bytes":{"maxBytes":4}})", R"("hi")", R"("aGk=")",
            with({{"t.a", "utf8_bytes"}})),
      field("bytes to text", blob_of("Bytes"), blob_of("String"), R"("aGk=")", R"("hi")", with({{"t.a", "utf8_text"}})),
      field("text to timestamp", text_of(30), R"({"TypeDef:Timestamp":{"maxBytes":30}})", R"("2024-02-29T12:00:00Z")",
            R"("2024-02-29T12:00:00Z")"),
      field("text that is no timestamp", text_of(30), R"({"TypeDef:Timestamp":{"maxBytes":30}})", R"("yesterday")",
            "instance_invalid"),
      field("number to json", kind("Int32"), blob_of("Json"), "5", "5"),
      field("json to number", blob_of("Json"), kind("Int32"), "5", "5"),
      field("json that is no number", blob_of("Json"), kind("Int32"), R"({"x":1})", "instance_invalid"),
      // Blobs.
      field("blob kept", blob_of("String"), blob_of("String"), R"("äbc")", R"("äbc")"),
      field("ragged, wider", blob_of("Int16"), blob_of("Float64"), "[1,-2,3]", "[1.0,-2.0,3.0]"),
      field("ragged, narrower", blob_of("Int16"), blob_of("Int8"), "[1,300]", "instance_invalid"),
      field("ragged, saturated", blob_of("Int16"), blob_of("Int8"), "[1,300]", "[1,127]", with({}, true)),
      field("empty ragged", blob_of("Int16"), blob_of("Int8"), "[]", "[]"),
      // Enums.
      field("remapped by name", names_of(R"(["x","y"])"), names_of(R"(["y","z","x"])"), R"("y")", R"("y")"),
      field("name that is left out", names_of(R"(["x","y"])"), names_of(R"(["x"])"), R"("y")", "bad_enum"),
      field("enum to text", names_of(R"(["x","y"])"), text_of(1), R"("y")", R"("y")"),
      field("text to enum", text_of(1), names_of(R"(["x","y"])"), R"("y")", R"("y")"),
      // Arrays.
      field("items", array_of(3, kind("Int8")), array_of(3, kind("Float32")), "[1,2,3]", "[1.0,2.0,3.0]"),
      field("reshaped", array_of(2, array_of(3, kind("Int8"))), array_of(3, array_of(2, kind("Int16"))),
            "[[1,2,3],[4,5,6]]", "[[1,2],[3,4],[5,6]]"),
      field("resized", array_of(2, kind("Int8")), array_of(3, kind("Int8")), "[1,2]", "migration_refused"),
      field("resized by name", array_of(2, kind("Int8")), array_of(3, kind("Int8")), "[1,2]", "[1,2,9]",
            with({{"t.a", "resize:3:9"}})),
      field("item in range by name", array_of(2, kind("Float32")), array_of(2, kind("Int8")), "[1.5,2.4]", "[2,2]",
            with({{"t.a[]", "round"}})),
      field("counted to ragged", array_of(2, kind("Int8")), blob_of("Int8"), "[1,2]", "[1,2]"),
      field("ragged to counted", blob_of("Int8"), array_of(2, kind("Int8")), "[1,2]", "[1,2]"),
      field("ragged of another count", blob_of("Int8"), array_of(2, kind("Int8")), "[1,2,3]", "bad_length"),
      // Annotations.
      field("align", kind("Int8"), R"({"TypeDef:Int8":{"align":32}})", "5", "5"),
      field("limit that holds", kind("Int8"), R"({"TypeDef:Int8":true,"minimum":0})", "5", "5"),
      field("limit that does not", kind("Int8"), R"({"TypeDef:Int8":true,"minimum":6})", "5", "instance_invalid"),
      field("limit on a blob", blob_of("String"), R"({"TypeDef:Blob":{"item":{"TypeDef:String":true,"minLength":3}}})",
            R"("ab")", "instance_invalid"),
      field("title", kind("Int8"), R"({"TypeDef:Int8":true,"title":"A"})", "5", "5"),
      // Options that mean nothing are refused.
      field("converter for nothing", kind("Int8"), kind("Int8"), "5", "migration_refused", with({{"t.b", "round"}})),
      field("drop of nothing", kind("Int8"), kind("Int8"), "5", "migration_refused", with({{"t.a", "drop"}})),
  };
}

class MetatensorMigration : public testing::Test {
 protected:
  File write(const std::string& schema, const std::string& json, WriterOptions options = {}) {
    const std::string path = folder_.path("old.mt");
    options.schema = schema::Schema::parse(schema);
    Writer writer(path, std::move(options));
    RecordWriter records(writer, "t");
    writer.start();
    const Json instances = parse_json(json);
    std::ranges::copy(instances.as_array(), std::back_inserter(records));
    writer.close();
    return File::open(path);
  }

  File flat(FileDtype dtype, std::vector<std::int64_t> shape, std::span<const std::byte> bytes) {
    const std::string path = folder_.path("flat.mt");
    Writer writer(path);
    const auto id = writer.declare({.name = "t", .dtype = dtype, .shape = std::move(shape)});
    writer.start();
    writer.write(id, 0, bytes);
    writer.close();
    return File::open(path);
  }

  File migrated(const File& file, const std::string& schema, const MigrateOptions& options = {}) {
    migrate(file, schema::Schema::parse(schema), target_, options);
    const File made = File::open(target_);
    EXPECT_TRUE(verify(made).empty());
    return made;
  }

  TestFolder folder_;
  std::string target_ = folder_.path("new.mt");
};

TEST_F(MetatensorMigration, DoesEveryClassOfChange) {
  for (const auto& each : record_cases()) {
    SCOPED_TRACE(each.what);
    const File file = write(file_of(each.before), each.old_json);
    if (each.new_json.front() != '[') {
      EXPECT_EQ(code_of([&] { migrated(file, file_of(each.after), each.options); }), each.new_json);
      EXPECT_THAT(folder_.names(), testing::ElementsAre("old.mt"));
      continue;
    }
    const Json wanted = parse_json(each.new_json);
    const File made = migrated(file, file_of(each.after), each.options);
    const RecordsView records = made.records("t");
    JsonArray found;
    for (const auto record : records) found.push_back(record.json());
    EXPECT_EQ(Json(found), wanted);
    std::filesystem::remove(target_);
  }
}

TEST_F(MetatensorMigration, ListsAllThatItCannotDo) {
  const std::string before =
      struct_of(R"("a":{"TypeDef:Boolean":true},"b":{"TypeDef:Int8":true},"c":{"TypeDef:Int8":true})");
  const std::string after = struct_of(
      R"("a":{"TypeDef:Int8":true},"b":{"TypeDef:String":{"maxBytes":2}},"d":{"TypeDef:Int8":true})", R"("d")");
  const Error error = error_of([&] { migrated(write(file_of(before), "[]"), file_of(after), with({{"x", "round"}})); });
  std::vector<std::string> paths;
  for (const auto& refusal : error.details().at("refusals").as_array())
    paths.emplace_back(refusal.at("path").as_string());
  EXPECT_THAT(paths, testing::ElementsAre("t.a", "t.b", "t.d", "t.c", "x"));
  EXPECT_THAT(error.message(), testing::HasSubstr("`drop`"));
}

TEST_F(MetatensorMigration, ValuesThatDoNotFitAreNamed) {
  const File file = write(file_of(struct_of("\"s\":" + struct_of("\"x\":" + kind("Int32")))),
                          R"([{"s":{"x":1}},{"s":{"x":2}},{"s":{"x":300}}])");
  save(target_, "the old one");
  const Error error =
      error_of([&] { migrated(file, file_of(struct_of("\"s\":" + struct_of("\"x\":" + kind("Int8"))))); });
  EXPECT_EQ(error.code_name(), "instance_invalid");
  EXPECT_EQ(error.details().at("entry"), "t");
  EXPECT_EQ(error.details().at("index"), 2);
  EXPECT_EQ(error.details().at("field"), "t.s.x");
  EXPECT_THAT(error.message(), testing::HasSubstr("300 is beyond Int8"));
  EXPECT_EQ(load_file(target_), "the old one");
}

TEST_F(MetatensorMigration, KeepsMetadataAndChecksums) {
  const Metadata metadata = {{"z", "last"}, {"a", "\u00e4 \"quoted\" \n"}, {"format", "tf"}};
  const std::string before = file_of(struct_of("\"a\":" + blob_of("String")));
  const std::string after = file_of(struct_of("\"a\":" + blob_of("String") + ",\"b\":" + kind("Int8")));
  const File file = write(before, R"([{"a":"x"}])", {.metadata = metadata, .checksums = true});
  const File made = migrated(file, after);
  EXPECT_EQ(user_metadata(made), metadata);
  EXPECT_TRUE(made.metadata(kChecksumKey).has_value());
  EXPECT_EQ(made.schema().document(), schema::Schema::parse(after).document());
  const File plain = migrated(write(before, R"([{"a":"x"}])"), after);
  EXPECT_FALSE(plain.metadata(kChecksumKey).has_value());
}

TEST_F(MetatensorMigration, ReturnsWhatChanged) {
  const auto changes = migrate(write(file_of(struct_of("\"a\":" + kind("Int8"))), "[]"),
                               schema::Schema::parse(file_of(struct_of("\"a\":" + kind("Int16")))), target_);
  ASSERT_EQ(changes.changes.size(), 1u);
  EXPECT_EQ(changes.changes[0].path, "t.a");
}

// Many records, larger than the pieces and the blob window, with texts of many lengths.
TEST_F(MetatensorMigration, StreamsManyRecords) {
  const std::string before =
      file_of(struct_of("\"i\":" + kind("Uint32") + ",\"s\":" + blob_of("String"), R"("i","s")"));
  const std::string after = file_of(
      struct_of("\"s\":" + blob_of("String") + R"(,"n":{"TypeDef:Int8":true,"default":1},"i":{"TypeDef:Float64":true})",
                R"("i","s")"));
  const std::string path = folder_.path("many.mt");
  Writer writer(path, {.schema = schema::Schema::parse(before)});
  RecordWriter records(writer, "t");
  writer.start();
  constexpr std::uint32_t kCount = 150'000;
  std::vector<std::byte> record(records.stride());
  for (std::uint32_t i = 0; i < kCount; ++i) {
    store_le(record.data(), i);
    store_le(record.data() + 8, records.store_blob(std::string(i % 40, static_cast<char>('a' + i % 26))));
    records.append(record);
  }
  writer.close();
  for (const Access access : {Access::kMap, Access::kRead}) {
    const RecordsView made = migrated(File::open(path, {.access = access}), after).records("t");
    ASSERT_EQ(made.count(), kCount);
    const auto numbers = made.column<double>("i");
    const auto texts = made.text_column("s");
    for (std::uint32_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(numbers[i], i);
      ASSERT_EQ(texts[i], std::string(i % 40, static_cast<char>('a' + i % 26)));
    }
  }
}

TEST_F(MetatensorMigration, ConvertsFlatTensors) {
  const std::vector<float> values = {0, -1.5F, 448, 1e-3F, 65504};
  const File file = flat(FileDtype::kF32, {5}, bytes_of(values));
  const File halves = migrated(file, file_of("\"F16\"", "[5]"));
  EXPECT_EQ(halves.tensor("t").as<std::uint16_t>()[1], 0xBE00);  // -1.5
  EXPECT_EQ(halves.tensor("t").as<std::uint16_t>()[4], 0x7BFF);  // the largest
  EXPECT_EQ(code_of([&] { migrated(file, file_of("\"I16\"", "[5]")); }), "instance_invalid");
  const Error error = error_of([&] { migrated(file, file_of("\"I16\"", "[5]")); });
  EXPECT_EQ(error.details().at("index"), 1);
  const File rounded = migrated(file, file_of("\"I16\"", "[5]"), with({{"t", "round"}}, true));
  EXPECT_THAT(rounded.tensor("t").as<std::int16_t>(), testing::ElementsAre(0, -2, 448, 0, 32767));
  EXPECT_EQ(code_of([&] { migrated(file, file_of("\"BOOL\"", "[5]")); }), "migration_refused");
  EXPECT_EQ(code_of([&] { migrated(file, file_of("\"F32\"", "[6]")); }), "migration_refused");
  EXPECT_EQ(code_of([&] { migrated(file, file_of(struct_of("\"a\":" + kind("Int8")))); }), "migration_refused");
  const File reshaped = migrated(file, file_of("\"F64\"", "[-1,1]"));
  EXPECT_THAT(reshaped.entry("t").shape, testing::ElementsAre(5, 1));
  EXPECT_EQ(reshaped.tensor("t").as<double>()[3], static_cast<double>(1e-3F));
}

// OCP E4M3: 448 is the largest, 464 is a tie that goes to it as the even one, and there are no infinities.
TEST_F(MetatensorMigration, ConvertsToSmallFloats) {
  const auto convert = [&](float value, const char* dtype, bool saturate) {
    const std::vector<float> pair = {value, 1};
    return migrated(flat(FileDtype::kF32, {2}, bytes_of(pair)), file_of("\"" + std::string(dtype) + "\"", "[2]"),
                    with({}, saturate));
  };
  const auto first = [&](float value, const char* dtype, bool saturate = false) {
    return std::to_integer<int>(convert(value, dtype, saturate).tensor("t").data()[0]);
  };
  EXPECT_EQ(first(448, "F8_E4M3"), 0x7E);
  EXPECT_EQ(first(464, "F8_E4M3"), 0x7E);
  EXPECT_EQ(first(-0.0F, "F8_E4M3"), 0x80);
  EXPECT_EQ(first(-0.0F, "F8_E4M3FNUZ"), 0);
  EXPECT_EQ(first(1.0625F, "F8_E4M3"), 0x38);  // half between 1 and 1.125: to the even mantissa
  EXPECT_EQ(first(1.1875F, "F8_E4M3"), 0x3A);
  EXPECT_EQ(code_of([&] { first(465, "F8_E4M3"); }), "instance_invalid");
  EXPECT_EQ(first(465, "F8_E4M3", true), 0x7E);
  EXPECT_EQ(first(std::numeric_limits<float>::infinity(), "F8_E5M2"), 0x7C);
  EXPECT_EQ(first(-std::numeric_limits<float>::infinity(), "F8_E4M3", true), 0xFE);
  EXPECT_EQ(first(8, "F8_E8M0"), 130);
  EXPECT_EQ(first(-6, "F4"), 0x2F);  // -6 in the low half, 1 in the high one
  EXPECT_EQ(code_of([&] { first(std::nanf(""), "F4"); }), "instance_invalid");
}

TEST_F(MetatensorMigration, ConvertsBlobTensors) {
  const std::string before = R"({"TypeDef:Struct":true,"required":["t"],"properties":{
    "t":{"TypeDef:Tensor":{"dtype":{"TypeDef:Blob":{"item":"String"}},"shape":[-1,2]}}}})";
  const std::string path = folder_.path("texts.mt");
  Writer writer(path, {.schema = schema::Schema::parse(before)});
  BlobWriter texts(writer, "t");
  writer.start();
  for (const char* text : {"1", "", "2.5", "-3"}) texts.append(text);
  writer.close();
  const File file = File::open(path);
  const BlobView kept = migrated(file, file_of(blob_of("String"), "[4]")).blobs("t");
  EXPECT_EQ(kept.text(2), "2.5");
  const BlobView json = migrated(file, file_of(blob_of("Json"), "[-1,2]")).blobs("t");
  EXPECT_THAT(json.shape(), testing::ElementsAre(2, 2));
  EXPECT_EQ(json.text(0), "\"1\"");
  const BlobView bytes = migrated(file, file_of(blob_of("Bytes"), "[-1,2]"), with({{"t", "utf8_bytes"}})).blobs("t");
  EXPECT_EQ(bytes.json(2), "Mi41");
  EXPECT_EQ(code_of([&] { migrated(file, file_of(blob_of("Bytes"), "[-1,2]")); }), "migration_refused");
}

TEST_F(MetatensorMigration, EntriesComeAndGo) {
  const std::vector<float> values = {1, 2};
  const File file = flat(FileDtype::kF32, {2}, bytes_of(values));
  const auto schema_of = [](const std::string& name, const std::string& required) {
    return R"({"TypeDef:Struct":true,"required":[)" + required + R"(],"properties":{")" + name +
           R"(":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]}}}})";
  };
  EXPECT_EQ(code_of([&] { migrated(file, schema_of("u", "")); }), "migration_refused");
  EXPECT_EQ(code_of([&] { migrated(file, schema_of("u", "\"u\""), with({{"t", "drop"}})); }), "migration_refused");
  EXPECT_EQ(migrated(file, schema_of("u", ""), with({{"t", "drop"}})).entries().size(), 0u);
}

TEST_F(MetatensorMigration, EmptyShapesStayEmpty) {
  const File file = flat(FileDtype::kF32, {0, 3}, {});
  EXPECT_THAT(migrated(file, file_of("\"F64\"", "[-1,3]")).entry("t").shape, testing::ElementsAre(0, 3));
  EXPECT_THAT(migrated(file, file_of("\"F32\"", "[5,0]")).entry("t").shape, testing::ElementsAre(5, 0));
  EXPECT_EQ(code_of([&] { migrated(file, file_of("\"F32\"", "[5]")); }), "migration_refused");
}

TEST_F(MetatensorMigration, HostileBlobsAreErrors) {
  const std::string before = file_of(struct_of("\"a\":" + blob_of("String"), "\"a\""));
  const Json header = JsonObject{{"__metadata__", {{"metatensor", "1"}, {"metatensor.schema", before}}},
                                 {"t", {{"dtype", "U8"}, {"shape", {1, 16}}, {"data_offsets", {0, 16}}}},
                                 {"__blob__.t", {{"dtype", "U8"}, {"shape", {2}}, {"data_offsets", {16, 18}}}}};
  std::string data(18, '\0');
  data[8] = 3;
  const File file = open_bytes(json_text(header), data);
  const std::string after = file_of(struct_of("\"a\":" + blob_of("String") + ",\"b\":" + kind("Int8"), "\"a\""));
  EXPECT_EQ(code_of([&] { migrated(file, after); }), "blob_out_of_range");
}

TEST(SchemaNamedConverters, RefuseWhatTheyDoNotKnow) {
  EXPECT_EQ(code_of([] { schema::make_converter("rounded"); }), "not_found");
  EXPECT_EQ(code_of([] { schema::make_converter("scale"); }), "invalid_argument");
  EXPECT_EQ(code_of([] { schema::make_converter("scale:x"); }), "invalid_argument");
  EXPECT_EQ(code_of([] { schema::make_converter("round:2"); }), "invalid_argument");
  EXPECT_EQ(code_of([] { schema::make_converter("constant:{"); }), "invalid_argument");
  EXPECT_EQ(code_of([] { schema::make_converter("drop"); }), "invalid_argument");
  EXPECT_EQ(code_of([] { schema::make_converter("resize:-1"); }), "invalid_argument");
}

}  // namespace
}  // namespace alknet::tensor
