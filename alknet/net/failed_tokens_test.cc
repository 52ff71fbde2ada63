#include "alknet/net/failed_tokens.h"

#include <gtest/gtest.h>

#include <string>

namespace alknet::net {
namespace {

using std::chrono::milliseconds;

TEST(FailedTokens, BlockAnAddressAfterItsBurstAndPayItBackWithTime) {
  FailedTokens failed({.burst = 3, .refill = milliseconds(1'000)});
  Executor::Clock::time_point now{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(failed.blocked("192.0.2.1:4000", now)) << i;
    failed.note("192.0.2.1:400" + std::to_string(i), now);
  }
  EXPECT_TRUE(failed.blocked("192.0.2.1:5000", now));
  EXPECT_FALSE(failed.blocked("192.0.2.2:4000", now));
  now += milliseconds(999);
  EXPECT_TRUE(failed.blocked("192.0.2.1:4000", now));
  now += milliseconds(1);
  EXPECT_FALSE(failed.blocked("192.0.2.1:4000", now)) << "one more is allowed";
  failed.note("192.0.2.1:4000", now);
  EXPECT_TRUE(failed.blocked("192.0.2.1:4000", now));
  now += milliseconds(3'000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(failed.blocked("192.0.2.1:4000", now)) << i;
    failed.note("192.0.2.1:4000", now);
  }
  EXPECT_TRUE(failed.blocked("192.0.2.1:4000", now));
}

TEST(FailedTokens, DoNotPileUpAgainstWhoIsBlockedAnyhow) {
  FailedTokens failed({.burst = 2, .refill = milliseconds(1'000)});
  Executor::Clock::time_point now{};
  for (int i = 0; i < 1'000; ++i) failed.note("192.0.2.1:1", now);
  now += milliseconds(1'000);
  EXPECT_FALSE(failed.blocked("192.0.2.1:1", now));
}

TEST(FailedTokens, CountANetworkOfIpv6AsOne) {
  FailedTokens failed({.burst = 1});
  failed.note("[2001:db8:0:1::1]:4000", {});
  EXPECT_TRUE(failed.blocked("[2001:db8:0:1:ffff::9]:4000", {}));
  EXPECT_FALSE(failed.blocked("[2001:db8:0:2::1]:4000", {}));
  failed.note("[::ffff:192.0.2.1]:4000", {});
  EXPECT_TRUE(failed.blocked("[::ffff:192.0.2.1]:5000", {}));
  EXPECT_FALSE(failed.blocked("[::ffff:192.0.2.2]:5000", {})) << "an IPv4 address counts alone";
}

TEST(FailedTokens, RememberOnlySoManyAddresses) {
  FailedTokens failed({.burst = 1, .max_addresses = 2});
  failed.note("192.0.2.1:1", {});
  failed.note("192.0.2.2:1", {});
  failed.note("192.0.2.1:1", {});
  failed.note("192.0.2.3:1", {});
  EXPECT_EQ(failed.addresses(), 2U);
  EXPECT_TRUE(failed.blocked("192.0.2.1:1", {}));
  EXPECT_FALSE(failed.blocked("192.0.2.2:1", {})) << "it failed longest ago";
  EXPECT_TRUE(failed.blocked("192.0.2.3:1", {}));
}

TEST(FailedTokens, TakeAddressesOfAnyForm) {
  FailedTokens failed({.burst = 1});
  for (const char* address : {"", ":", "[", "[]", "[::1", "[x]:1", "unix:/run/node", "[fe80::1%eth0]:1"}) {
    failed.note(address, {});
    EXPECT_TRUE(failed.blocked(address, {})) << address;
  }
}

}  // namespace
}  // namespace alknet::net
