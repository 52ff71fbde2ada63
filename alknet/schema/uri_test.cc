#include "alknet/schema/uri.h"

#include <gtest/gtest.h>

namespace alknet::schema {
namespace {

struct Case {
  std::string_view reference, expected;
};

// RFC 3986 section 5.4, with base http://a/b/c/d;p?q, without fragments.
TEST(ResolveUri, AgreesWithTheExamplesOfTheRfc) {
  const auto base = Uri::parse("http://a/b/c/d;p?q");
  for (const auto& [reference, expected] : std::initializer_list<Case>{{"g:h", "g:h"},
                                                                       {"g", "http://a/b/c/g"},
                                                                       {"./g", "http://a/b/c/g"},
                                                                       {"g/", "http://a/b/c/g/"},
                                                                       {"/g", "http://a/g"},
                                                                       {"//g", "http://g"},
                                                                       {"?y", "http://a/b/c/d;p?y"},
                                                                       {"g?y", "http://a/b/c/g?y"},
                                                                       {"#s", "http://a/b/c/d;p?q"},
                                                                       {";x", "http://a/b/c/;x"},
                                                                       {"", "http://a/b/c/d;p?q"},
                                                                       {".", "http://a/b/c/"},
                                                                       {"./", "http://a/b/c/"},
                                                                       {"..", "http://a/b/"},
                                                                       {"../", "http://a/b/"},
                                                                       {"../g", "http://a/b/g"},
                                                                       {"../..", "http://a/"},
                                                                       {"../../g", "http://a/g"},
                                                                       {"../../../g", "http://a/g"},
                                                                       {"/./g", "http://a/g"},
                                                                       {"/../g", "http://a/g"},
                                                                       {"g.", "http://a/b/c/g."},
                                                                       {"./../g", "http://a/b/g"},
                                                                       {"g;x=1/../y", "http://a/b/c/y"}}) {
    EXPECT_EQ(resolve_uri(base, Uri::parse(reference)).text(), expected) << reference;
  }
}

TEST(ResolveUri, WorksOnRelativeBases) {
  EXPECT_EQ(resolve_uri(Uri::parse(""), Uri::parse("node.json")).text(), "node.json");
  EXPECT_EQ(resolve_uri(Uri::parse("dir/a.json"), Uri::parse("b.json")).text(), "dir/b.json");
  EXPECT_EQ(resolve_uri(Uri::parse("urn:uuid:1"), Uri::parse("#x")).text(), "urn:uuid:1");
}

TEST(Pointer, TokensEscapeAndReadBack) {
  EXPECT_EQ(escape_pointer_token("a/b~c"), "a~1b~0c");
  EXPECT_EQ(unescape_pointer_token("a~1b~0c~01"), "a/b~c~1");
}

TEST(Percent, DecodesAndEncodes) {
  EXPECT_EQ(percent_decode("a%25b%zz%2"), "a%b%zz%2");
  EXPECT_EQ(percent_decode(percent_encode_fragment("\"% \xC3\xBC/x")), "\"% \xC3\xBC/x");
}

}  // namespace
}  // namespace alknet::schema
