#include "alknet/call/access.h"

#include <gtest/gtest.h>

#include <cstring>

#include "alknet/base/testing.h"
#include "alknet/call/capabilities.h"
#include "alknet/call/error.h"

namespace alknet::call {
namespace {

Identity with_scopes(std::vector<std::string> scopes) {
  Identity identity;
  identity.id = "someone";
  identity.scopes = std::move(scopes);
  return identity;
}

TEST(Access, AnOpenOperationTakesAnybody) {
  EXPECT_NO_THROW(check_access({}, std::nullopt, nullptr));
  EXPECT_NO_THROW(check_access({}, Identity{}, nullptr));
}

TEST(Access, AClosedOneAsksAnAnonymousCallerToAuthenticate) {
  const Error error = error_of([] { check_access({{"read"}, {}, "", ""}, std::nullopt, nullptr); });
  EXPECT_EQ(error.code(), CallError::kForbidden);
  EXPECT_NE(error.message().find("authentication required"), std::string::npos);
}

TEST(Access, AllRequiredScopesAndOneOfTheOthers) {
  const AccessControl access{{"a", "b"}, {"x", "y"}, "", ""};
  EXPECT_TRUE(may_access(access, with_scopes({"b", "a", "y"})));
  EXPECT_FALSE(may_access(access, with_scopes({"a", "y"})));
  EXPECT_FALSE(may_access(access, with_scopes({"a", "b"})));
  EXPECT_FALSE(may_access(access, with_scopes({})));
  EXPECT_FALSE(may_access(access, with_scopes({"*", "A", "a b x"})));
}

TEST(Access, ActionsOnResources) {
  const AccessControl access{{}, {}, "model", "run"};
  Identity identity;
  identity.resources = {{"model:minilm", {"run"}}, {"model:big", {"read"}}, {"models:x", {"run"}}, {"plan:*", {"*"}}};
  const auto allowed = [&](const std::string& id) { return code_of([&] { check_access(access, identity, &id); }); };
  EXPECT_EQ(allowed("minilm"), "no error");
  EXPECT_EQ(allowed("big"), "forbidden");
  EXPECT_EQ(allowed(""), "forbidden");
  EXPECT_EQ(allowed("*"), "forbidden");
  EXPECT_TRUE(may_access(access, identity)) << "for a list, one resource of the type is enough";
  identity.resources = {{"model:*", {"read", "*"}}};
  EXPECT_EQ(allowed("anything"), "no error");
  identity.resources = {{"modelx:*", {"*"}}};
  EXPECT_EQ(allowed("anything"), "forbidden");
  EXPECT_FALSE(may_access(access, identity));
}

TEST(Access, OnlyTheLocalProgramIsUnrestricted) {
  EXPECT_TRUE(may_access({{"root"}, {}, "disk", "format"}, Identity::local_program()));
  const Identity read = Identity::from_json(parse_json(R"({"id":"x","scopes":["a"],"unrestricted":true})"));
  EXPECT_FALSE(read.unrestricted);
  EXPECT_EQ(code_of([] { Identity::from_json(parse_json(R"({"scopes":"a"})")); }), "invalid_input");
  EXPECT_EQ(code_of([] { Identity::from_json(parse_json(R"({"resources":{"a:b":[1]}})")); }), "invalid_input");
}

TEST(Access, NarrowingNeverAdds) {
  Identity wide = with_scopes({"a", "b"});
  wide.resources = {{"model:*", {"run", "read"}}, {"model:one", {"delete"}}};
  Identity limit = with_scopes({"b", "c"});
  limit.resources = {{"model:*", {"run"}}, {"model:one", {"*"}}};
  const Identity narrowed = wide.narrowed_to(limit);
  EXPECT_EQ(narrowed.scopes, std::vector<std::string>{"b"});
  EXPECT_EQ(narrowed.resources.at("model:*"), std::vector<std::string>{"run"});
  EXPECT_EQ(narrowed.resources.at("model:one"), std::vector<std::string>{"delete"});
  EXPECT_FALSE(wide.narrowed_to(Identity::local_program()).unrestricted);
  EXPECT_FALSE(Identity::local_program().narrowed_to(limit).unrestricted);
}

TEST(Capabilities, AreSharedByCopiesAndFoundByName) {
  Capabilities capabilities;
  capabilities.add("token", std::make_shared<const Secret>("old"));
  capabilities.add("token", std::make_shared<const Secret>("new"));
  const Capabilities copy = capabilities;
  EXPECT_EQ(copy.find("token")->value(), "new");
  EXPECT_EQ(copy.find("token"), capabilities.find("token"));
  EXPECT_EQ(copy.find("other"), nullptr);
}

}  // namespace
}  // namespace alknet::call
