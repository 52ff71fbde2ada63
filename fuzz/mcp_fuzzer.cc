// Messages of the Model Context Protocol, on both sides: the first byte says whether the rest is the body of a request
// to our server, in a session, or what a server answers to our importer, as JSON or as an event stream. The server
// answers every body, and the end of a session leaves nothing; the importer gives operations or an Error.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"
#include "alknet/net/import/import_test_support.h"
#include "alknet/net/mcp/importer.h"
#include "alknet/net/mcp/server.h"
#include "fuzz/outcome.h"

namespace {

using namespace alknet;       // NOLINT(google-build-using-namespace)
using namespace alknet::net;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::attempt;
using alknet::fuzz::require;

constexpr std::uint8_t kImports = 1;
constexpr std::uint8_t kOlderRevision = 2;
constexpr std::uint8_t kEventStream = 4;
constexpr std::uint8_t kAnswersACall = 8;  // instead of the list of tools

std::string initialize(std::uint8_t mode) {
  return std::string(
             R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{},"protocolVersion":")") +
         ((mode & kOlderRevision) != 0 ? "2025-03-26" : "2025-06-18") + "\"}}";
}

void serve(std::uint8_t mode, std::string_view body) {
  static auto* const node = [] {
    auto* made = new call::TestNode;  // once for all inputs
    auto operations = call::discovery_operations();
    operations.push_back(call::simple_operation("test/echo", call::echo));
    made->registry->curated().add(std::move(operations));
    return made;
  }();
  mcp::McpServerOptions options;
  options.max_batch = 8;
  mcp::McpServer server(*node->dispatcher, std::move(options));
  std::string session;
  const auto send = [&](std::string_view method, std::string_view text) {
    mcp::McpRequest request;
    request.method = std::string(method);
    request.headers.add("Content-Type", "application/json");
    if (!session.empty()) request.headers.add("Mcp-Session-Id", session);
    request.body = SharedBytes::copy(text);
    return run_until_done(node->executor, server.handle(std::move(request)));
  };
  session = std::string(send("POST", initialize(mode)).headers.get("Mcp-Session-Id").value_or(""));
  require(!session.empty());
  const mcp::McpResponse answer = send("POST", body);
  require(answer.status == 200 || answer.status == 202 || answer.status == 400);
  if (!answer.body.empty()) (void)parse_json(answer.body.text());
  require(send("DELETE", "").status == 204);
  require(server.sessions() == 0 && node->dispatcher->running_calls() == 0);
}

void import(std::uint8_t mode, std::string_view text) {
  const FakeServer server([&](const SeenRequest& request) {
    const auto asks = [&](std::string_view method) { return request.body.find(method) != std::string::npos; };
    if (asks("\"initialize\"")) {
      return json_answer(R"({"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}})");
    }
    if (!asks("\"id\"")) return GivenAnswer{.status = 202, .type = ""};
    if ((mode & kAnswersACall) != 0 && asks("tools/list")) {
      return json_answer(R"({"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"t"}]}})");
    }
    GivenAnswer answer = json_answer(std::string(text));
    if ((mode & kEventStream) != 0) answer.type = "text/event-stream";
    return answer;
  });
  ManualExecutor executor;
  mcp::McpImportOptions options;
  options.url = "https://tools.example.com/mcp";
  options.name_space = "tools";
  options.max_tools = 16;
  const auto session = std::make_shared<mcp::McpSession>(server.fetch(), std::move(options));
  run_until_done(executor, session->connect());
  attempt([&] {
    auto registrations = run_until_done(executor, session->list_operations());
    require(registrations.size() <= 16);
    auto registry = std::make_shared<call::Registry>();
    for (auto& registration : registrations) {
      require(registration.spec.name.starts_with("tools/"));
      registration.spec.visibility = call::Visibility::kExternal;
    }
    if ((mode & kAnswersACall) == 0) {
      attempt([&] { registry->curated().add(std::move(registrations)); });
      return;
    }
    registry->curated().add(std::move(registrations));
    call::Dispatcher dispatcher(executor, registry);
    const auto owner = std::make_shared<call::Owner>(call::Owner::Kind::kRequest, "fuzzer", std::nullopt);
    const auto request = call::TestNode::request("tools/t", {JsonObject{}, {}});
    attempt([&] { run_until_done(executor, dispatcher.call(owner, request)); });
    owner->end();
    executor.run_ready();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & kImports) == 0) {
    serve(data[0], text);
  } else {
    import(data[0], text);
  }
  return 0;
}
