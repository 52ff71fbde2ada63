#include "alknet/net/mcp/importer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"
#include "alknet/net/import/import_test_support.h"
#include "alknet/net/mcp/protocol.h"
#include "alknet/net/mcp/server.h"

namespace alknet::net::mcp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A server whose answers to methods a test writes down.
class McpImporting : public testing::Test {
 protected:
  GivenAnswer serve(const SeenRequest& request) {
    if (request.method == "DELETE") return json_answer("", 204);
    if (request.method == "GET") return get;
    const Json message = parse_json(request.body);
    const auto rpc = RpcMessage::read(message).value();
    std::string method(rpc.method);
    methods.push_back(method);
    if (!rpc.is_request()) {
      GivenAnswer accepted;
      accepted.status = 202;
      accepted.type = "";
      return accepted;
    }
    if (method == "initialize") {
      GivenAnswer answer = json_answer(json_text(rpc_result(
          *rpc.id, parse_json(R"({"capabilities":{},"serverInfo":{"name":"s","version":"1"},"protocolVersion":")" +
                              revision + "\"}"))));
      answer.headers.add("Mcp-Session-Id", "s" + std::to_string(++sessions));
      return answer;
    }
    if (forget > 0) {
      --forget;
      return json_answer("", 404);
    }
    if (method == "tools/call" && stream) return *stream;
    const auto found = results.find(method);
    if (found != results.end()) return json_answer(json_text(rpc_result(*rpc.id, parse_json(found->second))));
    const auto page = rpc.param("cursor");
    const std::string text = page == nullptr ? first_page : second_page;
    return json_answer(json_text(rpc_result(*rpc.id, parse_json(text))));
  }

  void import() {
    options.url = "https://mcp.example/mcp";
    options.name_space = "far";
    options.visibility = call::Visibility::kExternal;
    session = std::make_shared<McpSession>(server.fetch(), options);
    run_until_done(node.executor, session->connect());
    auto list = run_until_done(node.executor, session->list_operations());
    names.clear();
    for (const auto& registration : list) names.push_back(registration.spec.name);
    node.registry->curated().add(list);
    registrations = std::move(list);
  }
  std::string call(std::string_view input = "{}") {
    return json_text(node.call("far/read", call::json_message(input)).value);
  }
  std::string answer_to(std::string result) {
    results["tools/call"] = std::move(result);
    return call();
  }

  std::string revision = "2025-06-18";
  std::string first_page =
      R"({"tools":[{"name":"read","title":"Read","description":"Reads.","inputSchema":{"type":"object",
    "properties":{"path":{"$ref":"#/definitions/p"}},"definitions":{"p":{"type":"string"}},
    "$schema":"http://json-schema.org/draft-07/schema#"}}],"nextCursor":"two"})";
  std::string second_page = R"({"tools":[{"name":"read","inputSchema":{"type":"object"}},
    {"name":"a b/c","inputSchema":{"type":"object"},"outputSchema":{"type":"object","required":["n"]}}]})";
  std::map<std::string, std::string> results;
  std::optional<GivenAnswer> stream;
  GivenAnswer get = json_answer("", 405);
  int sessions = 0;
  int forget = 0;
  std::vector<std::string> methods;
  FakeServer server{[this](const SeenRequest& request) { return serve(request); }};
  McpImportOptions options;
  std::shared_ptr<McpSession> session;
  std::vector<std::string> names;
  std::vector<call::Registration> registrations;
  call::TestNode node;
};

TEST_F(McpImporting, ListsToolsOverAllPages) {
  import();
  EXPECT_THAT(names, ElementsAre("far/read", "far/read_2", "far/a_b/c"));
  EXPECT_THAT(methods, ElementsAre("initialize", "notifications/initialized", "tools/list", "tools/list"));
  const auto& spec = registrations[0].spec;
  EXPECT_EQ(spec.type, call::OperationType::kMutation);
  EXPECT_EQ(registrations[0].provenance, call::Provenance::kFromMcp);
  EXPECT_EQ(spec.title, "Read");
  EXPECT_EQ(json_text(spec.input_schema),
            R"({"type":"object","properties":{"path":{"$ref":"#/$defs/p"}},"$defs":{"p":{"type":"string"}}})");
  EXPECT_EQ(json_text(registrations[2].spec.output_schema), R"({"type":"object","required":["n"]})");
  EXPECT_EQ(server.last().headers.get("Mcp-Session-Id"), "s1");
  EXPECT_EQ(server.last().headers.get("MCP-Protocol-Version"), "2025-06-18");
  run_until_done(node.executor, session->close());
  EXPECT_EQ(server.last().method, "DELETE");
}

TEST_F(McpImporting, PrefersStructuredContentAndTakesTextElse) {
  import();
  EXPECT_EQ(answer_to(R"({"content":[{"type":"text","text":"{}"}],"structuredContent":{"n":1}})"), R"({"n":1})");
  EXPECT_EQ(answer_to(R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})"), R"("a\nb")");
  EXPECT_EQ(answer_to(R"({"content":[{"type":"image","data":"","mimeType":"image/png"}]})"),
            R"({"content":[{"type":"image","data":"","mimeType":"image/png"}]})");
  EXPECT_EQ(answer_to(R"({"content":[]})"), R"({"content":[]})");
}

TEST_F(McpImporting, FailedToolsAndProtocolErrorsAreDeclared) {
  import();
  const Error failed = error_of([&] { answer_to(R"({"isError":true,"content":[{"type":"text","text":"no file"}]})"); });
  EXPECT_EQ(call::wire_code(failed), "TOOL_ERROR");
  EXPECT_EQ(failed.message(), "no file");
  std::int64_t id = 4;  // of the last request
  for (const auto& [code, name] : {std::pair(-32602, "INVALID_INPUT"), {-32601, "NOT_FOUND"}, {-32000, "MCP_ERROR"}}) {
    stream = json_answer(json_text(rpc_error(Json(++id), code, "x")));
    EXPECT_EQ(call::wire_code(error_of([&] { call(); })), name);
  }
  stream.reset();
  EXPECT_EQ(call::wire_code(error_of([&] { answer_to("3"); })), "TRANSPORT");
}

TEST_F(McpImporting, ReadsTheAnswerFromAnEventStream) {
  int changes = 0;
  options.on_tools_changed = [&] { ++changes; };
  import();
  stream = GivenAnswer{
      200,
      "text/event-stream",
      {"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\nda",
       "ta: {\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}\n\n",
       "data: {\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n\n",
       "data: {\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}}\n\n"},
      {},
      true};
  EXPECT_EQ(call(), R"("ok")");
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(server.last().body, R"({"jsonrpc":"2.0","id":"x","result":{}})");
}

TEST_F(McpImporting, ResumesAStreamThatBreaks) {
  import();
  stream = GivenAnswer{200, "text/event-stream", {"id: e1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n"}};
  get = GivenAnswer{
      200,
      "text/event-stream",
      {"data: {\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"late\"}]}}\n\n"}};
  EXPECT_EQ(call(), R"("late")");
  EXPECT_EQ(server.last().headers.get("Last-Event-ID"), "e1");
  stream = GivenAnswer{200, "text/event-stream", {"data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n"}};
  EXPECT_EQ(call::wire_code(error_of([&] { call(); })), "TRANSPORT");
}

TEST_F(McpImporting, BeginsAgainWhenTheServerForgotTheSession) {
  import();
  forget = 1;
  EXPECT_EQ(answer_to(R"({"content":[{"type":"text","text":"ok"}]})"), R"("ok")");
  EXPECT_EQ(server.last().headers.get("Mcp-Session-Id"), "s2");
  forget = 2;
  EXPECT_EQ(call::wire_code(error_of([&] { call(); })), "TRANSPORT");
}

TEST_F(McpImporting, AnAbortTellsTheServer) {
  import();
  stream = GivenAnswer{200, "text/event-stream", {}, {}, true};
  std::stop_source stop;
  start(
      node.executor, node.dispatcher->call(node.owner, call::TestNode::request("far/read", {JsonObject{}, {}})),
      [](const Outcome<Message>&) {}, stop.get_token());
  node.executor.run_ready();
  EXPECT_EQ(methods.back(), "tools/call");
  stop.request_stop();
  node.executor.run_ready();
  EXPECT_EQ(methods.back(), "notifications/cancelled");
  EXPECT_EQ(parse_json(server.last().body).at("params").at("requestId"), Json(4));
}

TEST_F(McpImporting, ListensForChanges) {
  int changes = 0;
  options.on_tools_changed = [&] { ++changes; };
  import();
  run_until_done(node.executor, session->listen());  // 405: the server has no such stream
  get = GivenAnswer{
      200, "text/event-stream", {"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"}};
  run_until_done(node.executor, session->listen());
  EXPECT_EQ(changes, 1);
}

TEST_F(McpImporting, RefusesServersThatBreakTheProtocol) {
  revision = "2024-11-05";
  EXPECT_EQ(code_of([&] { import(); }), "discovery_failed");
  revision = "2025-03-26";
  second_page = first_page;
  EXPECT_EQ(code_of([&] { import(); }), "discovery_failed");  // the cursor comes again
  first_page = R"({"tools":3})";
  EXPECT_EQ(code_of([&] { import(); }), "schema_parse");
  first_page = R"({"tools":[{"name":""}]})";
  EXPECT_EQ(code_of([&] { import(); }), "schema_parse");
  first_page = R"({"tools":[{"name":"x","inputSchema":{"$ref":"http://evil/x"}}]})";
  EXPECT_EQ(code_of([&] { import(); }), "schema_parse");
  FakeServer other{[](const SeenRequest&) { return json_answer("", 401); }};
  session = std::make_shared<McpSession>(other.fetch(), options);
  EXPECT_EQ(code_of([&] { run_until_done(node.executor, session->connect()); }), "unauthorized");
}

TEST_F(McpImporting, OurImporterSpeaksWithOurServer) {
  call::TestNode far;
  auto operations = call::discovery_operations();
  operations.push_back(call::simple_operation("test/echo", call::echo));
  far.registry->curated().add(std::move(operations));
  McpServer mcp(*far.dispatcher, {});
  const HttpFetch fetch = [&](FetchRequest request) -> Task<FetchedAnswer> {
    McpRequest made{request.method, request.headers, request.body};
    McpResponse response = co_await mcp.handle(std::move(made));
    const auto body = [](SharedBytes bytes) -> AsyncGenerator<SharedBytes> { co_yield std::move(bytes); };
    FetchedAnswer answer{response.status, std::move(response.headers), body(std::move(response.body))};
    co_return std::move(answer);
  };
  options.url = "http://far/mcp";
  options.name_space = "far";
  options.visibility = call::Visibility::kExternal;
  const auto near = std::make_shared<McpSession>(fetch, options);
  run_until_done(far.executor, near->connect());
  far.registry->curated().add(run_until_done(far.executor, near->list_operations()));
  EXPECT_EQ(json_text(far.call("far/call", R"({"operation":"test/echo","input":[1,2]})")), R"({"output":[1,2]})");
  EXPECT_EQ(call::wire_code(error_of([&] { far.call("far/call", R"({"operation":"test/none"})"); })), "TOOL_ERROR");
}

}  // namespace
}  // namespace alknet::net::mcp
