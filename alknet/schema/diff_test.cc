#include "alknet/schema/diff.h"

#include <gmock/gmock.h>

#include "alknet/base/testing.h"

namespace alknet::schema {
namespace {

/// A record schema with the properties given as JSON members; `order` and `required` list all of them.
std::string record(const std::string& properties, const std::string& more = "") {
  return R"({"TypeDef:Struct":true,"properties":{)" + properties + "}" + more + "}";
}

Diff diff_texts(const std::string& before, const std::string& after) {
  return diff(Schema::parse(before), Schema::parse(after));
}

/// "change: class path" of each change; "!" after the class when migrate needs a named converter.
std::vector<std::string> summary(const Diff& found) {
  std::vector<std::string> lines;
  for (const auto& change : found.changes) {
    const bool named = change.conversion.change_class == ChangeClass::kNeedsConverter && !change.conversion.checked;
    lines.push_back(std::string(name(change.type)) + ": " + std::string(name(change.conversion.change_class)) +
                    (named ? "! " : " ") + change.path);
  }
  return lines;
}

struct Case {
  const char* what;
  std::string before;
  std::string after;
  std::vector<std::string> changes;
  std::string bump;
};

/// Two one-field records, the field required.
Case field(const char* what, const std::string& before, const std::string& after, const std::string& change,
           const std::string& bump) {
  const std::string required = R"(,"required":["a"])";
  std::vector<std::string> changes;
  if (!change.empty()) changes.push_back(change);
  return {what, record("\"a\":" + before, required), record("\"a\":" + after, required), changes, bump};
}

const std::string kInt = R"({"TypeDef:Int16":true})";

std::string text(int max_bytes) { return R"({"TypeDef:String":{"maxBytes":)" + std::to_string(max_bytes) + "}}"; }
std::string array(int count, const std::string& items) {
  const auto n = std::to_string(count);
  return R"({"TypeDef:Array":true,"minItems":)" + n + R"(,"maxItems":)" + n + R"(,"items":)" + items + "}";
}
std::string blob(const std::string& item) { return R"({"TypeDef:Blob":{"item":")" + item + "\"}}"; }
std::string kind(const std::string& name) { return "{\"TypeDef:" + name + "\":true}"; }
std::string names(const std::string& list) { return R"({"TypeDef:Enum":true,"enum":)" + list + "}"; }
/// Enum and Blob of String as TypeBox builders write them, with all that they lower to.
std::string built_enum(const std::vector<std::string>& list) {
  std::string values, choices;
  for (const auto& value : list) {
    const std::string comma = values.empty() ? "" : ",";
    values += comma + '"' + value + '"';
    choices += comma + R"({"const":")" + value + R"(","type":"string"})";
  }
  const std::string all = R"({"TypeDef:Enum":true,"enum":[)" + values + "],";
  return all + (list.size() == 1 ? R"("const":")" + list[0] + R"(","type":"string"})" : "\"anyOf\":[" + choices + "]}");
}
std::string built_blob(int max_bytes) {
  const std::string item = text(max_bytes);
  return R"({"TypeDef:Blob":{"item":)" + item + R"(},"type":"string","maxLength":)" + std::to_string(max_bytes) + "}";
}
std::string file(const std::string& tensor, const std::string& more = "") {
  return R"({"TypeDef:Struct":true,"required":["t"],"properties":{"t":{"TypeDef:Tensor":)" + tensor + "}" + more + "}}";
}

std::vector<Case> cases() {
  const std::string both = R"("a":{"TypeDef:Int16":true},"b":{"TypeDef:Int8":true})";
  const std::string swapped = R"("b":{"TypeDef:Int8":true},"a":{"TypeDef:Int16":true})";
  const std::string all = R"(,"required":["a","b"])";
  const std::string one = R"(,"required":["a"])";
  const std::string defaulted = R"("a":{"TypeDef:Int16":true,"default":1})";
  return {
      {"nothing", record(both, all), record(both, all), {}, "none"},
      // Fields come and go.
      {"added nullable", record("\"a\":" + kInt, one), record(both, one), {"added: defaultable b"}, "minor"},
      {"added with default",
       record("\"b\":" + kInt),
       record("\"b\":" + kInt + "," + defaulted),
       {"added: defaultable a"},
       "minor"},
      {"added required", record("\"a\":" + kInt, one), record(both, all), {"added: needs converter! b"}, "major"},
      {"removed", record(both, all), record("\"a\":" + kInt, one), {"removed: needs converter! b"}, "major"},
      {"reordered", record(both, all), record(swapped, all), {"reordered: compatible "}, "patch"},
      {"reordered by order",
       record(both, all),
       R"({"TypeDef:Struct":{"order":["b","a"]},"properties":{)" + both + "}" + all + "}",
       {"reordered: compatible "},
       "patch"},
      // Presence.
      {"required to nullable", record(both, all), record(both, one), {"annotation changed: compatible b"}, "patch"},
      {"nullable to required",
       record(both, one),
       record(both, all),
       {"annotation changed: needs converter b"},
       "major"},
      {"nullable to default",
       record("\"a\":" + kInt),
       record(defaulted),
       {"annotation changed: defaultable a"},
       "minor"},
      {"default to required",
       record(defaulted),
       record("\"a\":" + kInt, one),
       {"annotation changed: compatible a"},
       "patch"},
      {"another default",
       record(defaulted),
       record(R"("a":{"TypeDef:Int16":true,"default":2})"),
       {"annotation changed: compatible a"},
       "patch"},
      // Numbers.
      field("wider integer", kInt, kind("Int32"), "retyped: compatible a", "patch"),
      field("narrower integer", kInt, kind("Int8"), "retyped: needs converter a", "major"),
      field("other sign", kInt, kind("Uint32"), "retyped: needs converter a", "major"),
      field("unsigned to wider signed", kind("Uint16"), kind("Int32"), "retyped: compatible a", "patch"),
      field("integer to float that has it", kInt, kind("Float32"), "retyped: compatible a", "patch"),
      field("integer to float that rounds it", kind("Int32"), kind("Float32"), "retyped: needs converter a", "major"),
      field("integer to short float", kind("Int8"), kind("BFloat16"), "retyped: compatible a", "patch"),
      field("float to integer", kind("Float32"), kind("Int64"), "retyped: needs converter a", "major"),
      field("wider float", kind("Float16"), kind("Float32"), "retyped: compatible a", "patch"),
      field("other short float", kind("Float16"), kind("BFloat16"), "retyped: needs converter a", "major"),
      field("brain to float", kind("BFloat16"), kind("Float32"), "retyped: compatible a", "patch"),
      field("narrower float", kind("Float64"), kind("Float32"), "retyped: needs converter a", "major"),
      field("boolean to integer", kind("Boolean"), kInt, "retyped: needs converter! a", "major"),
      // Texts.
      field("larger reservation", text(4), text(8), "annotation changed: compatible a", "patch"),
      field("smaller reservation", text(8), text(4), "annotation changed: needs converter a", "major"),
      field("text to blob", text(8), blob("String"), "retyped: compatible a", "patch"),
      field("blob to text", blob("String"), text(8), "retyped: needs converter a", "major"),
      field("text to number", text(8), kInt, "retyped: needs converter! a", "major"),
      field("number to text", kInt, text(8), "retyped: needs converter! a", "major"),
      field("text to bytes", text(8), R"({"TypeDef:Bytes":{"maxBytes":8}})", "retyped: needs converter! a", "major"),
      field("anything to json", kInt, blob("Json"), "retyped: compatible a", "patch"),
      field("json to anything", blob("Json"), kInt, "retyped: needs converter a", "major"),
      field("ragged items", blob("Int16"), blob("Int8"), "retyped: needs converter a", "major"),
      field("ragged to text", blob("Int16"), blob("String"), "retyped: needs converter! a", "major"),
      // Enums.
      field("more names", names(R"(["x","y"])"), names(R"(["y","z","x"])"), "retyped: compatible a", "patch"),
      field("more names, from a builder", built_enum({"x", "y"}), built_enum({"x", "y", "z"}), "retyped: compatible a",
            "patch"),
      field("a second name, from a builder", built_enum({"x"}), built_enum({"x", "y"}), "retyped: compatible a",
            "patch"),
      field("larger blob, from a builder", built_blob(4), built_blob(8), "annotation changed: compatible a[]", "patch"),
      field("fewer names", names(R"(["x","y"])"), names(R"(["y"])"), "retyped: needs converter a", "major"),
      field("names in another order", names(R"(["x","y"])"), names(R"(["y","x"])"), "reordered: compatible a", "patch"),
      field("enum to text", names(R"(["x","y"])"), text(4), "retyped: compatible a", "patch"),
      field("enum to short text", names(R"(["xyz"])"), text(2), "retyped: needs converter a", "major"),
      field("text to enum", text(4), names(R"(["x"])"), "retyped: needs converter a", "major"),
      // Arrays.
      field("more items", array(2, kInt), array(3, kInt), "reshaped: needs converter! a", "major"),
      field("same number of items", array(2, array(3, kInt)), array(6, kInt), "reshaped: needs converter a", "major"),
      field("items of another kind", array(2, kInt), array(2, kind("Int32")), "retyped: compatible a[]", "patch"),
      field("counted to ragged", array(2, kInt), blob("Int16"), "retyped: compatible a", "patch"),
      field("ragged to counted", blob("Int16"), array(2, kInt), "retyped: needs converter a", "major"),
      // Other annotations.
      field("align", kInt, R"({"TypeDef:Int16":{"align":8}})", "annotation changed: compatible a", "patch"),
      field("limit added", kInt, R"({"TypeDef:Int16":true,"minimum":0})", "annotation changed: needs converter a",
            "major"),
      field("limit removed", R"({"TypeDef:Int16":true,"minimum":0})", kInt, "annotation changed: compatible a",
            "patch"),
      field("limit that the kind has", kInt,
            R"({"TypeDef:Int16":true,"type":"integer","minimum":-32768,"maximum":32767})", "", "none"),
      field("title", kInt, R"({"TypeDef:Int16":true,"title":"A"})", "annotation changed: compatible a", "patch"),
      // Files.
      {"wider dtype",
       file(R"({"dtype":"F16","shape":[2]})"),
       file(R"({"dtype":"F32","shape":[2]})"),
       {"retyped: compatible t"},
       "patch"},
      {"narrower dtype",
       file(R"({"dtype":"F32","shape":[2]})"),
       file(R"({"dtype":"BF16","shape":[2]})"),
       {"retyped: needs converter t"},
       "major"},
      {"small float to larger",
       file(R"({"dtype":"F8_E4M3","shape":[2]})"),
       file(R"({"dtype":"F16","shape":[2]})"),
       {"retyped: compatible t"},
       "patch"},
      {"infinities are lost",
       file(R"({"dtype":"F8_E5M2","shape":[2]})"),
       file(R"({"dtype":"F8_E5M2FNUZ","shape":[2]})"),
       {"retyped: needs converter t"},
       "major"},
      {"boolean dtype",
       file(R"({"dtype":"BOOL","shape":[2]})"),
       file(R"({"dtype":"U8","shape":[2]})"),
       {"retyped: needs converter! t"},
       "major"},
      {"reshaped tensor",
       file(R"({"dtype":"F32","shape":[2,3]})"),
       file(R"({"dtype":"F32","shape":[6]})"),
       {"reshaped: needs converter t"},
       "major"},
      {"resized tensor",
       file(R"({"dtype":"F32","shape":[2,3]})"),
       file(R"({"dtype":"F32","shape":[7]})"),
       {"reshaped: needs converter! t"},
       "major"},
      {"any count",
       file(R"({"dtype":"F32","shape":[2,3]})"),
       file(R"({"dtype":"F32","shape":[-1,3]})"),
       {"reshaped: compatible t"},
       "patch"},
      {"one count",
       file(R"({"dtype":"F32","shape":[-1,3]})"),
       file(R"({"dtype":"F32","shape":[2,3]})"),
       {"reshaped: needs converter t"},
       "major"},
      {"another form",
       file(R"({"dtype":"F32","shape":[2]})"),
       file(R"({"dtype":{"TypeDef:Blob":{"item":"String"}},"shape":[2]})"),
       {"retyped: needs converter! t"},
       "major"},
      {"of any dtype", file(R"({"dtype":"F32","shape":[2]})"), file("true"), {"retyped: needs converter! t"}, "major"},
      {"fields of records",
       file(R"({"shape":[-1],"dtype":)" + record("\"a\":" + kInt, one) + "}"),
       file(R"({"shape":[-1],"dtype":)" + record(both, one) + "}"),
       {"added: defaultable t.b"},
       "minor"},
      {"optional entry",
       file(R"({"dtype":"F32","shape":[2]})"),
       file(R"({"dtype":"F32","shape":[2]})", R"(,"u":{"TypeDef:Tensor":{"dtype":"I8","shape":[]}})"),
       {"added: defaultable u"},
       "minor"},
      // Unions and Records, of messages.
      field(
          "variant added",
          R"({"TypeDef:Union":{"discriminator":"k","mapping":{"x":{"TypeDef:Struct":true,"properties":{"p":{"TypeDef:Int8":true}}}}}})",
          R"({"TypeDef:Union":{"discriminator":"k","mapping":{"x":{"TypeDef:Struct":true,"properties":{"p":{"TypeDef:Int8":true}}},"y":{"TypeDef:Struct":true,"properties":{"p":{"TypeDef:Int8":true}}}}}})",
          "added: compatible a.y", "patch"),
      field("values of a record", R"({"TypeDef:Record":{"values":"Int16"}})", R"({"TypeDef:Record":{"values":"Int8"}})",
            "retyped: needs converter a[]", "major"),
      // Without kinds.
      {"no kinds, another limit",
       R"({"type":"object","properties":{"a":{"type":"integer"}}})",
       R"({"type":"object","properties":{"a":{"type":"string"}}})",
       {"annotation changed: needs converter! "},
       "major"},
  };
}

TEST(SchemaDiff, ClassesEveryChange) {
  for (const auto& each : cases()) {
    SCOPED_TRACE(each.what);
    const Diff found = diff_texts(each.before, each.after);
    EXPECT_EQ(summary(found), each.changes);
    EXPECT_EQ(name(found.bump()), each.bump);
  }
}

TEST(SchemaDiff, OfASchemaWithItselfIsEmpty) {
  for (const auto& each : cases()) {
    EXPECT_TRUE(diff_texts(each.before, each.before).changes.empty()) << each.what;
    EXPECT_TRUE(diff_texts(each.after, each.after).changes.empty()) << each.what;
  }
}

// Builders write what a kind lowers to beside it; that is no change.
TEST(SchemaDiff, LoweringItChangesNothing) {
  const std::string plain = record(R"("a":{"TypeDef:Int16":true},"e":{"TypeDef:Enum":true,"enum":["x"]},)"
                                   R"("s":{"TypeDef:String":{"maxBytes":5}},"b":{"TypeDef:Bytes":{"maxBytes":4}})");
  const Schema lowered_keywords =
      Schema::parse(record(R"("a":{"TypeDef:Int16":true,"type":"integer","minimum":-32768,"maximum":32767},)"
                           R"("e":{"TypeDef:Enum":true,"enum":["x"],"type":"string"},)"
                           R"("s":{"TypeDef:String":{"maxBytes":5},"type":"string","maxLength":5},)"
                           R"("b":{"TypeDef:Bytes":{"maxBytes":4},"type":"string","maxLength":8})",
                           R"(,"type":"object","additionalProperties":false)"));
  EXPECT_THAT(summary(diff(Schema::parse(plain), lowered_keywords)), testing::IsEmpty());
}

TEST(SchemaDiff, ListsChangesOfSharedPartsAtEveryPath) {
  const auto with = [](const char* kind) {
    return R"({"$defs":{"p":{"TypeDef:Struct":true,"properties":{"x":{"TypeDef:)" + std::string(kind) +
           R"(":true}}}},"TypeDef:Struct":true,"properties":{"from":{"$ref":"#/$defs/p"},"a.b":{"$ref":"#/$defs/p"}}})";
  };
  EXPECT_THAT(summary(diff_texts(with("Float32"), with("Int32"))),
              testing::ElementsAre("retyped: needs converter from.x", "retyped: needs converter a\\.b.x"));
}

TEST(SchemaDiff, RecursionEnds) {
  const auto with = [](const char* kind) {
    return R"({"$defs":{"n":{"TypeDef:Struct":true,"properties":{"v":{"TypeDef:)" + std::string(kind) +
           R"(":true},"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"})";
  };
  EXPECT_THAT(summary(diff_texts(with("Int8"), with("Int16"))), testing::ElementsAre("retyped: compatible v"));
}

// Ten levels of four fields that all refer to the next level: a million paths.
TEST(SchemaDiff, TooManyChangesAreAnError) {
  const auto with = [](const std::string& leaf) {
    std::string defs = "\"d10\":" + leaf;
    for (int i = 9; i >= 0; --i) {
      std::string properties;
      for (const char* name : {"a", "b", "c", "d"}) {
        properties += (properties.empty() ? "\"" : ",\"") + std::string(name) + R"(":{"$ref":"#/$defs/d)" +
                      std::to_string(i + 1) + "\"}";
      }
      defs += ",\"d" + std::to_string(i) + R"(":{"TypeDef:Struct":true,"properties":{)" + properties + "}}";
    }
    return R"({"$ref":"#/$defs/d0","$defs":{)" + defs + "}}";
  };
  EXPECT_EQ(code_of([&] { diff_texts(with(kind("Int8")), with(kind("Int16"))); }), "schema_too_large");
  EXPECT_TRUE(diff_texts(with(kind("Int8")), with(kind("Int8"))).changes.empty());
}

TEST(SchemaDiff, AsJsonHasEveryFact) {
  const Json json = diff_texts(record("\"a\":" + kInt), record("\"a\":" + kind("Int8"))).json();
  EXPECT_EQ(json, parse_json(R"({"bump":"major","changes":[{"path":"a","change":"retyped","class":"needs converter",
    "checked":true,"message":"Int16 became Int8","reason":"Int8 lacks some numbers of Int16","before":"Int16",
    "after":"Int8"}]})"));
}

}  // namespace
}  // namespace alknet::schema
