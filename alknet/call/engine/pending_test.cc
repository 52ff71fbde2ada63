#include "alknet/call/engine/pending.h"

#include <gtest/gtest.h>

namespace alknet::call {
namespace {

using std::chrono::seconds;

PendingRequest with_deadline(int at) {
  PendingRequest request;
  if (at > 0) request.deadline = PendingRequests::Clock::time_point(seconds(at));
  return request;
}

TEST(PendingRequests, ReadOnlyTheIdsThatTheyGaveOut) {
  PendingRequests pending("0011223344556677");
  const auto number = pending.add({}).number;
  EXPECT_EQ(pending.id_of(number), "0011223344556677-1");
  EXPECT_EQ(pending.number_of("0011223344556677-1"), 1U);
  for (const auto* id : {"", "x", "0011223344556677", "0011223344556677-", "0011223344556677-2", "0011223344556677-01",
                         "0011223344556677-1 ", "0011223344556677--1", "0011223344556677-0", "1011223344556677-1",
                         "0011223344556677-99999999999999999999999"}) {
    EXPECT_EQ(pending.number_of(id), std::nullopt) << id;
  }
}

TEST(PendingRequests, ExpireInTheOrderOfTheirDeadlines) {
  PendingRequests pending("p");
  pending.add(with_deadline(30));
  pending.add(with_deadline(10));
  pending.add(with_deadline(0));
  pending.add(with_deadline(20));
  const auto at = [](int second) { return PendingRequests::Clock::time_point(seconds(second)); };
  EXPECT_EQ(pending.next_deadline(), at(10));
  EXPECT_FALSE(pending.take_expired(at(9)));
  EXPECT_EQ(pending.take_expired(at(25))->number, 2U);
  EXPECT_EQ(pending.take_expired(at(25))->number, 4U);
  EXPECT_FALSE(pending.take_expired(at(25)));
  EXPECT_TRUE(pending.take(1));
  EXPECT_EQ(pending.next_deadline(), std::nullopt);
  EXPECT_EQ(pending.numbers(), std::vector<std::uint64_t>{3});
  EXPECT_FALSE(pending.take(1));
  EXPECT_NE(pending.find(3), nullptr);
  EXPECT_EQ(pending.find(4), nullptr);
}

TEST(PendingRequests, AreFoundByStream) {
  PendingRequests pending("p");
  for (const StreamId stream : {4U, 8U, 4U}) pending.add({}).stream = stream;
  EXPECT_EQ(pending.numbers_on(4), (std::vector<std::uint64_t>{1, 3}));
  EXPECT_TRUE(pending.numbers_on(5).empty());
}

}  // namespace
}  // namespace alknet::call
