#include <CLI/CLI.hpp>

#include <memory>

#include "apps/alknet/output.h"
#include "apps/alknet/remote.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxInputBytes = std::uint64_t{256} << 20;

struct CallCommand {
  RemoteOptions remote;
  std::string operation;
  std::string input = "{}";
  bool stream = false;
};

Json read_json_input(const std::string& argument) {
  const bool from_file = argument == "-" || argument.starts_with('@');
  const std::string text =
      from_file ? read_input(argument == "-" ? argument : argument.substr(1), kMaxInputBytes) : argument;
  try {
    return parse_json(text);
  } catch (const Error& error) {
    throw UsageError("INPUT is not JSON: " + error.message() + "; quote it: '{\"a\": 1}', or give - or @FILE");
  }
}

void run_call(const CallCommand& command, const Globals& globals) {
  const Json input = read_json_input(command.input);
  Remote remote(command.remote, globals);
  if (command.stream) {
    return remote.subscribe(command.operation, input, [](const Json& item) {
      print(json_text(item) + "\n");
      return true;
    });
  }
  const Json output = remote.call_by_schema(command.operation, input);
  globals.json ? print_json(JsonObject{{"output", output}}) : print_json(output);
}

}  // namespace

void add_call(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<CallCommand>();
  CLI::App* made = program.add_subcommand("call", "Call an operation of a node");
  add_remote_options(*made, command->remote);
  made->add_option("OPERATION", command->operation, "namespace/operation, see alknet ops")->required();
  made->add_option("INPUT", command->input, "JSON, @FILE, or - for standard input")->capture_default_str();
  made->add_flag("--stream", command->stream, "Subscribe: one JSON line an item");
  add_json_flag(*made, globals);
  set_examples(*made,
               "  alknet call gpu1 model/minilm/embed '{\"sentences\": [\"A dog runs.\"]}'\n"
               "  alknet call unix:/run/alknet/node.sock services/list\n");
  made->callback([command, &globals] { run_call(*command, globals); });
}

void add_ops(CLI::App& program, Globals& globals) {
  struct OpsCommand {
    RemoteOptions remote;
    std::string query;
  };
  const auto command = std::make_shared<OpsCommand>();
  CLI::App* made = program.add_subcommand("ops", "List the operations of a node that you may call");
  add_remote_options(*made, command->remote);
  made->add_option("QUERY", command->query, "Only those whose name, title, description or tags contain this");
  add_json_flag(*made, globals);
  set_examples(*made, "  alknet ops gpu1 embed\n  alknet ops unix:/run/alknet/node.sock --json\n");
  made->callback([command, &globals] {
    Remote remote(command->remote, globals);
    JsonObject input;
    if (!command->query.empty()) input.emplace("query", command->query);
    const Json operations = remote.call("services/list", std::move(input)).at("operations");
    if (globals.json) return print_json(operations);
    Table table({{"OPERATION"}, {"TYPE"}, {"ABOUT"}});
    for (const Json& operation : operations.as_array()) {
      const auto text = [&](std::string_view member) {
        const auto* found = operation.as_object().if_contains(member);
        return found == nullptr ? std::string() : std::string(found->as_string());
      };
      const std::string about = text("title").empty() ? text("description") : text("title");
      table.add({text("name"), text("op_type"), shorten(about, 60)});
    }
    print(table.text(use_color(globals)));
  });
}

void add_schema_of_operation(CLI::App& group, Globals& globals) {
  struct SchemaCommand {
    RemoteOptions remote;
    std::string operation;
  };
  const auto command = std::make_shared<SchemaCommand>();
  CLI::App* made = group.add_subcommand("of", "Show the full specification of a node's operation");
  add_remote_options(*made, command->remote);
  made->add_option("OPERATION", command->operation, "namespace/operation")->required();
  add_json_flag(*made, globals);
  set_examples(
      *made, "  alknet schema of gpu1 model/minilm/embed\n  alknet schema of unix:/run/alknet/node.sock tensor/add\n");
  made->callback([command, &globals] {
    Remote remote(command->remote, globals);
    const Json spec = remote.call("services/schema", JsonObject{{"name", command->operation}});
    globals.json ? print_json(spec) : print(json_pretty(spec) + "\n");
  });
}

}  // namespace alknet::app
