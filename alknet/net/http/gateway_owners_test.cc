#include "alknet/net/http/gateway_owners.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/manual_executor.h"

namespace alknet::net {
namespace {

using std::chrono::milliseconds;

class GatewayOwnersTest : public ::testing::Test {
 protected:
  GatewayOwnersTest() {
    call::DispatcherOptions options;
    options.authenticate = [](std::string_view token) {
      return std::optional(call::Identity{std::string(token), {}, {}});
    };
    dispatcher_ = std::make_unique<call::Dispatcher>(executor, std::make_shared<call::Registry>(), std::move(options));
  }

  static HttpRequest request(const std::string& session, const std::string& token = "") {
    HttpRequest made;
    made.peer.loopback = true;
    if (!session.empty()) made.headers.add("Alknet-Session", session);
    if (!token.empty()) made.headers.add("Authorization", "Bearer " + token);
    return made;
  }
  static GatewayOwners::Use use(GatewayOwners& owners, const HttpRequest& made) {
    return std::get<GatewayOwners::Use>(owners.find(made));
  }
  static GatewayFailure failure(GatewayOwners& owners, const HttpRequest& made) {
    return std::get<GatewayFailure>(owners.find(made));
  }
  static std::string name(int number) { return "session-number-" + std::to_string(number); }

  ManualExecutor executor;
  std::unique_ptr<call::Dispatcher> dispatcher_;
};

struct KeptHandle final : call::Resource {
  std::uint64_t bytes() const override { return 1; }
  std::string_view kind() const override { return "test"; }
};

TEST_F(GatewayOwnersTest, ASessionEndsWithItsHandlesAfterItsIdleTime) {
  GatewayOwnerOptions options;
  options.session_idle = milliseconds(1'000);
  GatewayOwners owners(executor, *dispatcher_, options);
  std::weak_ptr<KeptHandle> handle;
  std::shared_ptr<call::Owner> owner;
  {
    const auto first = use(owners, request(name(1)));
    owner = first.owner();
    const auto kept = std::make_shared<KeptHandle>();
    handle = kept;
    owner->resources().add(kept);
    executor.advance(milliseconds(5'000));
    EXPECT_EQ(owners.sessions(), 1U) << "it is in use";
  }
  executor.advance(milliseconds(999));
  EXPECT_EQ(use(owners, request(name(1))).owner(), owner) << "each use begins the time anew";
  executor.advance(milliseconds(999));
  EXPECT_EQ(owners.sessions(), 1U);
  EXPECT_FALSE(handle.expired());
  executor.advance(milliseconds(1));
  EXPECT_EQ(owners.sessions(), 0U);
  EXPECT_TRUE(owner->ended());
  EXPECT_TRUE(handle.expired());
  EXPECT_NE(use(owners, request(name(1))).owner(), owner) << "the name begins another session";
}

TEST_F(GatewayOwnersTest, AnIdentityHasOnlySoManySessions) {
  GatewayOwnerOptions options;
  options.max_sessions_per_identity = 2;
  GatewayOwners owners(executor, *dispatcher_, options);
  use(owners, request(name(1), "alice"));
  use(owners, request(name(2), "alice"));
  const GatewayFailure refused = failure(owners, request(name(3), "alice"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.error.code, "RESOURCE_EXHAUSTED");
  EXPECT_TRUE(refused.error.retryable);
  EXPECT_EQ(refused.error.details.at("limit"), "sessions");
  use(owners, request(name(1), "alice"));
  use(owners, request(name(3), "bob"));
  use(owners, request(name(3)));
  EXPECT_EQ(owners.sessions(), 4U);
  EXPECT_EQ(failure(owners, request(name(3), "alice")).status, 429);
  use(owners, request("", "alice"));
  executor.advance(options.session_idle);
  EXPECT_EQ(owners.sessions(), 0U);
  use(owners, request(name(3), "alice"));
}

TEST_F(GatewayOwnersTest, ThereAreOnlySoManySessionsOfAll) {
  GatewayOwnerOptions options;
  options.max_sessions = 3;
  GatewayOwners owners(executor, *dispatcher_, options);
  for (int i = 0; i < 3; ++i) use(owners, request(name(i), "caller" + std::to_string(i)));
  EXPECT_EQ(failure(owners, request(name(0), "another")).status, 429);
  use(owners, request(name(2), "caller2"));
  EXPECT_EQ(owners.sessions(), 3U);
}

}  // namespace
}  // namespace alknet::net
