#include "alknet/call/discovery.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"

namespace alknet::call {
namespace {

class Discovery : public testing::Test {
 protected:
  Discovery() {
    node.registry->curated().add(discovery_operations());
    Registration open = simple_operation("files/read", echo);
    open.spec.title = "Read a file";
    Registration closed = simple_operation("files/write", echo);
    closed.spec.access.required_scopes = {"files"};
    Registration internal = simple_operation("files/secret", echo);
    internal.spec.visibility = Visibility::kInternal;
    node.registry->curated().add({open, closed, internal});
  }

  std::vector<std::string> listed(std::string_view input = "{}") {
    std::vector<std::string> names;
    const Json answer = node.call("services/list", input);
    for (const Json& entry : answer.at("operations").as_array()) names.emplace_back(entry.at("name").as_string());
    return names;
  }

  TestNode node;
};

TEST_F(Discovery, ListsWhatThisCallerMayCall) {
  EXPECT_EQ(listed(), (std::vector<std::string>{"files/read", "services/list", "services/schema"}));
  Identity identity;
  identity.scopes = {"files"};
  node.owner->set_identity(identity);
  EXPECT_EQ(listed(R"({"prefix":"files/"})"), (std::vector<std::string>{"files/read", "files/write"}));
}

TEST_F(Discovery, FindsByAnyPartOfNameTitleOrTagWhateverTheCase) {
  EXPECT_EQ(listed(R"({"query":"read a"})"), (std::vector<std::string>{"files/read"}));
  EXPECT_EQ(listed(R"({"query":"discovery"})"), (std::vector<std::string>{"services/list", "services/schema"}));
  EXPECT_TRUE(listed(R"({"query":"nothing like it"})").empty());
}

TEST_F(Discovery, DescribesOnlyWhatThisCallerMayCall) {
  EXPECT_EQ(node.call("services/schema", R"({"name":"files/read"})").at("title"), "Read a file");
  EXPECT_EQ(node.call("services/schema", R"({"name":"/files/read"})").at("name"), "files/read");
  for (const char* name : {"files/write", "files/secret", "files/none"}) {
    EXPECT_EQ(code_of([&] {
                node.call("services/schema", json_text(JsonObject{{"name", name}}));
              }),
              "not_found")
        << name;
  }
  const Error error = error_of([&] { node.call("services/schema", R"({"name":"files/raed"})"); });
  EXPECT_NE(error.message().find("did you mean files/read?"), std::string::npos) << error.message();
  EXPECT_EQ(error.message().find("secret"), std::string::npos);
}

TEST_F(Discovery, FeaturesAreThoseOfTheConnection) {
  EXPECT_EQ(json_text(node.call("services/list", R"({"features":["credit"],"prefix":"-"})")),
            R"({"operations":[],"features":[]})");
  node.owner->negotiate_features = [](const std::vector<std::string>& asked) {
    EXPECT_EQ(asked, std::vector<std::string>{"credit"});
    return std::vector<std::string>{"attachments", "credit"};
  };
  EXPECT_EQ(json_text(node.call("services/list", R"({"features":["credit"],"prefix":"-"})")),
            R"({"operations":[],"features":["attachments","credit"]})");
}

TEST_F(Discovery, PeersAreListedOnlyWhereTheAssemblySaysSo) {
  EXPECT_EQ(code_of([&] { node.call("services/list-peers", "{}"); }), "not_found");
  TestNode other;
  DiscoveryOptions options;
  options.list_peers = [] {
    std::vector<PeerInfo> peers{{"laptop", "The small one", true}, {"gpu1", "The big one", false}};
    peers[1].import = PeerImport{"waiting", 0, 3, "nobody listens there", std::chrono::milliseconds(700)};
    return peers;
  };
  other.registry->curated().add(discovery_operations(std::move(options)));
  EXPECT_EQ(other.call("services/list-peers", "{}"), parse_json(R"({"peers":[
    {"peer_id":"laptop","display_name":"The small one","connected":true},
    {"peer_id":"gpu1","display_name":"The big one","connected":false,"import":{"state":"waiting","operations":0,
     "attempts":3,"last_error":"nobody listens there","next_attempt_ms":700}}]})"));
}

}  // namespace
}  // namespace alknet::call
