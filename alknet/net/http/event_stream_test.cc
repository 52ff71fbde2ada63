#include "alknet/net/http/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"

namespace alknet::net {
namespace {

using ::testing::ElementsAre;

std::vector<ServerSentEvent> read_events(std::string_view text, std::size_t step) {
  EventStreamParser parser;
  std::vector<ServerSentEvent> events;
  for (std::size_t at = 0; at < text.size(); at += step) {
    for (auto& event : parser.feed(text.substr(at, step))) events.push_back(std::move(event));
  }
  return events;
}

TEST(EventStream, ReadsTheExamplesOfTheStandard) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
    EXPECT_THAT(read_events("data: YHOO\ndata: +2\ndata: 10\n\n", step),
                ElementsAre(ServerSentEvent{"message", "YHOO\n+2\n10", ""}));
    EXPECT_THAT(
        read_events(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
                    step),
        ElementsAre(ServerSentEvent{"message", "first event", "1"}, ServerSentEvent{"message", "second event", ""},
                    ServerSentEvent{"message", " third event", ""}));
    EXPECT_THAT(read_events("data\n\ndata\ndata\n\ndata:", step),
                ElementsAre(ServerSentEvent{"message", "", ""}, ServerSentEvent{"message", "\n", ""}));
    EXPECT_THAT(read_events("event: add\rdata: 1\r\revent: remove\r\ndata: 2\r\n\r\n", step),
                ElementsAre(ServerSentEvent{"add", "1", ""}, ServerSentEvent{"remove", "2", ""}));
  }
}

TEST(EventStream, IgnoresWhatIsNoFieldAndAMarkInFront) {
  EXPECT_THAT(read_events("\xEF\xBB\xBF"
                          "data: x\nunknown: y\nid: a\nretry: soon\n\n",
                          1000),
              ElementsAre(ServerSentEvent{"message", "x", "a"}));
  EXPECT_THAT(read_events("event: lonely\n\nid: 7\n\ndata: x\n\n", 3),
              ElementsAre(ServerSentEvent{"message", "x", "7"}));
}

TEST(EventStream, AnIdWithNulIsIgnored) {
  EXPECT_THAT(read_events(std::string_view("id: a\0b\ndata: x\n\n", 17), 1000),
              ElementsAre(ServerSentEvent{"message", "x", ""}));
}

TEST(EventStream, KnowsWhenToComeBack) {
  EventStreamParser parser;
  parser.feed("retry: 1500\nid: 4\n\n");
  EXPECT_EQ(parser.retry(), 1500U);
  EXPECT_EQ(parser.last_id(), "4");
  parser.feed("retry: -1\nretry: 1e3\n");
  EXPECT_EQ(parser.retry(), 1500U);
}

TEST(EventStream, BoundsAnEvent) {
  EventStreamParser parser(1000);
  EXPECT_EQ(code_of([&] {
              for (int i = 0; i < 1000; ++i) parser.feed("data: 0123456789\n");
            }),
            "too_large");
  EventStreamParser other(1000);
  EXPECT_EQ(code_of([&] {
              for (int i = 0; i < 1000; ++i) other.feed("0123456789");
            }),
            "too_large");
}

TEST(EventStream, WhatIsWrittenIsReadBack) {
  for (const ServerSentEvent& event :
       {ServerSentEvent{"message", "one", ""}, ServerSentEvent{"tick", "two\nlines\n", "5"},
        ServerSentEvent{"message", "", ""}, ServerSentEvent{"x", " lead: ing", "id"}}) {
    EXPECT_THAT(read_events(event_text(event), 4), ElementsAre(event));
  }
  EXPECT_EQ(event_text({"message", "a\r\nb\rc", ""}), "data: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(event_text({"e\nvent", "x", "1\r\n2"}), "event: event\nid: 12\ndata: x\n\n");
}

}  // namespace
}  // namespace alknet::net
