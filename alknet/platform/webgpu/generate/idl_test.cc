#include "alknet/platform/webgpu/generate/idl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"

namespace alknet::platform::webgpu {
namespace {

TEST(Idl, MergesMixinsAndPartialInterfaces) {
  const IdlDocument document = parse_idl(R"(
    interface mixin Named { attribute USVString label; };
    [Exposed=(Window, Worker)] interface Thing : Base { undefined end(); };
    Thing includes Named;
    partial interface Thing { readonly attribute boolean done; };
    Elsewhere includes Named;)");
  ASSERT_EQ(document.definitions.size(), 1U);
  const IdlDefinition& thing = document.definitions[0];
  EXPECT_EQ(thing.parent, "Base");
  ASSERT_EQ(thing.members.size(), 3U);
  EXPECT_EQ(thing.members[0].name, "end");
  EXPECT_EQ(thing.members[1].name, "done");
  EXPECT_TRUE(thing.members[1].readonly);
  EXPECT_EQ(thing.members[2].name, "label");
  EXPECT_FALSE(thing.members[2].readonly);
}

TEST(Idl, ResolvesTypedefsWithTheirAttributes) {
  const IdlDocument document = parse_idl(R"(
    typedef [EnforceRange] unsigned long long Size;
    typedef (sequence<double> or Color) AnyColor;
    dictionary Color { required double r; };
    dictionary D { required Size size; sequence<Size?> sizes = []; [Clamp] unsigned short steps = 1; AnyColor color; };)");
  const IdlDefinition& d = *document.find("D");
  EXPECT_TRUE(d.members[0].required);
  EXPECT_EQ(d.members[0].type.name, "unsigned long long");
  EXPECT_TRUE(d.members[0].type.enforce_range);
  EXPECT_EQ(d.members[1].default_value, "[]");
  EXPECT_TRUE(d.members[1].type.inner[0].nullable);
  EXPECT_TRUE(d.members[1].type.inner[0].enforce_range);
  EXPECT_TRUE(d.members[2].type.clamp);
  EXPECT_EQ(d.members[2].default_value, "1");
  EXPECT_EQ(d.members[3].type.form, IdlType::Form::kUnion);
}

TEST(Idl, ReadsOperationsConstantsEnumsAndSetlikes) {
  const IdlDocument document = parse_idl(R"(
    interface I {
      constructor(DOMString message); // a comment
      Promise<boolean> go(unsigned long a, optional double b = -1.5, optional O c = {});
      readonly setlike<DOMString>;
    };
    namespace N { const unsigned long X = 0x10; };
    enum E { "one", "two-2", };)");
  const IdlDefinition& i = *document.find("I");
  EXPECT_EQ(i.members[0].kind, IdlMember::Kind::kConstructor);
  EXPECT_EQ(i.members[1].type.form, IdlType::Form::kPromise);
  ASSERT_EQ(i.members[1].arguments.size(), 3U);
  EXPECT_FALSE(i.members[1].arguments[0].optional);
  EXPECT_EQ(i.members[1].arguments[1].default_value, "-1.5");
  EXPECT_EQ(i.members[1].arguments[2].default_value, "{}");
  EXPECT_EQ(i.members[2].kind, IdlMember::Kind::kSetlike);
  EXPECT_EQ(document.find("N")->members[0].default_value, "0x10");
  EXPECT_THAT(document.find("E")->values, testing::ElementsAre("one", "two-2"));
  EXPECT_EQ(document.find("F"), nullptr);
}

TEST(Idl, SaysWhereItCannotReadOn) {
  const auto error = thrown_by([] { parse_idl("interface I {\n  undefined f()\n};"); });
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->message(), testing::HasSubstr("line 3, at '}': expected ';'"));
  EXPECT_TRUE(thrown_by([] { parse_idl("callback X = undefined ();"); }).has_value());
  EXPECT_TRUE(thrown_by([] { parse_idl("enum E { \"a"); }).has_value());
  EXPECT_TRUE(thrown_by([] { parse_idl("interface I {"); }).has_value());
  EXPECT_EQ(parse_idl("").definitions.size(), 0U);
}

}  // namespace
}  // namespace alknet::platform::webgpu
