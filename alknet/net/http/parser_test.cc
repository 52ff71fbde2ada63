#include "alknet/net/http/parser.h"

#include <gtest/gtest.h>

#include "alknet/base/shared_bytes.h"
#include "alknet/base/testing.h"

namespace alknet::net {
namespace {

struct Parsed {
  HttpHead head;
  std::string body;
  std::size_t used = 0;
  bool complete = false;
};

/// The message in `text`, given in pieces of `step` bytes.
Parsed parse(HttpParser::Kind kind, std::string_view text, std::size_t step, const HttpLimits& limits = {}) {
  HttpParser parser(kind, limits);
  Parsed parsed;
  const auto take = [&] {
    const auto body = parser.take_body();
    parsed.body.append(reinterpret_cast<const char*>(body.data()), body.size());
  };
  while (parsed.used < text.size() && !parser.complete()) {
    const auto piece = std::as_bytes(std::span(text.substr(parsed.used, step)));
    const std::size_t used = parser.feed(piece);
    parsed.used += used;
    take();
    if (used < piece.size()) break;
  }
  if (!parser.complete()) parser.finish();
  take();
  parsed.head = parser.head();
  parsed.complete = parser.complete();
  return parsed;
}

constexpr auto kRequest = HttpParser::Kind::kRequest;
constexpr auto kResponse = HttpParser::Kind::kResponse;

TEST(HttpParser, ReadsTheSameFromPiecesOfAnySize) {
  const std::string_view text =
      "POST /a?b=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\nGET /next";
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    const Parsed parsed = parse(kRequest, text, step);
    EXPECT_EQ(parsed.head.method, "POST");
    EXPECT_EQ(parsed.head.target, "/a?b=c");
    EXPECT_EQ(parsed.head.headers.get("host"), "h");
    EXPECT_FALSE(parsed.head.headers.has("Trailer"));
    EXPECT_EQ(parsed.body, "hello 0123456789");
    EXPECT_EQ(text.substr(parsed.used), "GET /next");
  }
}

TEST(HttpParser, KnowsWhereAnswersEnd) {
  EXPECT_EQ(parse(kResponse, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", 100).body, "abc");
  EXPECT_EQ(parse(kResponse, "HTTP/1.1 200 OK\r\n\r\nto the end", 3).body, "to the end");
  EXPECT_EQ(parse(kResponse, "HTTP/1.1 204 No Content\r\n\r\nnext", 100).used, 27U);
  EXPECT_EQ(parse(kResponse, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 100).body, "");
}

TEST(HttpParser, RefusesWhatTwoReadersWouldReadDifferently) {
  for (const char* text : {
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 6\r\n\r\nhello!",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
       }) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
      EXPECT_EQ(code_of([&] { parse(kRequest, text, step); }), "malformed") << text;
    }
  }
}

TEST(HttpParser, RefusesWhatIsNotHttp) {
  for (const char* text : {"GET / HTTP/2.0\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nX\r\n\r\n",
                           "\x16\x03\x01\x02\x01\x01\r\n\r\n", "G\x01T / HTTP/1.1\r\n\r\n",
                           "GET / HTTP/1.1\nHost: h\n\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n"}) {
    EXPECT_EQ(code_of([&] { parse(kRequest, text, 1); }), "malformed") << text;
  }
  EXPECT_EQ(code_of([&] { parse(kRequest, std::string_view("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 27), 100); }),
            "malformed");
}

TEST(HttpParser, RefusesMessagesThatAreCutOff) {
  const std::string_view text =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(code_of([&] { parse(kRequest, text.substr(0, size), 100); }), "malformed") << size;
  }
  EXPECT_TRUE(parse(kRequest, text, 100).complete);
}

TEST(HttpParser, HasLimits) {
  HttpLimits limits;
  limits.header_bytes = 200;
  limits.header_fields = 3;
  limits.body_bytes = 10;
  const auto code = [&](const std::string& text) { return code_of([&] { parse(kRequest, text, 16, limits); }); };
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(code(start + "X: " + std::string(300, 'x') + "\r\n\r\n"), "too_large");
  EXPECT_EQ(code("GET /" + std::string(1000, 'x')), "too_large");
  EXPECT_EQ(code(start + "A: 1\r\nB: 1\r\nC: 1\r\n\r\n"), "too_large");
  EXPECT_EQ(code(start + "Content-Length: 11\r\n\r\n"), "too_large");
  EXPECT_EQ(code(start + "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"), "too_large");
  EXPECT_EQ(code(start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x')), "too_large");
  EXPECT_EQ(code(start + "Content-Length: 10\r\n\r\n0123456789"), "no error");
}

TEST(HttpParser, SaysWhetherTheConnectionStays) {
  const auto keeps = [](std::string_view text) {
    HttpParser parser(HttpParser::Kind::kResponse, {});
    parser.feed(std::as_bytes(std::span(text)));
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\n\r\n"));
}

}  // namespace
}  // namespace alknet::net
