#include "alknet/net/jsonschema_import.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/net/import/import_test_support.h"

namespace alknet::net {
namespace {

class JsonSchemaImport : public testing::Test {
 protected:
  call::OperationSpec spec(std::string_view more = "{}") {
    JsonObject all = parse_json(R"({"name":"api/get","input_schema":{"type":"object",
      "properties":{"id":{"type":"string"},"tags":{"type":"array"},"note":{"type":"string"}}}})")
                         .get_object();
    const Json extra = parse_json(more);
    for (const auto& [name, value] : extra.get_object()) all[name] = value;
    return call::OperationSpec::from_json(all);
  }
  void serve(const EndpointTemplate& endpoint, std::string_view more = "{}", const call::Capabilities& secrets = {}) {
    node.registry->curated().add({import_json_schema(spec(more), endpoint, server.fetch(), secrets)});
  }

  GivenAnswer answer = json_answer("1");
  FakeServer server{[this](const SeenRequest&) { return answer; }};
  call::TestNode node;
};

TEST_F(JsonSchemaImport, GetPutsTheRestIntoTheQuery) {
  serve({.method = "GET", .url = "https://h.example/u/{id}?v=1", .headers = {{"X-Api", "2"}}});
  EXPECT_EQ(json_text(node.call("api/get", R"({"id":"a b","tags":["x","y"]})")), "1");
  EXPECT_EQ(server.last().url, "https://h.example/u/a%20b?v=1&tags=x&tags=y");
  EXPECT_EQ(server.last().headers.get("X-Api"), "2");
  EXPECT_EQ(server.last().body, "");
}

TEST_F(JsonSchemaImport, PostPutsTheRestIntoTheBody) {
  call::Capabilities secrets;
  secrets.add("token", std::make_shared<call::Secret>("s3cret"));
  serve({.url = "https://h.example/u/{id}", .credentials = {{"token", HttpCredential::Kind::kBearer, ""}}},
        R"({"op_type":"mutation","error_schemas":[{"code":"HTTP_409"}]})", secrets);
  node.call("api/get", R"({"id":"1","note":"n"})");
  EXPECT_EQ(server.last().method, "POST");
  EXPECT_EQ(server.last().body, R"({"note":"n"})");
  EXPECT_EQ(server.last().headers.get("Authorization"), "Bearer s3cret");
  answer = json_answer(R"("taken")", 409);
  EXPECT_EQ(call::wire_code(error_of([&] { node.call("api/get", R"({"id":"1"})"); })), "HTTP_409");
  answer = json_answer("", 418);
  EXPECT_EQ(call::wire_code(error_of([&] { node.call("api/get", R"({"id":"1"})"); })), "INTERNAL");
}

TEST_F(JsonSchemaImport, RefusesTemplatesThatDoNotFit) {
  const auto code = [&](EndpointTemplate endpoint) {
    return code_of([&] { (void)import_json_schema(spec(), endpoint, server.fetch()); });
  };
  EXPECT_EQ(code({.url = "https://h/{other}"}), "operation_invalid");
  EXPECT_EQ(code({.url = "https://h/{id"}), "operation_invalid");
  EXPECT_EQ(code({.url = "https://{id}/x"}), "operation_invalid");
  EXPECT_EQ(code({.url = "file:///etc/passwd"}), "operation_invalid");
  EXPECT_EQ(code({.url = "/relative"}), "operation_invalid");
  EXPECT_EQ(code({.method = "A B", .url = "https://h/"}), "operation_invalid");
  EXPECT_EQ(code({.url = "https://h/", .headers = {{"Host", "x"}}}), "operation_invalid");
  EXPECT_EQ(code({.url = "https://h/", .headers = {{"X", "a\r\nb"}}}), "operation_invalid");
}

}  // namespace
}  // namespace alknet::net
