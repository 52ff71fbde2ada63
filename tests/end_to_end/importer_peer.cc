// A node that the tests of importers talk to, beside independent programs:
//   importer_peer openapi FILE...          imports each document, compiles every schema, and prints one line of JSON a
//   file importer_peer call FILE SERVER SECRET  calls operations of the document at SERVER: lines {operation, input}
//   come in,
//                                          {output} or {error} go out; SECRET is given for every security scheme
//   importer_peer mcp-serve                serves an MCP endpoint, prints its URL, ends with its standard input
//   importer_peer mcp-import URL           imports the tools at URL, prints their specs, then as `call`
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/loop.h"
#include "alknet/call/discovery.h"
#include "alknet/call/dispatcher.h"
#include "alknet/net/http/client.h"
#include "alknet/net/http/server.h"
#include "alknet/net/mcp/importer.h"
#include "alknet/net/mcp/server.h"
#include "alknet/net/openapi_import.h"

namespace {

using namespace alknet;       // NOLINT(google-build-using-namespace)
using namespace alknet::net;  // NOLINT(google-build-using-namespace)

std::string file_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void say(const Json& value) { std::cout << json_text(value) << std::endl; }

Json described(const Error& error) { return JsonObject{{"code", error.code_name()}, {"message", error.message()}}; }

/// One thread's node with an HTTP client.
struct Node {
  Node() { options.default_timeout = std::chrono::seconds(30); }

  void add(std::vector<call::Registration> registrations) { registry->curated().add(std::move(registrations)); }

  void begin() { dispatcher = std::make_unique<call::Dispatcher>(thread.loop(), registry, options); }

  Json call(const Json& line) {
    call::CallRequest request;
    request.operation = std::string(line.at("operation").as_string());
    request.input.value = line.at("input");
    const auto operation = dispatcher->find(*owner, request.operation);
    try {
      Message output = wait_for(thread.loop(), dispatcher->call(owner, std::move(request)));
      operation->output_bytes().encode(output);
      return JsonObject{{"output", output.value}};
    } catch (const Error& error) {
      Json said = described(error);
      said.as_object()["code"] = call::wire_code(error);
      return JsonObject{{"error", said}};
    }
  }
  void serve_lines() {
    std::string line;
    while (std::getline(std::cin, line)) say(call(parse_json(line)));
  }

  LoopThread thread;
  HttpClient client{thread.loop(), {}};
  std::shared_ptr<call::Registry> registry = std::make_shared<call::Registry>();
  call::DispatcherOptions options;
  std::unique_ptr<call::Dispatcher> dispatcher;
  std::shared_ptr<call::Owner> owner =
      std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "test", call::Identity::local_program());
};

void import_documents(const std::vector<std::string>& paths) {
  const HttpFetch none = [](FetchRequest) -> Task<FetchedAnswer> {
    throw Error(BaseError::kUnsupported, "no network");
  };
  for (const std::string& path : paths) {
    try {
      OpenApiOptions options;
      options.name_space = "api";
      options.server_url = "https://api.example.com";
      const auto imported = import_openapi_text(file_text(path), none, options);
      JsonArray names;
      for (const auto& registration : imported.registrations) {
        const call::Operation compiled(registration);
        names.push_back(Json(compiled.spec().name));
      }
      say(JsonObject{{"operations", names}, {"notes", JsonArray(imported.notes.begin(), imported.notes.end())}});
    } catch (const Error& error) {
      say(JsonObject{{"error", described(error)}});
    }
  }
}

void call_document(const std::string& path, const std::string& server, const std::string& secret) {
  Node node;
  OpenApiOptions options;
  options.name_space = "api";
  options.server_url = server;
  options.visibility = call::Visibility::kExternal;
  const HttpFetch fetch = fetch_with(node.client);
  for (const std::string& name : import_openapi_text(file_text(path), fetch, options).capabilities) {
    options.capabilities.add(name, std::make_shared<call::Secret>(secret));
  }
  node.add(import_openapi_text(file_text(path), fetch, options).registrations);
  node.begin();
  node.serve_lines();
}

Task<HttpResponse> answer_mcp(mcp::McpServer& server, HttpRequest request) {
  mcp::McpRequest made{request.method, request.headers, request.body};
  mcp::McpResponse given = co_await server.handle(std::move(made));
  HttpResponse response;
  response.status = given.status;
  response.headers = std::move(given.headers);
  response.body = std::move(given.body);
  co_return std::move(response);
}

call::Registration simple(std::string name, call::OnceHandler handler) {
  call::Registration registration;
  registration.spec.name = std::move(name);
  registration.handler = std::move(handler);
  return registration;
}

void serve_mcp() {
  Node node;
  node.add(call::discovery_operations());
  std::vector<call::Registration> own;
  own.push_back(simple("test/echo", [](call::OperationContext&, Message input) -> Task<Message> { co_return input; }));
  own.push_back(simple("test/wait", [](call::OperationContext&, Message input) -> Task<Message> {
    co_await sleep_for(std::chrono::minutes(5));
    co_return input;
  }));
  own.push_back(simple("test/running", [&node](call::OperationContext&, Message) -> Task<Message> {
    Message count;
    count.value = node.dispatcher->running_calls();
    co_return count;
  }));
  node.add(std::move(own));
  node.begin();
  std::optional<mcp::McpServer> endpoint;
  std::optional<HttpServer> server;
  const auto on_loop = [&](const auto& work) {
    const auto task = [](const auto& does) -> Task<void> {
      does();
      co_return;
    };
    wait_for(node.thread.loop(), task(work));
  };
  on_loop([&] {
    endpoint.emplace(*node.dispatcher, mcp::McpServerOptions{});
    server.emplace(node.thread.loop(), HttpServerOptions{});
    for (const char* method : {"GET", "POST", "DELETE"}) {
      server->route(method, "/mcp", [&](HttpRequest request) { return answer_mcp(*endpoint, std::move(request)); });
    }
    std::cout << "http://" << server->listen("127.0.0.1:0") << "/mcp" << std::endl;
  });
  std::string line;
  while (std::getline(std::cin, line)) continue;
  on_loop([&] {
    server.reset();
    endpoint.reset();
  });
}

void import_mcp(const std::string& url) {
  Node node;
  mcp::McpImportOptions options;
  options.url = url;
  options.name_space = "far";
  options.visibility = call::Visibility::kExternal;
  options.on_tools_changed = [] { std::cout << R"({"changed":true})" << std::endl; };
  const auto session = std::make_shared<mcp::McpSession>(fetch_with(node.client), options);
  wait_for(node.thread.loop(), session->connect());
  auto operations = wait_for(node.thread.loop(), session->list_operations());
  JsonArray specs;
  for (const auto& registration : operations) specs.push_back(registration.spec.to_json());
  say(JsonObject{{"revision", session->revision()}, {"specs", std::move(specs)}});
  node.add(std::move(operations));
  node.begin();
  node.serve_lines();
  wait_for(node.thread.loop(), session->close());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string mode = arguments.empty() ? "" : arguments[0];
  try {
    if (mode == "openapi") {
      import_documents({arguments.begin() + 1, arguments.end()});
    } else if (mode == "call" && arguments.size() == 4) {
      call_document(arguments[1], arguments[2], arguments[3]);
    } else if (mode == "mcp-serve") {
      serve_mcp();
    } else if (mode == "mcp-import" && arguments.size() == 2) {
      import_mcp(arguments[1]);
    } else {
      std::cerr << "usage: importer_peer openapi|call|mcp-serve|mcp-import ...\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
