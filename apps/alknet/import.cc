#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/net/http/client.h"
#include "apps/alknet/imports.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

struct ImportCommand {
  std::string place;
  std::string name_space = "imported";
  std::vector<std::string> secrets;
};

void show(const std::vector<call::Registration>& operations, const Globals& globals) {
  if (globals.json) {
    JsonArray specs;
    for (const auto& operation : operations) specs.push_back(operation.spec.to_json());
    return print_json(specs);
  }
  Table table({{"OPERATION"}, {"TYPE"}, {"ABOUT"}});
  for (const auto& operation : operations) {
    const auto& spec = operation.spec;
    table.add({spec.name, std::string(call::operation_type_name(spec.type)),
               shorten(spec.title.empty() ? spec.description : spec.title, 60)});
  }
  print(table.text(use_color(globals)));
}

}  // namespace

void add_import(CLI::App& program, Globals& globals) {
  CLI::App* group =
      program.add_subcommand("import", "Show what a node would import from an OpenAPI document or MCP server");
  group->require_subcommand(1);
  set_examples(*group,
               "  alknet import openapi https://example.com/openapi.yaml --namespace shop\n"
               "  alknet import mcp http://127.0.0.1:3000/mcp --json\n");
  const auto command = std::make_shared<ImportCommand>();
  const auto add = [&](const char* verb, const char* about, const std::string& examples,
                       std::vector<std::string> ImportOptions::*list) {
    CLI::App* made = group->add_subcommand(verb, about);
    made->add_option("URL", command->place, "Where it is; for OpenAPI also a file")->required();
    made->add_option("--namespace", command->name_space, "The first part of the operations' names")
        ->capture_default_str();
    made->add_option("--secret", command->secrets, "NAME=FILE, as of alknet serve; may be repeated")
        ->allow_extra_args(false);
    add_json_flag(*made, globals);
    set_examples(*made, examples);
    made->callback([command, list, &globals] {
      LoopThread thread;
      net::HttpClient client(thread.loop(), {});
      ImportOptions options;
      options.*list = {command->name_space + "=" + command->place};
      options.secrets = command->secrets;
      const Logger logger = globals.quiet ? Logger() : Logger::to_stderr(LogLevel::kWarning);
      show(import_operations(thread.loop(), client, options, logger), globals);
    });
  };
  add("openapi", "The operations of an OpenAPI 3.0 or 3.1 document, JSON or YAML",
      "  alknet import openapi petstore.yaml --namespace pets\n"
      "  alknet serve --import-openapi pets=petstore.yaml --secret api_key=key.txt\n",
      &ImportOptions::openapi);
  add("mcp", "The tools of an MCP server (Streamable HTTP)",
      "  alknet import mcp http://127.0.0.1:3000/mcp --namespace files\n"
      "  alknet serve --import-mcp files=http://127.0.0.1:3000/mcp\n",
      &ImportOptions::mcp);
}

}  // namespace alknet::app
