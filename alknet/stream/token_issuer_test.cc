#include "alknet/stream/token_issuer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/manual_executor.h"
#include "alknet/base/testing.h"
#include "alknet/stream/stream_test_support.h"

namespace alknet::stream {
namespace {

using ::testing::HasSubstr;

class TokenIssuerTest : public ::testing::Test {
 protected:
  Error refusal(std::string_view token, const std::optional<std::string>& identity) {
    return error_of([&] { issuer.check(token, identity); });
  }

  ManualExecutor clock;
  TokenIssuer issuer{clock, {.lifetime = std::chrono::seconds(60), .max_tokens = 3}};
  std::shared_ptr<tensor::Source> model = std::make_shared<tensor::FileSource>(model_of({1}));
};

TEST_F(TokenIssuerTest, GivesTheModelToTheIdentityThatTheTokenIsFor) {
  const auto token = issuer.issue("laptop", model);
  EXPECT_EQ(token.lifetime, std::chrono::seconds(60));
  EXPECT_EQ(issuer.check(token.text, "laptop"), model);
  EXPECT_EQ(issuer.check(token.text, "laptop"), model);
}

TEST_F(TokenIssuerTest, MakesTokensOf256BitsThatDiffer) {
  const std::string first = issuer.issue("laptop", model).text;
  EXPECT_EQ(first.size(), 64U);
  EXPECT_NE(first, issuer.issue("laptop", model).text);
}

TEST_F(TokenIssuerTest, SaysTheSameOfForeignRevokedAndUnknownTokens) {
  const std::string foreign = issuer.issue("laptop", model).text;
  const std::string revoked = issuer.issue("phone", model).text;
  EXPECT_TRUE(issuer.revoke(revoked));
  EXPECT_FALSE(issuer.revoke(revoked));
  const Error unknown = refusal(std::string(64, '0'), "phone");
  EXPECT_EQ(unknown.code_name(), "forbidden");
  EXPECT_EQ(refusal(foreign, "phone").message(), unknown.message());
  EXPECT_EQ(refusal(foreign, std::nullopt).message(), unknown.message());
  EXPECT_EQ(refusal(revoked, "phone").message(), unknown.message());
  EXPECT_EQ(refusal("", "phone").message(), unknown.message());
}

TEST_F(TokenIssuerTest, EndsTokensWithTheirTime) {
  const std::string token = issuer.issue("laptop", model).text;
  clock.advance(std::chrono::seconds(59));
  EXPECT_EQ(issuer.check(token, "laptop"), model);
  clock.advance(std::chrono::seconds(1));
  EXPECT_THAT(refusal(token, "phone").message(), ::testing::Not(HasSubstr("expired")));
  EXPECT_THAT(refusal(token, "laptop").message(), HasSubstr("expired"));
  EXPECT_EQ(refusal(token, "laptop").code_name(), "forbidden");
}

TEST_F(TokenIssuerTest, KeepsTokensOfAnonymousConnectionsApart) {
  const std::string token = issuer.issue(std::nullopt, model).text;
  EXPECT_EQ(issuer.check(token, std::nullopt), model);
  EXPECT_EQ(refusal(token, "laptop").code_name(), "forbidden");
}

TEST_F(TokenIssuerTest, EndsAllTokensOfAnIdentity) {
  const std::string first = issuer.issue("laptop", model).text;
  const std::string other = issuer.issue("phone", model).text;
  issuer.issue("laptop", model);
  EXPECT_EQ(issuer.revoke_all("laptop"), 2U);
  EXPECT_EQ(refusal(first, "laptop").code_name(), "forbidden");
  EXPECT_EQ(issuer.check(other, "phone"), model);
}

TEST_F(TokenIssuerTest, LimitsLivingTokens) {
  for (int i = 0; i < 3; ++i) issuer.issue("laptop", model);
  EXPECT_EQ(code_of([&] { issuer.issue("laptop", model); }), "resource_exhausted");
  clock.advance(std::chrono::seconds(60));
  issuer.issue("laptop", model);
}

}  // namespace
}  // namespace alknet::stream
