#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/near_names.h"
#include "alknet/base/utf8.h"
#include "alknet/compute/error.h"
#include "apps/alknet/command.h"
#include "apps/alknet/output.h"
#include "apps/alknet/remote.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

/// What an invalid input breaks beyond what the message says, a line each.
std::string other_violations(const Json& details) {
  std::string lines;
  const auto* object = details.if_object();
  const auto* violations = object == nullptr ? nullptr : object->if_contains("violations");
  if (violations == nullptr || !violations->is_array()) return lines;
  for (std::size_t i = 1; i < violations->get_array().size(); ++i) {
    const auto* violation = violations->get_array()[i].if_object();
    const auto text = [&](std::string_view name) {
      const auto* value = violation == nullptr ? nullptr : violation->if_contains(name);
      return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
    };
    lines += fmt::format("\n  \"{}\" {}", text("instance_path"), text("message"));
  }
  return lines;
}

/// Tells of an error as the conventions say: a line on standard error, for an input with several faults one each; with
/// --json a document on standard output too.
int report(const Globals& globals, std::string_view code, std::string_view message, const Json& details, int status) {
  print_note(escape_controls(std::string(message) + other_violations(details)));
  if (globals.json) {
    print_json(JsonObject{{"error", JsonObject{{"code", code}, {"message", message}, {"details", details}}}});
  }
  return status;
}

bool wrong_usage(const Error& error) {
  return dynamic_cast<const UsageError*>(&error) != nullptr || error.code() == compute::ComputeError::kUnknownDevice;
}

/// What to say of a command line: for a command that lacks its verb, what stands in its place and the verbs there are.
std::string usage_message(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* command = &program;
  std::string path = program.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  const std::string help = fmt::format("(see {} --help)", path);
  const auto verbs = command->get_subcommands([](const CLI::App*) { return true; });
  if (verbs.empty() || dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) {
    return fmt::format("{} {}", error.what(), help);
  }
  std::vector<std::string> names;
  for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
  const std::string known = fmt::format("{}", fmt::join(names, ", "));
  const std::vector<std::string> rest = program.remaining(true);
  if (rest.empty()) return fmt::format("{} needs a command: {} {}", path, known, help);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string near = did_you_mean(rest.front(), views);
  return fmt::format("{} does not know \"{}\"{} {}", path, rest.front(), near.empty() ? "; it has " + known : near,
                     help);
}

/// The arguments, the last first as CLI11 wants them. `schema ADDRESS OP` is `schema of ADDRESS OP`.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> all(argv + 1, argv + argc);
  const auto is_word = [](const std::string& text) { return !text.starts_with('-'); };
  const auto group = std::find_if(all.begin(), all.end(), is_word);
  if (group != all.end() && *group == "schema") {
    const auto first = std::find_if(group + 1, all.end(), is_word);
    if (first != all.end() && is_address(*first)) all.insert(group + 1, "of");
  }
  std::reverse(all.begin(), all.end());
  return all;
}

/// Takes what stands behind the file of `alknet run` from `words` (the last first): it is the script's own.
std::vector<std::string> take_script_arguments(const CLI::App& program, std::vector<std::string>& words) {
  const auto takes_value = [&](const std::string& word, const CLI::App* command) {
    const CLI::Option* option = command != nullptr ? command->get_option_no_throw(word) : nullptr;
    if (option == nullptr) option = program.get_option_no_throw(word);
    return option != nullptr && option->get_items_expected_max() > 0;
  };
  const CLI::App* command = nullptr;
  std::size_t left = words.size();
  while (left > 0) {
    const std::string& word = words[--left];
    if (word.starts_with('-') && word != "-" && word != "--") {
      if (word.find('=') == std::string::npos && takes_value(word, command) && left > 0) --left;
    } else if (command == nullptr) {
      if (word != "run") return {};
      command = program.get_subcommand("run");
    } else {
      if (word == "--" && left > 0) --left;
      break;
    }
  }
  std::vector<std::string> rest(words.rend() - static_cast<std::ptrdiff_t>(left), words.rend());
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(left));
  return rest;
}

int run(int argc, char** argv) {
  Globals globals;
  try {
    globals.config = read_config_file();
  } catch (const Error& error) {
    return report(globals, error.code_name(), error.message(), error.details(), kWrongUsage);
  }
  CLI::App program("Tensors that are stored, computed and called over a network.", "alknet");
  program.set_version_flag("--version", "alknet " ALKNET_VERSION, "Print the version and exit");
  program.require_subcommand(1);
  program.fallthrough();
  program.set_help_all_flag("--help-all", "Print the help of every command and exit");
  add_setting(program, globals, "color", globals.color);
  program.add_flag("-q,--quiet", globals.quiet, "No progress and no notes");
  program.add_flag("-v,--verbose", globals.verbose, "Say more about what is done");
  add_embed(program, globals);
  add_model(program, globals);
  add_data(program, globals);
  add_train(program, globals);
  add_tensor(program, globals);
  add_schema(program, globals);
  add_devices(program, globals);
  add_sandbox(program, globals);
  add_serve(program, globals);
  add_call(program, globals);
  add_ops(program, globals);
  add_import(program, globals);
  add_peer(program, globals);
  add_run(program, globals);
  add_repl(program, globals);
  add_test(program, globals);
  add_check(program, globals);
  add_config(program, globals);
  add_completion(program, globals);
  add_man(program, globals);
  set_examples(program,
               "  alknet embed \"A dog runs.\" \"A puppy plays.\" \"Stocks fell.\"\n"
               "  alknet tensor info model.safetensors\n");
  try {
    std::vector<std::string> words = arguments(argc, argv);
    globals.script_arguments = take_script_arguments(program, words);
    program.parse(words);
  } catch (const CLI::Success& success) {
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return report(globals, "usage", usage_message(program, error), nullptr, kWrongUsage);
  } catch (const Error& error) {
    return report(globals, error.code_name(), error.message(), error.details(),
                  wrong_usage(error) ? kWrongUsage : kFailed);
  } catch (const std::bad_alloc&) {
    return report(globals, "out_of_memory", "out of memory: use smaller batches or files", nullptr, kFailed);
  }
  return globals.exit_status;
}

}  // namespace

void add_json_flag(CLI::App& command, Globals& globals) {
  command.add_flag("--json", globals.json, "Print one JSON document");
}

void set_examples(CLI::App& command, const std::string& examples) { command.footer("Examples:\n" + examples); }

}  // namespace alknet::app

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an exception of print(), not a death
  try {
    return alknet::app::run(argc, argv);
  } catch (const alknet::app::OutputClosed&) {
    return 1;
  } catch (const std::exception& error) {
    alknet::app::print_note(alknet::escape_controls(error.what()));
    return 1;
  }
}
