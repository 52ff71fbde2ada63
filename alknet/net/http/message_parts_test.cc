#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/net/http/headers.h"
#include "alknet/net/http/url.h"

namespace alknet::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HttpHeaders, KeepOrderAndCompareNamesWithoutCase) {
  HttpHeaders headers{{"Accept", "a"}, {"X-One", "1"}, {"accept", "b"}};
  EXPECT_EQ(headers.get("ACCEPT"), "a");
  EXPECT_EQ(headers.joined("accept"), "a, b");
  EXPECT_EQ(headers.count("Accept"), 2U);
  headers.set("aCCept", "c");
  EXPECT_EQ(headers.wire(), "aCCept: c\r\nX-One: 1\r\n");
  headers.remove("x-one");
  EXPECT_FALSE(headers.has("X-One"));
}

TEST(HttpHeaders, RefuseWhatWouldSmuggleAnotherField) {
  HttpHeaders headers;
  EXPECT_EQ(code_of([&] { headers.add("X", "a\r\nEvil: 1"); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { headers.add("X\r\nEvil", "a"); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { headers.add("", "a"); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { headers.add("a b", "a"); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { headers.set("X", std::string("a\0b", 3)); }), "invalid_argument");
  EXPECT_TRUE(headers.empty());
  headers.add("X", " \ta\tb ");
  EXPECT_EQ(headers.get("X"), "a\tb");
}

TEST(HttpHeaders, FindTokensInLists) {
  const HttpHeaders headers{{"Connection", "keep-alive, Upgrade"}, {"Connection", "x"}};
  EXPECT_TRUE(headers.has_token("connection", "upgrade"));
  EXPECT_TRUE(headers.has_token("connection", "X"));
  EXPECT_FALSE(headers.has_token("connection", "keep"));
}

TEST(Url, HasTheUsualParts) {
  const Url url = Url::parse("HTTPS://Example.COM:8443/a/b?x=1#part");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/a/b?x=1");
  EXPECT_EQ(url.origin(), "https://example.com:8443");
  EXPECT_EQ(Url::parse("http://h").text(), "http://h/");
  EXPECT_EQ(Url::parse("http://h:80").origin(), Url::parse("http://h").origin());
  EXPECT_EQ(Url::parse("ws://[::1]:9/x").host, "::1");
  EXPECT_EQ(Url::parse("ws://[::1]:9/x").authority(), "[::1]:9");
  EXPECT_EQ(Url::parse("http://h?q").target, "/?q");
}

TEST(Url, RefusesWhatIsNoWebAddress) {
  for (const char* text :
       {"", "example.com", "/path", "ftp://h/", "file:///etc/passwd", "http://", "http:///x", "http://user:secret@h/",
        "http://h:0/", "http://h:65536/", "http://h:x/", "http://h /", "http://h/\r\nEvil: 1", "http://h/\xC3\xA4",
        "http://[::1/", "http://h\\x/", "http://[h]/"}) {
    EXPECT_EQ(code_of([&] { Url::parse(text); }), "invalid_url") << text;
  }
}

TEST(Url, ErrorsDoNotRepeatAPassword) {
  EXPECT_EQ(error_of([] { Url::parse("http://user:secret@h/"); }).message().find("secret"), std::string::npos);
}

TEST(Url, ResolvesReferences) {
  const Url base = Url::parse("http://h:8080/a/b?x");
  EXPECT_EQ(base.resolve("c").text(), "http://h:8080/a/c");
  EXPECT_EQ(base.resolve("/c?d").text(), "http://h:8080/c?d");
  EXPECT_EQ(base.resolve("//other/c").text(), "http://other/c");
  EXPECT_EQ(base.resolve("https://other/").text(), "https://other/");
  EXPECT_EQ(base.resolve("../../..").text(), "http://h:8080/");
}

TEST(Url, QueriesAreDecoded) {
  EXPECT_THAT(parse_query("a=1&b=x%20y+z&&c&d=%7B%22k%22%3A1%7D"),
              ElementsAre(Pair("a", "1"), Pair("b", "x y z"), Pair("c", ""), Pair("d", "{\"k\":1}")));
  EXPECT_THAT(parse_query(""), ElementsAre());
  EXPECT_EQ(percent_encode("a b/\xC3\xA4"), "a%20b%2F%C3%A4");
}

}  // namespace
}  // namespace alknet::net
