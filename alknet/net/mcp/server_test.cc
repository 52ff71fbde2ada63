#include "alknet/net/mcp/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"

namespace alknet::net::mcp {
namespace {

using testing::HasSubstr;

call::DispatcherOptions with_tokens() {
  call::DispatcherOptions options;
  options.authenticate = [](std::string_view token) -> std::optional<call::Identity> {
    if (token != "ann" && token != "ben") return std::nullopt;
    call::Identity identity;
    identity.id = std::string(token);
    identity.scopes = {token == "ann" ? "write" : "read"};
    return identity;
  };
  return options;
}

class McpServing : public testing::Test {
 protected:
  McpServing() {
    auto operations = call::discovery_operations();
    operations.push_back(call::simple_operation("test/echo", call::echo));
    operations.push_back(
        call::simple_operation("test/wait", [](call::OperationContext&, Message input) -> Task<Message> {
          co_await sleep_for(std::chrono::seconds(20));
          co_return input;
        }));
    call::Registration guarded = call::simple_operation("test/guarded", call::echo);
    guarded.spec.access.required_scopes = {"write"};
    guarded.spec.input_schema = parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true}}})");
    guarded.spec.output_schema = guarded.spec.input_schema;
    operations.push_back(std::move(guarded));
    operations.push_back(call::simple_subscription(
        "test/items", [](call::OperationContext&, Message input) -> AsyncGenerator<Message> { co_yield input; }));
    node.registry->curated().add(std::move(operations));
  }

  McpRequest request(std::string_view body, std::string method = "POST") const {
    McpRequest made;
    made.method = std::move(method);
    made.headers.add("Content-Type", "application/json");
    made.headers.add("Accept", "application/json, text/event-stream");
    if (!session.empty()) made.headers.add("Mcp-Session-Id", session);
    if (!token.empty()) made.headers.add("Authorization", "Bearer " + token);
    made.body = SharedBytes::copy(body);
    return made;
  }
  McpResponse send(McpRequest made) { return run_until_done(node.executor, server.handle(std::move(made))); }
  McpResponse send(std::string_view body, std::string method = "POST") {
    return send(request(body, std::move(method)));
  }
  int status(std::string_view body) { return send(body).status; }
  Json answer(std::string_view body) { return parse_json(send(body).body.text()); }

  Json begin(std::string_view revision = "2025-06-18") {
    session.clear();
    const McpResponse response =
        send(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{},"clientInfo":{"name":"t",)"
             R"("version":"1"},"protocolVersion":")" +
             std::string(revision) + "\"}}");
    session = response.headers.get("Mcp-Session-Id").value_or("");
    return parse_json(response.body.text()).at("result");
  }
  Json tool(std::string_view name, std::string_view arguments) {
    return answer(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":")" + std::string(name) +
                  R"(","arguments":)" + std::string(arguments) + "}}");
  }
  Json result(std::string_view name, std::string_view arguments) { return tool(name, arguments).at("result"); }

  call::TestNode node{with_tokens()};
  McpServer server{*node.dispatcher, {.name = "node", .version = "1"}};
  std::string session;
  std::string token;
};

TEST_F(McpServing, AgreesOnARevision) {
  Json result = begin();
  EXPECT_EQ(result.at("protocolVersion"), Json("2025-06-18"));
  EXPECT_EQ(result.at("serverInfo").at("name"), Json("node"));
  EXPECT_EQ(session.size(), 64U);
  EXPECT_EQ(begin("2025-03-26").at("protocolVersion"), Json("2025-03-26"));
  EXPECT_EQ(begin("2024-11-05").at("protocolVersion"), Json("2025-06-18"));
  EXPECT_EQ(server.sessions(), 3U);
  EXPECT_EQ(send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").status, 202);
  EXPECT_EQ(json_text(answer(R"({"jsonrpc":"2.0","id":"p","method":"ping"})")),
            R"({"jsonrpc":"2.0","id":"p","result":{}})");
}

TEST_F(McpServing, ListsItsFourTools) {
  begin();
  const Json tools = answer(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").at("result").at("tools");
  std::string names;
  for (const Json& tool : tools.as_array()) names += std::string(tool.at("name").as_string()) + " ";
  EXPECT_EQ(names, "search schema call batch ");
  EXPECT_TRUE(tools.at(0).as_object().contains("outputSchema"));
  begin("2025-03-26");
  const Json older = answer(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").at("result").at("tools");
  EXPECT_FALSE(older.at(0).as_object().contains("outputSchema"));
}

TEST_F(McpServing, SearchesDescribesAndCalls) {
  begin();
  const Json found = result("search", R"({"prefix":"test/e"})");
  EXPECT_EQ(found.at("isError"), Json(false));
  EXPECT_EQ(json_text(found.at("structuredContent")), R"({"operations":[{"name":"test/echo","op_type":"query"}]})");
  EXPECT_EQ(found.at("content").at(0).at("text"), Json(json_text(found.at("structuredContent"))));
  EXPECT_EQ(result("schema", R"({"name":"test/echo"})").at("structuredContent").at("name"), Json("test/echo"));
  const Json called = result("call", R"({"operation":"test/echo","input":{"a":[1]}})");
  EXPECT_EQ(json_text(called.at("structuredContent")), R"({"output":{"a":[1]}})");
  EXPECT_EQ(called.at("content").at(0).at("text"), Json(R"({"a":[1]})"));
  EXPECT_EQ(json_text(result("batch", R"({"calls":[{"operation":"test/echo"},{"operation":"test/none"}]})")
                          .at("structuredContent")
                          .at("results")
                          .at(0)),
            R"({"output":{}})");
}

TEST_F(McpServing, FailedCallsAreResultsThatSaySo) {
  begin();
  const Json failed = result("call", R"({"operation":"test/none"})");
  EXPECT_EQ(failed.at("isError"), Json(true));
  EXPECT_EQ(failed.at("structuredContent").at("error").at("code"), Json("NOT_FOUND"));
  EXPECT_EQ(result("call", R"({"operation":"test/items"})").at("structuredContent").at("error").at("code"),
            Json("INVALID_OPERATION_TYPE"));
  EXPECT_EQ(result("call", R"({"operation":"test/guarded"})").at("structuredContent").at("error").at("code"),
            Json("FORBIDDEN"));
  for (const char* arguments : {"{}", R"({"operation":3})", R"({"operation":"a","more":1})", "[]"}) {
    EXPECT_EQ(tool("call", arguments).at("error").at("code"), Json(-32602)) << arguments;
  }
  EXPECT_EQ(tool("other", "{}").at("error").at("code"), Json(-32602));
  EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})").at("error").at("code"), Json(-32601));
}

TEST_F(McpServing, BytesAreBase64Text) {
  token = "ann";
  begin();
  EXPECT_EQ(
      json_text(result("call", R"({"operation":"test/guarded","input":{"data":"aGk="}})").at("structuredContent")),
      R"({"output":{"data":"aGk="}})");
}

TEST_F(McpServing, ASessionBelongsToWhoBeganIt) {
  token = "ann";
  begin();
  constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  EXPECT_EQ(status(kPing), 200);
  token = "ben";
  EXPECT_EQ(status(kPing), 404);
  token = "";
  EXPECT_EQ(status(kPing), 404);
  token = "nobody";
  const McpResponse refused = send(kPing);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.get("WWW-Authenticate"), "Bearer");
  token = "ann";
  EXPECT_EQ(send("", "DELETE").status, 204);
  EXPECT_EQ(send("", "DELETE").status, 404);
  EXPECT_EQ(status(kPing), 404);
}

TEST_F(McpServing, IdleSessionsEnd) {
  begin();
  node.executor.advance(std::chrono::minutes(9));
  EXPECT_EQ(status(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"), 200);
  node.executor.advance(std::chrono::minutes(9));
  EXPECT_EQ(server.sessions(), 1U);
  node.executor.advance(std::chrono::minutes(2));
  EXPECT_EQ(server.sessions(), 0U);
  EXPECT_EQ(status(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"), 404);
}

TEST_F(McpServing, RefusesWhatIsNotTheProtocol) {
  constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  EXPECT_EQ(status(kPing), 400);  // no session
  begin();
  for (const char* body : {"", "{", R"({"a":1,"a":2})", "\xff"}) {
    const McpResponse response = send(body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(parse_json(response.body.text()).at("error").at("code"), Json(-32700));
  }
  for (const char* body :
       {"3", "{}", R"({"jsonrpc":"1.0","id":1,"method":"ping"})", R"({"jsonrpc":"2.0","id":{},"method":"ping"})",
        R"({"jsonrpc":"2.0","id":1,"method":""})", R"({"jsonrpc":"2.0","id":1,"method":"initialize"})"}) {
    EXPECT_EQ(answer(body).at("error").at("code"), Json(-32600)) << body;
  }
  const McpResponse get = send("", "GET");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.headers.get("Allow"), "POST, DELETE");
  McpRequest other = request(kPing);
  other.headers.set("Content-Type", "text/plain");
  EXPECT_EQ(send(other).status, 415);
  other = request(kPing);
  other.headers.set("Accept", "text/html");
  EXPECT_EQ(send(other).status, 406);
  other = request(kPing);
  other.headers.set("MCP-Protocol-Version", "2099-01-01");
  EXPECT_EQ(send(other).status, 400);
}

TEST_F(McpServing, PagesOfOtherOriginsAreRefused) {
  begin();
  const auto from = [&](std::string_view origin) {
    McpRequest made = request(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
    made.headers.add("Origin", origin);
    return send(made).status;
  };
  EXPECT_EQ(from("http://localhost:3000"), 200);
  EXPECT_EQ(from("http://127.0.0.1"), 200);
  EXPECT_EQ(from("https://evil.example"), 403);
  EXPECT_EQ(from("http://localhost.evil.example"), 403);
  EXPECT_EQ(from("null"), 403);
}

TEST_F(McpServing, AnswersAsAnEventToWhoAcceptsOnlyThat) {
  begin();
  McpRequest made = request(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  made.headers.set("Accept", "text/event-stream");
  const McpResponse response = send(made);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(response.body.text(), "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
}

TEST_F(McpServing, BatchesAreOfTheOlderRevision) {
  constexpr std::string_view kBatch =
      R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},3])";
  begin();
  EXPECT_EQ(status(kBatch), 400);
  begin("2025-03-26");
  EXPECT_EQ(
      json_text(answer(kBatch)),
      R"([{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"this is no message of JSON-RPC 2.0"}}])");
  EXPECT_EQ(status("[]"), 400);
  EXPECT_EQ(status(R"([{"jsonrpc":"2.0","method":"notifications/x"}])"), 202);
}

TEST_F(McpServing, CancelsACallThatNobodyWaitsForAnyMore) {
  begin();
  std::optional<Outcome<McpResponse>> outcome;
  start(
      node.executor,
      server.handle(request(
          R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"call","arguments":{"operation":"test/wait"}}})")),
      [&](Outcome<McpResponse> given) { outcome.emplace(std::move(given)); });
  node.executor.run_ready();
  EXPECT_EQ(node.dispatcher->running_calls(), 1U);
  EXPECT_EQ(status(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":6}})"), 202);
  EXPECT_EQ(node.dispatcher->running_calls(), 1U);
  EXPECT_EQ(status(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}})"), 202);
  node.executor.run_ready();
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
  ASSERT_TRUE(outcome);
  EXPECT_THAT(std::string(outcome->take().body.text()), HasSubstr("ABORTED"));
}

TEST_F(McpServing, AClientThatLeavesAbortsItsCalls) {
  begin();
  std::stop_source stop;
  start(
      node.executor,
      server.handle(request(
          R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"call","arguments":{"operation":"test/wait"}}})")),
      [](const Outcome<McpResponse>&) {}, stop.get_token());
  node.executor.run_ready();
  EXPECT_EQ(node.dispatcher->running_calls(), 1U);
  stop.request_stop();
  node.executor.run_ready();
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
}

TEST_F(McpServing, ASessionThatEndsAnswersItsCalls) {
  begin();
  bool ended = false;
  start(
      node.executor,
      server.handle(request(
          R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"call","arguments":{"operation":"test/wait"}}})")),
      [&](const Outcome<McpResponse>&) { ended = true; });
  node.executor.run_ready();
  EXPECT_EQ(send("", "DELETE").status, 204);
  node.executor.run_ready();
  EXPECT_TRUE(ended);
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
}

TEST_F(McpServing, SessionsAndBatchesHaveLimits) {
  McpServer small{*node.dispatcher, {.max_sessions = 1, .max_batch = 2}};
  const auto begin_at = [&] {
    session.clear();
    return run_until_done(
        node.executor,
        small.handle(
            request(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}})")));
  };
  session = begin_at().headers.get("Mcp-Session-Id").value();
  const McpResponse many = run_until_done(
      node.executor,
      small.handle(request(
          R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"batch","arguments":{"calls":[{"operation":"a"},{"operation":"b"},{"operation":"c"}]}}})")));
  EXPECT_THAT(std::string(many.body.text()), HasSubstr("at most 2 calls"));
  EXPECT_EQ(begin_at().status, 503);
}

}  // namespace
}  // namespace alknet::net::mcp
