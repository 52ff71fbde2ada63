#include "alknet/bindings/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/bindings/bindings_test_support.h"

namespace alknet::bindings {
namespace {

constexpr std::string_view kReading = R"(globalThis.schema = {
  'TypeDef:Struct': true, required: ['id', 'label'],
  properties: {id: {'TypeDef:Uint16': true}, label: {'TypeDef:String': {maxBytes: 5}}, big: {'TypeDef:Uint64': true}},
};)";

TEST(SchemaCodec, HasTheLayoutOfTheEngine) {
  ModuleScript script(schema_module());
  script.run(kReading);
  script.run("globalThis.layout = new SchemaCodec(schema, 'aligned').layout");
  // A validity byte, then id at its alignment, a label of a length and five bytes, and eight bytes at a multiple of 8.
  EXPECT_EQ(script.value("layout.fields.map((row) => [row.path, row.kind, row.nullable])"),
            R"([["id","Uint16",false],["label","String",false],["big","Uint64",true]])");
  EXPECT_EQ(script.value("layout.fields[0].offset % 2 + layout.fields[2].offset % 8"), "0");
  EXPECT_EQ(script.value("[layout.mode, layout.align, layout.size % 8]"), R"(["aligned",8,0])");
}

TEST(SchemaCodec, EncodesAndDecodes) {
  ModuleScript script(schema_module());
  script.run(kReading);
  script.run(
      "globalThis.codec = new SchemaCodec(schema, 'packed'); "
      "globalThis.bytes = codec.encode({id: 258, label: 'hi', big: '18446744073709551615'})");
  EXPECT_EQ(script.value("bytes instanceof Uint8Array"), "true");
  EXPECT_EQ(script.value("[...bytes.subarray(0, 2)]"), "[2,1]");
  EXPECT_EQ(script.value("codec.decode(bytes)"), R"({"id":258,"label":"hi","big":"18446744073709551615"})");
  EXPECT_EQ(script.value("codec.decode(bytes.buffer).id"), "258");
  EXPECT_EQ(script.value("codec.check(bytes) === undefined"), "true");
}

TEST(SchemaCodec, RefusesWhatTheEngineRefuses) {
  ModuleScript script(schema_module());
  script.run(kReading);
  script.run("globalThis.codec = new SchemaCodec(schema, 'packed')");
  EXPECT_EQ(script.value("codec.encode({id: 70000, label: ''})"), "instance_invalid");
  EXPECT_EQ(script.value("codec.encode({id: 1})"), "instance_invalid");
  EXPECT_EQ(script.value("codec.decode(new Uint8Array(1))"), "message_truncated");
  EXPECT_EQ(script.value("codec.decode('text')"), "TypeError");
  EXPECT_EQ(script.value("new SchemaCodec({'TypeDef:Struct': 5}, 'packed')"), "schema_invalid");
  EXPECT_EQ(script.value("new SchemaCodec(5, 'packed')"), "TypeError");
  EXPECT_EQ(script.value("new SchemaCodec({}, 'loose')"), "TypeError");
  EXPECT_EQ(script.value("codec.encode({get id() { throw {code: 'mine'}; }, label: ''})"), "mine");
}

TEST(SchemaCodec, TakesOnlyPlainJson) {
  ModuleScript script(schema_module());
  script.run("globalThis.codec = new SchemaCodec({'TypeDef:Record': {values: {'TypeDef:Int64': true}}}, 'packed')");
  EXPECT_EQ(script.value("codec.encode({a: 5n})"), "TypeError");
  EXPECT_EQ(script.value("codec.encode({toJSON: () => ({a: 5})})"), "TypeError");
  EXPECT_EQ(script.value("codec.encode({'\\ud800': 5})"), "TypeError");
  EXPECT_EQ(script.value("Object.keys(codec.decode(codec.encode(JSON.parse('{\"__proto__\": 5}'))))"),
            R"(["__proto__"])");
}

TEST(SchemaCodec, KeepsBlobsWhereScriptSays) {
  ModuleScript script(schema_module());
  script.run(R"(
    globalThis.codec = new SchemaCodec(
      {'TypeDef:Struct': true, required: ['note'], properties: {note: {'TypeDef:Blob': {item: 'String'}}}},
      'packed');
    globalThis.store = [];
    const write = (bytes, alignment) => {
      const offset = Math.ceil(store.length / alignment) * alignment;
      store.length = offset; store.push(...bytes);
      return {offset, bytes: bytes.length};
    };
    globalThis.read = (offset, bytes) => Uint8Array.from(store.slice(offset, offset + bytes));
    globalThis.bytes = codec.encode({note: 'a long story'}, write);)");
  EXPECT_EQ(script.value("String.fromCharCode(...store)"), R"("a long story")");
  EXPECT_EQ(script.value("codec.decode(bytes, read).note"), R"("a long story")");
  EXPECT_EQ(script.value("codec.encode({note: 'x'})"), "invalid_argument");
  EXPECT_EQ(script.value("codec.encode({note: 'x'}, () => ({offset: -1, bytes: 1}))"), "RangeError");
  EXPECT_EQ(script.value("codec.decode(bytes, () => { throw {code: 'mine'}; })"), "mine");
}

TEST(SchemaValidation, GivesEveryReason) {
  ModuleScript script(schema_module());
  EXPECT_EQ(script.value("validate({required: ['a'], properties: {b: {type: 'integer'}}}, {b: 'x'})"
                         ".map((reason) => reason.instancePath).sort()"),
            R"(["","/b"])");
  EXPECT_EQ(script.value("validate(true, 5)"), "[]");
}

}  // namespace
}  // namespace alknet::bindings
