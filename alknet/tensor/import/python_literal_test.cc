#include "alknet/tensor/import/python_literal.h"

#include <gtest/gtest.h>

namespace alknet::tensor {
namespace {

using Type = PythonLiteral::Type;

bool is_refused(std::string_view text) {
  try {
    parse_python_literal(text);
  } catch (const PythonLiteralFault& fault) {
    EXPECT_LE(fault.offset, text.size());
    return true;
  }
  return false;
}

TEST(PythonLiteral, ReadsTheHeaderThatNumpyWrites) {
  const auto header = parse_python_literal(
      "{'descr': [('a', '<i4', (2, 3)), (('t', 'b'), '|S3')], 'fortran_order': "
      "False, 'shape': (3,), }     \n");
  ASSERT_TRUE(header.is(Type::kDict));
  const auto* descr = header.find("descr");
  ASSERT_TRUE(descr != nullptr && descr->is(Type::kList));
  ASSERT_EQ(descr->items.size(), 2u);
  EXPECT_EQ(descr->items[0].items[2].items[1].integer, 3);
  EXPECT_EQ(descr->items[1].items[0].items[1].text, "b");
  EXPECT_FALSE(header.find("fortran_order")->is_true());
  EXPECT_EQ(header.find("shape")->items.size(), 1u);
  EXPECT_EQ(header.find("other"), nullptr);
}

TEST(PythonLiteral, TellsTuplesFromParentheses) {
  EXPECT_TRUE(parse_python_literal("(1)").is(Type::kInteger));
  EXPECT_TRUE(parse_python_literal("(1,)").is(Type::kTuple));
  EXPECT_TRUE(parse_python_literal("()").is(Type::kTuple));
  EXPECT_EQ(parse_python_literal("(1, 2L, -3)").items[2].integer, -3);
}

TEST(PythonLiteral, UnescapesStrings) {
  EXPECT_EQ(parse_python_literal(R"('a\'\\\n\x41\u00df\U0001f600')").text, "a'\\\nA\u00df\U0001f600");
  EXPECT_EQ(parse_python_literal(R"("it's")").text, "it's");
}

TEST(PythonLiteral, RefusesWhatIsNoLiteral) {
  for (const char* text : {"",
                           "(",
                           "(1",
                           "(1 2)",
                           "{'a' 1}",
                           "{'a': }",
                           "'a",
                           "'a\n'",
                           "os.system('x')",
                           "1 + 1",
                           "1 2",
                           "007",
                           "9223372036854775808",
                           R"('\q')",
                           R"('\xZZ')",
                           R"('\x4')",
                           R"('\ud800')",
                           R"('\U00110000')",
                           "Truee",
                           "[,]"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_TRUE(is_refused(std::string_view("'a\0b'", 5)));
  EXPECT_TRUE(is_refused(std::string(100'000, '(')));
}

}  // namespace
}  // namespace alknet::tensor
